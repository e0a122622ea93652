#pragma once
#include <string>

#include "core/result.hpp"
#include "core/signal.hpp"

namespace pw {

/// Where a run registers with the node's daemon, `watch`: DIR/PID.pid for root, DIR/UID/PID.pid
/// for everybody else, whose folder is made here (under another name where somebody else has taken
/// that). The error is one line with the path.
Result<std::string> registration_file(const std::string& run_dir);

/// Handlers that are never called: the signals are blocked, and taken by sigtimedwait, which shows
/// nowhere for a daemon that may not trace us. They show it in SigCgt. Gone at the exec.
void show_handlers(const SignalSet& notices);

}  // namespace pw
