#include "os/clock.hpp"

#include <algorithm>

namespace pw {
namespace {

constexpr std::int64_t kNanosPerSecond = 1'000'000'000;

}  // namespace

Instant monotonic_now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return Instant(Nanos(now.tv_sec * kNanosPerSecond + now.tv_nsec));
}

timespec wall_now() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return now;
}

Instant instant_of_wall(std::int64_t unix_seconds) {
  const timespec now = wall_now();
  // Bounded to a century: a garbled variable must not overflow.
  const std::int64_t bounded =
      std::clamp<std::int64_t>(unix_seconds - now.tv_sec, -3'153'600'000, 3'153'600'000);
  return monotonic_now() + Seconds(bounded) - Nanos(now.tv_nsec);
}

std::optional<timespec> timeout_until(std::optional<Instant> wake) {
  if (!wake) return {};
  const std::int64_t left = std::max<std::int64_t>(0, (*wake - monotonic_now()).count());
  return timespec{left / kNanosPerSecond, left % kNanosPerSecond};
}

}  // namespace pw
