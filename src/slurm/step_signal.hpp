#pragma once
#include <optional>
#include <string>

#include "core/signal.hpp"
#include "os/helper.hpp"

namespace pw {

/// Signals the tasks of an srun child through slurmctld: `scontrol show step` finds the step,
/// `scancel --signal=TERM` does it. Runs beside the loop; each command has 10 s.
class StepSignal {
 public:
  /// `job_id` is ARRAY_TASK in arrays, empty where srun made a job of its own.
  static Result<StepSignal> start(int srun_pid, Signal signal, std::string job_id);

  /// Goes on as far as it can without blocking; a sentence when it is over, nothing before.
  std::optional<std::string> advance();

  const Helper& helper() const { return helper_; }

 private:
  enum class Stage { finding, sending };
  StepSignal(Helper helper, int srun_pid, Signal signal, std::string job_id)
      : helper_(std::move(helper)),
        srun_pid_(srun_pid),
        signal_(signal),
        job_id_(std::move(job_id)) {}
  std::optional<std::string> send();

  Helper helper_;
  Stage stage_ = Stage::finding;
  int srun_pid_;
  Signal signal_;
  std::string job_id_;
  std::string target_;
};

}  // namespace pw
