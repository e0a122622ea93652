#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace pw {

/// What scancel is to be told to reach the tasks of the srun with this PID, from the output of
/// `scontrol show step` (22.05: blocks of KEY=VALUE words with StepId= and SrunHost:Pid=HOST:PID).
/// Its step ("812.1"), or its job ("812") if the job has no other: scancel of 22.05 signals a step
/// twice while a later job of the user is pending, a job only once, and never the batch script.
/// Nothing if no step is its, or if sruns of two hosts have that PID and none is on `host`.
std::optional<std::string> scancel_target(std::string_view scontrol_output, std::string_view host,
                                          int srun_pid);

}  // namespace pw
