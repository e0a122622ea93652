// A seeded simulation of the start gate: random worlds, and large ones whose figures are asserted.
// `SEED=n` repeats one world; PW_FULL=1 runs twenty times more.
#include <doctest/doctest.h>

#include <cstdlib>

#include "gate_world.hpp"

using namespace pw;
using namespace std::chrono_literals;

namespace {

GateWorldPlan random_plan(std::uint64_t seed) {
  Dice dice(seed * 977 + 5);
  GateWorldPlan plan;
  plan.runs = 1 + dice.below(40);
  const std::uint64_t kind = dice.below(3);
  if (kind != 0) plan.limits.spacing = 10ms + dice.up_to(2s);
  if (kind != 1) plan.limits.max_starting = 1 + static_cast<int>(dice.below(6));
  plan.arrive_within = dice.up_to(20s);
  plan.start_up_least = dice.up_to(5s);
  plan.start_up_most = plan.start_up_least + dice.up_to(40s);
  plan.request = 100us + dice.up_to(10ms);
  if (dice.one_in(3)) plan.clock_error = dice.up_to(2s);
  if (dice.one_in(3)) plan.crash_one_in = 1 + static_cast<int>(dice.below(5));
  if (dice.one_in(5)) plan.garbled_one_in = 5 + static_cast<int>(dice.below(20));
  plan.pauses = dice.one_in(3);
  if (dice.one_in(3)) plan.notice_one_in = 1 + static_cast<int>(dice.below(6));
  if (dice.one_in(2)) plan.gives_back_one_in = 2;
  if (dice.one_in(3)) plan.stale = dice.up_to(5s);
  plan.resets = dice.one_in(10);
  if (dice.one_in(8)) plan.ends_with = dice.one_in(2) ? GateWord::stop : GateWord::cancel;
  return plan;
}

std::string broken_in(std::uint64_t seed) { return GateWorld(random_plan(seed), seed).run(); }

}  // namespace

TEST_CASE("the gate's promises hold in random worlds") {
  if (const char* seed = std::getenv("SEED")) {
    CHECK(broken_in(std::strtoull(seed, nullptr, 10)) == "");
    return;
  }
  const std::uint64_t worlds = std::getenv("PW_FULL") != nullptr ? 40'000 : 2'000;
  for (std::uint64_t seed = 1; seed <= worlds; ++seed) {
    const std::string broken = broken_in(seed);
    if (!broken.empty()) FAIL("SEED=" << seed << " breaks: " << broken);
  }
  MESSAGE(worlds << " worlds");
}

TEST_CASE("a rate gate costs few requests and no time") {
  struct Row {
    std::size_t runs;
    Nanos request;
  };
  const bool full = std::getenv("PW_FULL") != nullptr;
  for (const Row& row : {Row{1'000, 1ms}, Row{10'000, 1ms}, Row{full ? 100'000U : 20'000U, 1ms},
                         Row{10'000, 10ms}}) {
    CAPTURE(row.runs);
    GateWorldPlan plan;
    plan.runs = row.runs;
    plan.limits.spacing = 100ms;
    plan.request = row.request;
    // As the keeper spreads the first tries of an array.
    const auto count = static_cast<std::int64_t>(row.runs);
    plan.arrive_within = std::min<Nanos>(count * 8 * row.request, count * 100ms / 2);
    GateWorld world(plan, 1);
    CHECK(world.run() == "");
    const Nanos ideal = static_cast<std::int64_t>(row.runs) * 100ms;
    const double ratio = double(world.makespan().count()) / double(ideal.count());
    MESSAGE(row.runs << " runs: makespan " << ratio << " of ideal, " << world.requests_per_run()
                     << " requests a run");
    CHECK(ratio <= 1.05);
    CHECK(world.requests_per_run() <= 5);
    CHECK(world.most_in(1s) <= 12);  // the rate, the fence post and one that woke up late
    CHECK(world.displacement() <= 0.01);
  }
}

TEST_CASE("a gate of sixteen places is kept full") {
  for (const std::size_t runs : {1'000U, 3'000U}) {
    CAPTURE(runs);
    GateWorldPlan plan;
    plan.runs = runs;
    plan.limits.max_starting = 16;
    const Nanos spread = static_cast<std::int64_t>(runs) * 8 * plan.request;
    plan.arrive_within = std::min<Nanos>(spread, 120s);
    GateWorld world(plan, 1);
    CHECK(world.run() == "");
    CHECK(world.most_starting() == 16);
    const Nanos ideal = static_cast<std::int64_t>(runs) * 20s / 16;
    const double ratio = double(world.makespan().count()) / double(ideal.count());
    MESSAGE(runs << " runs: makespan " << ratio << " of ideal, " << world.requests_per_run()
                 << " requests a run");
    CHECK(ratio <= (runs == 1'000U ? 1.07 : 1.05));
    CHECK(world.displacement() <= 0.05);
  }
}

TEST_CASE("a clock ten minutes ahead stops nobody") {
  const std::uint64_t worlds = std::getenv("PW_FULL") != nullptr ? 2'000 : 100;
  for (std::uint64_t seed = 1; seed <= worlds; ++seed) {
    GateWorldPlan plan;
    plan.runs = 20;
    plan.limits.max_starting = 3;
    plan.far_clock_one_in = 8;
    plan.far_clock = 600s;
    plan.crash_one_in = 4;
    const std::string broken = GateWorld(plan, seed).run();
    if (!broken.empty()) FAIL("seed " << seed << " breaks: " << broken);
  }
}
