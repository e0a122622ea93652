#include "clock.hpp"

#include <thread>

namespace pw::bench {

void wait_until(Instant due) {
  constexpr Nanos kSleepIsLateBy = Micros(150);
  if (due - now() > kSleepIsLateBy) std::this_thread::sleep_until(due - kSleepIsLateBy);
  while (now() < due) {
  }
}

void sleep_for(Nanos span) { std::this_thread::sleep_for(span); }

}  // namespace pw::bench
