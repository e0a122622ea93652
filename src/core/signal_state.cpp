#include "core/signal_state.hpp"

#include <algorithm>

namespace pw {
namespace {

// Go 1.19 to 1.26 catch about 55 of the 62 that can be caught; a shell, Python or a JVM at most 20.
constexpr int kNearlyAll = 45;

}  // namespace

Handling handling_of(const SignalState& state, Signal signal, const SignalSet& given) {
  if (state.caught.contains(signal)) return Handling::caught;
  if (state.ignored.contains(signal)) return Handling::ignored;
  const bool nobody_dies =
      std::all_of(state.threads.begin(), state.threads.end(), [&](const ThreadSignals& thread) {
        if (thread.waits_for.contains(signal)) return true;
        return thread.blocked.contains(signal) && !given.contains(signal);
      });
  return nobody_dies && !state.threads.empty() ? Handling::blocked : Handling::deadly;
}

bool has_runtime_handlers(const SignalState& state) {
  if (state.caught.size() < kNearlyAll) return false;
  constexpr Signal kJobControl[] = {SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT};
  return std::none_of(std::begin(kJobControl), std::end(kJobControl),
                      [&](Signal signal) { return state.caught.contains(signal); });
}

}  // namespace pw
