#pragma once
#include <cstddef>
#include <string>
#include <vector>

namespace pw::bench {

/// Measured values of one contender, in any unit.
class Sample {
 public:
  void add(double value) { values_.push_back(value); }
  bool empty() const { return values_.empty(); }
  std::size_t size() const { return values_.size(); }
  double quantile(double part) const;
  double median() const { return quantile(0.5); }

 private:
  std::vector<double> values_;
};

std::string text(double value, int decimals = 0);

}  // namespace pw::bench
