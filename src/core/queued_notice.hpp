#pragma once
#include <optional>

#include "core/signal.hpp"
#include "core/time.hpp"

namespace pw {

/// What brings it: a real-time signal, since those queue (signal(7)). Of a second USR1 while the
/// first one waits nothing is left, and a run that was stopped meanwhile would not learn the end.
inline constexpr Signal kRunSignal = kRtMax;

/// What `watch` tells a registered run in the value of a queued signal (sigqueue(3)): 64 bits, of
/// which 32 say that it is from us. Any other program's value is none.
struct QueuedNotice {
  enum class Kind {
    ends,       ///< the machine, in `left`
    advice,     ///< nobody need end
    withdrawn,  ///< what was said before is not to happen
  };
  Kind kind = Kind::ends;
  Nanos left{0};  ///< to the millisecond, of at most a day
  friend bool operator==(const QueuedNotice&, const QueuedNotice&) = default;
};

Payload encode(const QueuedNotice& notice);
std::optional<QueuedNotice> queued_notice(const Payload& payload);

}  // namespace pw
