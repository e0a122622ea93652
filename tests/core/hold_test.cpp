// A notice that is held until somebody can act on it: the clocks of it.
#include <doctest/doctest.h>

#include "told_run.hpp"

using namespace pw;
using namespace std::chrono_literals;

namespace {

Policy with_grace(Nanos grace) {
  Policy policy;
  policy.ladder.grace = grace;
  return policy;
}

// A run whose first notice, USR1 at 0 s, is held.
Run held(Policy policy) {
  Run run(std::move(policy));
  run.started().at(0s).gets(SIGUSR1);
  run.relayed(false, true);
  return run;
}

}  // namespace

TEST_CASE("looks come at rising intervals until somebody is able; the grace begins then") {
  Run run = held(with_grace(100s));
  CHECK(run.kill_in() == 120s);
  Nanos at{0};
  for (const Nanos interval : {1ms, 2ms, 4ms, 8ms, 16ms, 32ms, 64ms, 128ms, 250ms, 250ms}) {
    at += interval;
    CHECK(run.at(at - 1ns).wakes() == "");
    CHECK(run.at(at).wakes() == "SEEK");
    run.relayed(false, true);
  }
  run.at(5s).wakes();
  run.relayed(true, false);
  CHECK(run.kill_in() == 100s);
  CHECK(run.at(6s).wakes() == "");
}

TEST_CASE("how long a notice is held") {
  struct Row {
    const char* what;
    Policy policy;
    Nanos limit;
  };
  Policy short_hold = with_grace(100s);
  short_hold.hold = 3s;
  Policy none = with_grace(100s);
  none.hold = 0s;
  Policy lead;
  lead.schedule.lead = 42s;
  Policy slurm;
  slurm.schedule.in_slurm = true;
  const Row rows[] = {
      {"--hold", with_grace(100s), 20s},
      {"a shorter one", short_hold, 3s},
      {"a quarter of the grace", with_grace(60s), 15s},
      {"a quarter of what is left to the deadline", lead, 10s},
      {"Slurm's own end is not known", slurm, 20s},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    Run run = held(row.policy);
    for (Nanos at = 1ms; at < row.limit; at += 1ms) {
      if (run.at(at).wakes() == "SEEK") run.relayed(false, true);
    }
    CHECK(run.at(row.limit).wakes() == "END HOLD");
  }
  Run at_once(none);
  at_once.started().at(0s).gets(SIGUSR1);
  CHECK(at_once.relayed(false, true) == "END HOLD");
}

TEST_CASE("TERM while USR1 is held ends the hold; after it, it is covered") {
  Run run = held(with_grace(80s));
  CHECK(run.at(5s).gets(SIGTERM) == "RELAY TERM, relayed");
  run.relayed(true, false);
  CHECK(run.kill_in() == 80s);
  CHECK(run.at(6s).gets(SIGTERM) == "covered");
  CHECK(run.next_wake() == Instant(1000h) + 85s);  // no rung TERM, it was sent
  Run second = held(with_grace(80s));
  CHECK(second.at(500us).gets(SIGUSR2) == "covered");
}

TEST_CASE("given up, there is no episode, and TERM begins one") {
  Run run = held(with_grace(60s));
  run.at(15s).wakes();
  run.relayed(false, false);
  CHECK(run.phase() == Phase::running);
  CHECK_FALSE(run.next_wake());
  CHECK_FALSE(run.facts().notice_relayed);
  CHECK(run.at(20s).gets(SIGTERM) == "RELAY TERM, relayed");
  CHECK(run.kill_in() == 60s);
}

TEST_CASE("a trainer that was told nothing and ends has finished") {
  Run run = held(with_grace(60s));
  CHECK(run.at(500us).ends(0) == "LOOK");
  CHECK(run.sees(0, 0) == "FINISH");
  CHECK_FALSE(run.facts().notice_relayed);
}

TEST_CASE("a launcher that ends while its ranks are held for: the ladder goes on") {
  Run run = held(with_grace(60s));
  CHECK(run.at(500us).ends(1) == "LOOK");
  CHECK(run.sees(2, 0) == "");
  CHECK(run.phase() == Phase::draining);
  CHECK(run.at(3s).wakes() == "SEEK, LOOK");
}

TEST_CASE("READY=1 means: look now") {
  Run run = held(with_grace(60s));
  CHECK(run.at(1500us).is_ready() == "SEEK");
  run.relayed(true, false);
  CHECK(run.at(3s).is_ready() == "");
}

TEST_CASE("advice is held as well, without a clock; nobody is ended for it") {
  Policy policy;
  policy.schedule.in_slurm = true;
  policy.schedule.job_end = Instant(1000h) + 2h;
  Run run(policy);
  run.started().at(0s);
  CHECK(run.gets(SIGUSR1) == "RELAY USR1, advice");
  run.relayed(false, true);
  CHECK(run.phase() == Phase::running);
  CHECK(run.kill_in() == -1ns);
  CHECK(run.at(20s).wakes() == "END ADVICE");
}

TEST_CASE("a ladder of one's own counts from the relay, not from the hold") {
  Policy policy;
  policy.ladder = *parse_ladder("relay@40s,TERM@20s,KILL");
  Run run = held(policy);
  run.at(10s).is_ready();
  run.relayed(true, false);
  CHECK(run.next_wake() == Instant(1000h) + 50s);
  CHECK(run.kill_in() == 60s);
}

TEST_CASE("an agent that is told last is looked at every 25 ms, in an episode") {
  Run run(with_grace(60s));
  run.started().at(0s).gets(SIGUSR1);
  CHECK(run.relayed(true, false, true) == "");
  CHECK(run.at(24ms).wakes() == "");
  CHECK(run.at(25ms).wakes() == "AGENTS");
  CHECK(run.agents(true) == "");
  CHECK(run.at(50ms).wakes() == "AGENTS");
  CHECK(run.agents(false) == "");
  CHECK(run.at(10s).wakes() == "");
}

TEST_CASE("an agent whose script has ended is looked at all the same") {
  Run run(with_grace(60s));
  run.started().at(0s).gets(SIGUSR1);
  run.relayed(true, false, true);
  CHECK(run.at(1ms).ends(0) == "LOOK");
  run.sees(2, 1);
  CHECK(run.at(25ms).wakes() == "AGENTS, LOOK");
}
