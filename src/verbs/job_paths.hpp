#pragma once
#include <optional>
#include <string>

#include "core/pattern.hpp"
#include "slurm/environment.hpp"

namespace pw {

std::string host_name();

/// What the patterns in the paths of a command line stand for here (README, "Options").
PatternValues pattern_values(const std::optional<SlurmJob>& job, const std::string& host);

}  // namespace pw
