#pragma once
#include <optional>
#include <string>

#include "core/pattern.hpp"
#include "core/settings.hpp"
#include "slurm/environment.hpp"

namespace pw {

std::string host_name();

/// What the patterns in the paths of a command line stand for here (README, "Options").
PatternValues pattern_values(const std::optional<SlurmJob>& job, const std::string& host);

/// Where requeues and ranks keep what they must know of each other (os/state_folder).
Result<std::string> state_folder_for(const Settings& settings);

}  // namespace pw
