#include "sample.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

namespace pw::bench {

double Sample::quantile(double part) const {
  if (values_.empty()) return std::numeric_limits<double>::quiet_NaN();
  std::vector<double> sorted = values_;
  std::sort(sorted.begin(), sorted.end());
  const double place = part * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(std::floor(place));
  const auto above = static_cast<std::size_t>(std::ceil(place));
  return std::lerp(sorted[below], sorted[above], place - std::floor(place));
}

std::string text(double value, int decimals) {
  if (std::isnan(value)) return "-";
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%.*f", decimals, value);
  return buffer;
}

}  // namespace pw::bench
