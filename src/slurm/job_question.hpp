#pragma once
#include <optional>
#include <string>

#include "core/job_state.hpp"
#include "slurm/question.hpp"

namespace pw {

/// Asks slurmctld about a job: `scontrol show job -o ID`.
class JobQuestion {
 public:
  /// `id` is ARRAY_TASK in arrays: the plain id of the last task shows the whole array.
  static Result<JobQuestion> start(const std::string& id, Nanos limit);

  /// Goes on as far as it can without blocking; the answer once, nothing before.
  std::optional<Result<JobState>> advance();

  std::optional<Instant> wake() const { return question_.wake(); }
  const Helper& helper() const { return question_.helper(); }

 private:
  explicit JobQuestion(Question question) : question_(std::move(question)) {}
  Question question_;
};

}  // namespace pw
