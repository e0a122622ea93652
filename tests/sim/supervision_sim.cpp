// A seeded simulation: random worlds drive the state machine, and after every step each promise
// that its header makes is checked. `SEED=n` repeats one schedule; PW_FULL=1 runs twenty times
// more.
#include <doctest/doctest.h>

#include <cstdlib>

#include "world.hpp"

using namespace pw;

TEST_CASE("every promise holds over random schedules") {
  if (const char* seed = std::getenv("SEED")) {
    CHECK(World(std::strtoull(seed, nullptr, 10)).run() == "");
    return;
  }
  const std::uint64_t schedules = std::getenv("PW_FULL") != nullptr ? 2'000'000 : 100'000;
  for (std::uint64_t seed = 1; seed <= schedules; ++seed) {
    const std::string broken = World(seed).run();
    if (!broken.empty()) {
      FAIL("SEED=" << seed << " breaks: " << broken);
    }
  }
  MESSAGE(schedules << " schedules");
}
