#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace pw {

/// The step ("812.0") that the srun with this PID started, from the output of `scontrol show step`
/// (22.05: blocks of KEY=VALUE words with StepId= and SrunHost:Pid=HOST:PID). Nothing if none is,
/// or if sruns of two hosts have that PID and none is on `host`.
std::optional<std::string> step_of_srun(std::string_view scontrol_output, std::string_view host,
                                        int srun_pid);

}  // namespace pw
