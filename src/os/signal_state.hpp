#pragma once
#include <sys/types.h>

#include <optional>

#include "core/signal_state.hpp"

namespace pw {

/// What this process does with signals (proc(5) status). The threads are read only where handler
/// and SIG_IGN do not decide about `signal`, and only up to the first that would die of it.
/// Nothing: it is gone, or not ours to see.
std::optional<SignalState> read_signal_state(pid_t pid, Signal signal);

/// Whether this process ignores the signal; false if it cannot be known.
bool ignores_signal(pid_t pid, Signal signal);

/// Whether it has a handler for it; false if it cannot be known.
bool catches_signal(pid_t pid, Signal signal);

}  // namespace pw
