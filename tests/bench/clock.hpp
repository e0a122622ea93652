#pragma once
#include <chrono>

// The one clock of the bench: CLOCK_MONOTONIC, as in the child programs.
namespace pw::bench {

using Clock = std::chrono::steady_clock;
using Instant = Clock::time_point;
using Nanos = std::chrono::nanoseconds;
using Micros = std::chrono::microseconds;
using Millis = std::chrono::milliseconds;
using Seconds = std::chrono::seconds;

inline Instant now() { return Clock::now(); }
inline double in_micros(Nanos span) {
  return std::chrono::duration<double, std::micro>(span).count();
}

/// Busy for the last part of it: a sleep alone wakes some 50 us late.
void wait_until(Instant due);
void sleep_for(Nanos span);

}  // namespace pw::bench
