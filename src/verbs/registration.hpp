#pragma once
#include <string>

#include "core/queued_notice.hpp"
#include "core/result.hpp"
#include "core/signal.hpp"
#include "os/pid_target.hpp"

namespace pw {

/// The name of a registered run's process (proc(5), comm), whatever the executable or the script is
/// called that it was started as; by it the daemon tells a run from a bare trainer.
void take_run_name();
bool is_a_run(const PidTarget& process);

/// What brings a run its words: kRunSignal, or where it would die of that one (it has not
/// registered) `otherwise`.
Signal signal_for_run(const PidTarget& process, Signal otherwise);

/// Where a run registers with the node's daemon, `watch`: DIR/PID.pid for root, DIR/UID/PID.pid
/// for everybody else, whose folder is made here (under another name where somebody else has taken
/// that). The error is one line with the path.
Result<std::string> registration_file(const std::string& run_dir);

/// Handlers that are never called: the signals are blocked, and taken by sigtimedwait, which shows
/// nowhere for a daemon that may not trace us. They show it in SigCgt. Gone at the exec.
void show_handlers(const SignalSet& notices);

}  // namespace pw
