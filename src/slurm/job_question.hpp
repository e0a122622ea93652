#pragma once
#include <optional>
#include <string>

#include "core/job_state.hpp"
#include "os/helper.hpp"

namespace pw {

/// Asks slurmctld about a job: `scontrol show job -o ID`, beside the loop. Not answered by then it
/// is killed, and given up 2 s later: a hung disk may keep it.
class JobQuestion {
 public:
  /// `id` is ARRAY_TASK in arrays: the plain id of the last task shows the whole array.
  static Result<JobQuestion> start(const std::string& id, Nanos limit);

  /// Goes on as far as it can without blocking; the answer once, nothing before.
  std::optional<Result<JobState>> advance();

  /// When to go on, if its output is not readable before.
  Instant wake() const;

  const Helper& helper() const { return helper_; }

 private:
  explicit JobQuestion(Helper helper) : helper_(std::move(helper)) {}
  Helper helper_;
  bool late_ = false;
};

}  // namespace pw
