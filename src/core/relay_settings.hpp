#pragma once
#include <span>
#include <string>
#include <vector>

#include "core/option_table.hpp"
#include "core/pid_file.hpp"
#include "core/relay_course.hpp"
#include "core/settings.hpp"

namespace pw {

/// What the verb `relay` was asked to do. It is told on the command line only: who signals a
/// process by hand wants what stands there and nothing from a file or an environment.
struct RelaySettings {
  std::string pid_file;  ///< either this one
  std::string run_dir;   ///< or all files of this folder
  RelayPlan plan;
  HostRule host_rule = HostRule::this_host;
  std::vector<Complaint> errors;  ///< all at once; nothing may be signalled if there are any
};

std::span<const Option> relay_option_table();

/// `given`: the strongest first, as parse_command_line() gives them.
RelaySettings relay_settings(std::span<const Given> given);

}  // namespace pw
