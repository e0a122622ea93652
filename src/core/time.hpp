#pragma once
#include <chrono>
#include <optional>

namespace pw {

/// Names the time line of CLOCK_MONOTONIC. It has no now(): core is told the time, it never asks.
struct Monotonic {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<Monotonic>;
  static constexpr bool is_steady = true;
};

using Nanos = std::chrono::nanoseconds;
using Millis = std::chrono::milliseconds;
using Seconds = std::chrono::seconds;
using Instant = Monotonic::time_point;

/// When to wake up for either of two; nothing is never.
inline std::optional<Instant> earlier(std::optional<Instant> a, std::optional<Instant> b) {
  return b && (!a || *b < *a) ? b : a;
}

}  // namespace pw
