#pragma once
#include <optional>
#include <string>

#include "core/signal.hpp"
#include "os/helper.hpp"
#include "slurm/question.hpp"

namespace pw {

/// Signals the tasks of an srun child through slurmctld: `scontrol show step` finds the step,
/// `scancel --signal=TERM` does it. Where the step is not found, all steps of the job are told: one
/// that is told too much saves, one that is not told loses its work. Runs beside the loop; each
/// command has 10 s.
class StepSignal {
 public:
  /// `job_id` is ARRAY_TASK in arrays, empty where srun made a job of its own.
  static Result<StepSignal> start(int srun_pid, Signal signal, std::string job_id);

  /// Goes on as far as it can without blocking; a sentence when it is over, nothing before.
  std::optional<std::string> advance();

  const Helper& helper() const { return scancel_ ? *scancel_ : steps_.helper(); }

 private:
  StepSignal(Question steps, int srun_pid, Signal signal, std::string job_id)
      : steps_(std::move(steps)),
        srun_pid_(srun_pid),
        signal_(signal),
        job_id_(std::move(job_id)) {}
  std::optional<std::string> send(const Result<std::string>& steps);
  std::optional<std::string> hear_scancel();

  Question steps_;
  std::optional<Helper> scancel_;
  int srun_pid_;
  Signal signal_;
  std::string job_id_;
  std::string target_;
  std::string doubt_;  // why all steps of the job are told
};

}  // namespace pw
