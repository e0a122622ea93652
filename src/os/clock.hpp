#pragma once
#include <cstdint>
#include <ctime>
#include <optional>

#include "core/time.hpp"

namespace pw {

/// The only clock of the program. tests/fast_clock.cpp is the other one: the same functions, 60
/// times faster, for the tests of long saves.
Instant monotonic_now();

/// Seconds and nanoseconds since 1970, for log, journal and job end times only.
timespec wall_now();

/// The instant at which the wall clock will show `unix_seconds`, if it is not stepped.
Instant instant_of_wall(std::int64_t unix_seconds);

/// How long to block until `wake`; zero if it has passed; nothing, no limit, if there is none.
std::optional<timespec> timeout_until(std::optional<Instant> wake);

}  // namespace pw
