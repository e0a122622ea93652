#pragma once
#include <sys/types.h>

#include <optional>
#include <string>

namespace pw {

/// A variable that a process was started with. Nothing: it has none, or may not be looked at. May
/// hang where the process does (its memory is read), so in os/aside only.
std::optional<std::string> started_with(pid_t pid, const std::string& variable);

}  // namespace pw
