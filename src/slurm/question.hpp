#pragma once
#include <optional>
#include <string>
#include <vector>

#include "os/helper.hpp"

namespace pw {

/// Asks slurmctld by scontrol, beside the loop. Not answered by `limit` it is killed.
class Question {
 public:
  /// `words` come after "scontrol"; times in the answer are seconds since 1970.
  static Result<Question> start(std::vector<std::string> words, Nanos limit);

  /// Goes on as far as it can without blocking; what it wrote, once, nothing before.
  std::optional<Result<std::string>> advance();

  /// When to go on, if its output is not readable before.
  std::optional<Instant> wake() const { return helper_.wake(); }

  const Helper& helper() const { return helper_; }

 private:
  Question(Helper helper, std::string name) : helper_(std::move(helper)), name_(std::move(name)) {}
  Helper helper_;
  std::string name_;  // for errors: "scontrol show job"
};

}  // namespace pw
