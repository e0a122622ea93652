#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/settings.hpp"
#include "slurm/environment.hpp"

namespace pw {

/// What the start line says of the time that a save will have ("; SIGKILL 1m after the notice"),
/// and warnings of what cannot work.
struct Budget {
  std::string sentence;
  std::vector<std::string> warnings;
};
Budget plan_budget(const Settings& settings, const std::optional<SlurmJob>& job);

}  // namespace pw
