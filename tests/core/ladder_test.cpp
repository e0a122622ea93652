#include "core/ladder.hpp"

#include <doctest/doctest.h>

#include <string>

#include "core/signal_name.hpp"

using namespace pw;
using namespace std::chrono_literals;

namespace {

// "TERM@50s KILL@60s": what is due when, after the relay at 0.
std::string rungs(Ladder ladder) {
  std::string text;
  while (const auto due = ladder.due()) {
    const auto millis = std::chrono::duration_cast<Millis>(due->time_since_epoch()).count();
    text +=
        (text.empty() ? "" : " ") + signal_name(ladder.take_next()) + "@" + std::to_string(millis);
  }
  return text;
}

Instant at(Nanos after) { return Instant(after); }

}  // namespace

TEST_CASE("the default ladder: TERM min(10 s, a quarter) before KILL, not after a TERM") {
  const LadderPlan plan;
  CHECK(rungs(Ladder(plan, SIGUSR1, at(0s), at(60s))) == "TERM@50000 KILL@60000");
  CHECK(rungs(Ladder(plan, SIGUSR1, at(0s), at(8s))) == "TERM@6000 KILL@8000");
  CHECK(rungs(Ladder(plan, SIGTERM, at(0s), at(60s))) == "KILL@60000");
  CHECK(rungs(Ladder(plan, SIGUSR1, at(0s), {})) == "");
}

TEST_CASE("with too little time the middle rungs fall out first") {
  const LadderPlan plan = *parse_ladder("relay@60s,TERM@15s,ABRT@3s,KILL");
  struct Row {
    Nanos kill;
    const char* want;
  };
  const Row rows[] = {
      {78s, "TERM@60000 ABRT@75000 KILL@78000"},
      {40s, "TERM@22000 ABRT@37000 KILL@40000"},
      {30s, "ABRT@27000 KILL@30000"},
      {5s, "KILL@5000"},
      {0s, "KILL@0"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.want);
    CHECK(rungs(Ladder(plan, SIGUSR1, at(0s), at(row.kill))) == row.want);
  }
}

TEST_CASE("a nearer KILL lays the rest out again, a rung taken is not taken twice") {
  Ladder ladder(LadderPlan{}, SIGUSR1, at(0s), at(60s));
  ladder.move_kill(at(20s), at(28s));
  CHECK(rungs(ladder) == "TERM@26000 KILL@28000");
  CHECK(ladder.take_next() == SIGTERM);
  ladder.move_kill(at(26s), at(40s));
  CHECK(rungs(ladder) == "KILL@40000");
}

TEST_CASE("a rung without time comes back when there is time again") {
  Ladder ladder(*parse_ladder("relay@60s,TERM@15s,ABRT@3s,KILL"), SIGUSR1, at(0s), at(5s));
  CHECK(rungs(ladder) == "KILL@5000");
  ladder.move_kill(at(1s), at(78s));
  CHECK(rungs(ladder) == "TERM@60000 ABRT@75000 KILL@78000");
}

TEST_CASE("typed INTs climb a ladder without a clock") {
  Ladder ladder(LadderPlan{}, SIGUSR1, at(0s), {});
  CHECK(ladder.take_next() == SIGTERM);
  CHECK(ladder.take_next() == SIGKILL);
  CHECK(ladder.killed());
  CHECK_FALSE(ladder.due());
}

TEST_CASE("a ladder begins with relay, ends with KILL, and has times between") {
  const auto plan = parse_ladder("relay@60s, TERM@15s,KILL");
  REQUIRE(plan.has_value());
  CHECK(plan->grace == Nanos(75s));
  CHECK(plan->rungs == std::vector<Rung>{{SIGTERM, 15s}});
  for (const char* wrong :
       {"", "KILL", "relay@5s", "TERM@5s,KILL", "relay,KILL", "relay@5s,TERM,KILL",
        "relay@5s,KILL@3s", "relay@5s,KILL@3s,KILL", "relay@5s,FOO@3s,KILL",
        "relay@5s,relay@5s,KILL", "relay@-5s,KILL", "relay@5s,TERM@1s"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_ladder(wrong).has_value());
  }
}
