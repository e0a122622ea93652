#pragma once
#include <optional>
#include <span>

#include "core/time.hpp"
#include "os/signal_fd.hpp"

namespace pw {

/// The one place that blocks: until a signal comes, one of the descriptors is readable (or has hung
/// up), or `wake` has come. Without a `wake` it sleeps for ever, without a wake-up.
/// Returns the signal, if it was one.
std::optional<CaughtSignal> wait_for(const SignalFd& signals, std::span<const int> readable,
                                     std::optional<Instant> wake);

}  // namespace pw
