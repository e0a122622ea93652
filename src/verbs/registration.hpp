#pragma once
#include <string>

#include "core/result.hpp"

namespace pw {

/// Where a run registers with the node's daemon, `watch`: DIR/PID.pid for root, DIR/UID/PID.pid
/// for everybody else, whose folder is made here. Refused where somebody else owns that folder. The
/// error is one line with the path.
Result<std::string> registration_file(const std::string& run_dir);

}  // namespace pw
