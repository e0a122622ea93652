#pragma once
#include <chrono>

#include "core/time.hpp"

namespace pw {

/// The nodes' wall clocks: nanoseconds since 1970, each with its own error.
using WallTime = std::chrono::sys_time<Nanos>;

/// Names the time line of a start gate: wall time less all the time that the gate was paused. While
/// it is paused this clock stands still, so that a pause keeps every place and a resume starts no
/// crowd (core/gate_control turns one into the other).
struct GateClock {
  using duration = Nanos;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<GateClock>;
  static constexpr bool is_steady = false;
};
using GateTime = GateClock::time_point;

}  // namespace pw
