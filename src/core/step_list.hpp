#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace pw {

/// Our child.
struct Srun {
  std::string_view host;
  std::string_view job_id;  ///< "812", "812_17"; empty outside a job
  int pid = 0;
};

/// What scancel is to be told to reach the tasks of this srun, from the output of
/// `scontrol show step` (22.05: blocks of KEY=VALUE words with StepId= and SrunHost:Pid=HOST:PID).
/// Its step ("812.1"), or its job ("812") if the job has no other: scancel of 22.05 signals a step
/// twice while a later job of the user is pending, a job only once, and never the batch script.
/// A host may have another name there, so within our own job the PID alone tells, if it is one
/// step's. Never a step of another job on another host: PIDs are the same on many nodes.
std::optional<std::string> scancel_target(std::string_view scontrol_output, const Srun& srun);

}  // namespace pw
