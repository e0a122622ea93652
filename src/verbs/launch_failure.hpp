#pragma once
#include <string>

namespace pw {

/// Why a command could not be started, for a user who looks for the slip: execve(2)'s own words,
/// and what they do not tell. `error` is its errno.
std::string launch_failure_text(int error, const std::string& command);

}  // namespace pw
