#include "core/supervision.hpp"

#include <doctest/doctest.h>

#include "told_run.hpp"
using namespace pw;
using namespace std::chrono_literals;

namespace {

Policy in_slurm() {
  Policy policy;
  policy.schedule.in_slurm = true;
  return policy;
}

Policy with_grace(Nanos grace) {
  Policy policy;
  policy.ladder.grace = grace;
  return policy;
}

}  // namespace

TEST_CASE("a notice is relayed once and the ladder is climbed to the end") {
  Run run(with_grace(60s));
  run.started();
  CHECK(run.at(10s).gets(SIGUSR1) == "RELAY USR1, relayed");
  CHECK(run.kill_in() == 60s);
  CHECK(run.at(59999ms).wakes() == "");
  CHECK(run.at(60s).wakes() == "CLIMB TERM");
  CHECK(run.at(69999ms).wakes() == "");
  CHECK(run.at(70s).wakes() == "KILL");
  CHECK(run.sees(0, 3) == "");
  CHECK(run.at(70001ms).ends(137) == "KILL");
  CHECK(run.sees(0, 0) == "FINISH");
  CHECK(run.facts().in_episode);
}

TEST_CASE("repeats of section 4: what a later notice in the same episode does") {
  struct Row {
    Signal first, second;
    const char* want;
  };
  const Row rows[] = {{SIGUSR1, SIGUSR1, "covered"}, {SIGUSR1, SIGTERM, "covered"},
                      {SIGTERM, SIGUSR1, "covered"}, {SIGTERM, SIGTERM, "covered"},
                      {SIGUSR2, SIGUSR1, "covered"}, {SIGINT, SIGTERM, "covered"}};
  for (const Row& row : rows) {
    Run run(with_grace(60s));
    run.started().at(0s).gets(row.first);
    CHECK(run.at(20s).gets(row.second) == row.want);
    CHECK(run.kill_in() == 40s);  // no clock restarted
  }
}

TEST_CASE("TERM after USR1 was dropped is relayed, and starts the clock") {
  Policy policy = with_grace(60s);
  policy.signal_map = {{SIGUSR1, 0}};
  Run run(policy);
  CHECK(run.started().at(0s).gets(SIGUSR1) == "dropped");
  CHECK(run.kill_in() == -1ns);
  CHECK(run.at(20s).gets(SIGTERM) == "RELAY TERM, relayed");
  CHECK(run.kill_in() == 60s);
}

TEST_CASE("a mapped notice is what its new signal is: TERM has no TERM rung after it") {
  Policy policy = with_grace(60s);
  policy.signal_map = {{SIGUSR1, SIGTERM}};
  Run run(policy);
  CHECK(run.started().gets(SIGUSR1) == "RELAY TERM, relayed");
  CHECK(run.at(50s).wakes() == "");
  CHECK(run.at(60s).wakes() == "KILL");
}

TEST_CASE("in Slurm without a known end: no clock for USR1, KillWait for TERM") {
  Run run(in_slurm());
  CHECK(run.started().at(0s).gets(SIGUSR1) == "RELAY USR1, relayed");
  CHECK_FALSE(run.next_wake());
  CHECK(run.at(90s).gets(SIGTERM) == "covered");  // not sent: it would interrupt the save
  CHECK(run.kill_in() == 27700ms);                // 30 - 0.3 - 2
  CHECK(run.at(92s).gets(SIGTERM) == "covered");  // Slurm sends it up to three times
  CHECK(run.kill_in() == 25700ms);
}

TEST_CASE("elsewhere the grace is 60 s; a lead is counted from the notice") {
  Run elsewhere;
  elsewhere.started().at(0s).gets(SIGTERM);
  CHECK(elsewhere.kill_in() == 60s);
  Policy policy = in_slurm();
  policy.schedule.lead = 90s;
  Run lead(policy);
  lead.started().at(0s).gets(SIGUSR1);
  CHECK(lead.kill_in() == 88s);
  lead.at(60s).gets(SIGTERM);
  CHECK(lead.kill_in() == 28s);  // a guess does not shorten a fact
}

TEST_CASE("a typed INT does nothing outside an episode and climbs inside one") {
  Run run(with_grace(60s));
  CHECK(run.started().at(0s).types_interrupt() == "typed");
  CHECK(run.phase() == Phase::running);
  run.at(10s).gets(SIGUSR1);
  CHECK(run.at(11s).types_interrupt() == "typed, CLIMB TERM");
  CHECK(run.at(12s).types_interrupt() == "typed, KILL");
}

TEST_CASE("the third typed INT within 5 s is KILL, whatever the ladder has left") {
  Policy policy;
  policy.ladder = *parse_ladder("relay@60s,TERM@5s,QUIT@5s,ABRT@5s,KILL");
  Run run(policy);
  run.started().at(0s).gets(SIGUSR1);
  CHECK(run.at(1s).types_interrupt() == "typed, CLIMB TERM");
  CHECK(run.at(2s).types_interrupt() == "typed, CLIMB QUIT");
  CHECK(run.at(3s).types_interrupt() == "typed, KILL");
  Run slow(policy);
  slow.started().at(0s).gets(SIGUSR1);
  slow.at(1s).types_interrupt();
  slow.at(8s).types_interrupt();
  CHECK(slow.at(15s).types_interrupt() == "typed, CLIMB ABRT");
}

TEST_CASE("what we caused ourselves and what is no notice") {
  Run run;
  run.started();
  CHECK(run.gets(SIGPIPE, Cause::ourselves) == "ignored");
  CHECK(run.gets(SIGHUP) == "PASS HUP, passed");
  CHECK(run.phase() == Phase::running);
}

TEST_CASE("before the start: a notice forestalls it, another signal is kept for the trainer") {
  Run run;
  CHECK(run.gets(SIGHUP) == "kept");
  CHECK(run.started().phase() == Phase::running);
  Run forestalled;
  CHECK(forestalled.gets(SIGUSR1) == "forestalled, FINISH");
  CHECK(forestalled.facts().ending == Ending{Ending::Kind::never_started, SIGUSR1});
  Run typed;
  CHECK(typed.types_interrupt() == "forestalled, FINISH");
  CHECK(typed.facts().typed.contains(SIGINT));
}

TEST_CASE("a notice with the end far away is advice, and judged anew next time") {
  Policy policy = in_slurm();
  policy.schedule.job_end = Instant(1000h) + 2h;
  Run run(policy);
  run.started();
  CHECK(run.at(0s).gets(SIGUSR1) == "RELAY USR1, advice");
  CHECK(run.phase() == Phase::running);
  CHECK_FALSE(run.next_wake());
  CHECK(run.at(4s).gets(SIGUSR1) == "covered");  // within 5 s: the same one
  CHECK(run.at(6s).gets(SIGUSR1) == "RELAY USR1, advice");
  CHECK(run.at(100min).gets(SIGUSR1) == "RELAY USR1, relayed");
  CHECK(run.phase() == Phase::draining);
}

TEST_CASE("the launcher dies while ranks save: the ladder goes on for those, then stragglers") {
  Run run(with_grace(60s));
  run.started().at(0s).gets(SIGUSR1);
  CHECK(run.at(1s).ends(138) == "LOOK");
  CHECK(run.sees(4, 1) == "");
  CHECK(run.phase() == Phase::draining);
  CHECK(run.at(50s).wakes() == "CLIMB TERM, LOOK");
  CHECK(run.sees(2, 1) == "");
  CHECK(run.at(55s).wakes() == "LOOK");
  CHECK(run.sees(0, 1) == "STRAGGLERS");
  CHECK(run.sees(0, 0) == "FINISH");
  CHECK(run.facts().in_episode);
}

TEST_CASE("the ranks do not end: KILL at the KILL instant, not earlier") {
  Run run(with_grace(60s));
  run.started().at(0s).gets(SIGUSR1);
  run.at(1s).ends(138);
  run.sees(4, 0);
  CHECK(run.at(50s).wakes() == "CLIMB TERM, LOOK");
  CHECK(run.at(59999ms).wakes() == "LOOK");
  CHECK(run.at(60s).wakes().starts_with("KILL"));
}

TEST_CASE("stragglers after a normal end: TERM, 5 s, KILL; or left alone") {
  Run run;
  CHECK(run.started().at(0s).ends(0) == "LOOK");
  CHECK(run.sees(0, 2) == "STRAGGLERS");
  CHECK(run.at(4999ms).wakes() == "LOOK");
  CHECK(run.at(5s).wakes().starts_with("KILL"));
  CHECK(run.sees(0, 0) == "FINISH");
  Policy leave;
  leave.stragglers.reset();
  Run left(leave);
  left.started().ends(0);
  CHECK(left.sees(0, 2) == "FINISH");
}

TEST_CASE("Slurm has signalled all, and the trainer died of it before our copy came") {
  const event::SignalCame ours{.signal = SIGUSR1, .carrier = Carrier::slurm};
  Run run(in_slurm());
  run.started().at(0s).happen(event::TrainerEnded{{Ending::Kind::signalled, SIGUSR1}});
  CHECK(run.sees(0, 1) == "");  // no TERM yet
  CHECK(run.at(900ms).happen(ours) == "RELAY USR1, relayed, LOOK");
  CHECK(run.sees(1, 0) == "");
  CHECK(run.at(100s).wakes() == "LOOK");  // as long as it saves
  CHECK(run.sees(0, 0) == "FINISH");
  CHECK(run.facts().in_episode);

  Run alone(in_slurm());
  alone.started().at(0s).happen(event::TrainerEnded{{Ending::Kind::signalled, SIGUSR1}});
  CHECK(alone.sees(0, 1) == "");
  CHECK(alone.at(999ms).wakes() == "LOOK");
  CHECK(alone.at(1s).wakes() == "STRAGGLERS");
  CHECK(alone.at(1001ms).gets(SIGUSR1) == "too-late");
  CHECK(alone.at(5999ms).wakes() == "LOOK");
  CHECK(alone.at(6s).wakes().starts_with("KILL"));

  Run finished(in_slurm());
  finished.started().at(0s).ends(0);
  CHECK(finished.sees(0, 1) == "STRAGGLERS");
  CHECK(finished.at(1s).happen(ours) == "RELAY USR1, relayed, LOOK");
  CHECK_FALSE(finished.facts().in_episode);  // its own end came before
}

TEST_CASE("what KILL does not end is given up after 10 s") {
  Run run(with_grace(0s));
  CHECK(run.started().at(0s).gets(SIGTERM) == "RELAY TERM, relayed, KILL");
  CHECK(run.sees(0, 1) == "");
  CHECK(run.at(9s).wakes() == "KILL");
  CHECK(run.at(10s).wakes() == "KILL");  // one last time
  CHECK(run.sees(0, 1) == "FINISH");
}

TEST_CASE("a fact replaces a guess either way, also into advice") {
  Run run(in_slurm());
  run.started().at(0s).gets(SIGTERM);
  CHECK(run.kill_in() == 27700ms);
  run.learns_fact(100s);
  CHECK(run.kill_in() == 98s);
  run.learns_fact(200s);
  CHECK(run.kill_in() == 98s);  // facts may only shorten
  Run advice(in_slurm());
  advice.started().at(0s).gets(SIGTERM);
  advice.learns_fact(2h);
  CHECK(advice.phase() == Phase::running);
  CHECK_FALSE(advice.next_wake());
  CHECK(advice.facts().advised.contains(SIGTERM));              // who leaves for it was preempted
  CHECK(advice.at(3s).gets(SIGTERM) == "RELAY TERM, relayed");  // Slurm's own may follow
  Run saved(in_slurm());
  saved.started().at(0s).gets(SIGUSR1);
  saved.learns_fact(2h);
  CHECK(saved.at(3s).gets(SIGUSR1) == "covered");  // within 5 s it is one
  CHECK(saved.at(6s).gets(SIGUSR1) == "RELAY USR1, relayed");
  Run ended(in_slurm());
  ended.started().at(0s).gets(SIGTERM);
  ended.learns_end(2h);
  CHECK(ended.phase() == Phase::draining);
}

TEST_CASE("a TERM that an episode covered is a notice of its own when that becomes advice") {
  Run run(in_slurm());
  run.started().at(0s).gets(SIGUSR1);
  CHECK(run.at(1s).gets(SIGTERM) == "covered");
  CHECK(run.at(2s).learns_fact(24h) == "RELAY TERM, relayed");
  CHECK(run.phase() == Phase::draining);
}

TEST_CASE("slurmctld corrects itself, either way") {
  Run run(in_slurm());
  run.started().at(0s).gets(SIGUSR1);
  run.learns_end(100s);
  CHECK(run.kill_in() == 98s);
  run.learns_end(200s);
  CHECK(run.kill_in() == 198s);
  run.learns_end(50s);
  CHECK(run.kill_in() == 48s);
}

TEST_CASE("EXTEND moves the end of the rung, never past the deadline or 10 min") {
  Run run(with_grace(60s));
  run.started().at(0s).gets(SIGUSR1);
  run.at(10s).asks_for(5s);  // the rung lasts longer anyway
  CHECK(run.kill_in() == 50s);
  run.asks_for(60s);  // TERM was due at 50 s, now at 70 s
  CHECK(run.kill_in() == 70s);
  run.asks_for(1h);
  CHECK(run.kill_in() == 590s);
  Policy patient = with_grace(60s);
  patient.max_grace = 20min;
  Run longer(patient);
  longer.started().at(0s).gets(SIGUSR1);
  longer.asks_for(1h);
  CHECK(longer.kill_in() == 20min);
  Policy strict = with_grace(60s);
  strict.max_grace = 30s;  // never earlier than without being asked
  Run kept(strict);
  kept.started().at(0s).gets(SIGUSR1);
  kept.asks_for(1h);
  CHECK(kept.kill_in() == 60s);
  Policy policy = in_slurm();
  policy.schedule.lead = 90s;
  Run limited(policy);
  limited.started().at(0s).gets(SIGUSR1);
  limited.asks_for(10min);  // the deadline is the limit, not --max-grace
  CHECK(limited.kill_in() == 88s);
}

TEST_CASE("woken late, the rungs keep their lengths, but not past the deadline") {
  Run run(with_grace(60s));
  run.started().at(0s).gets(SIGUSR1);
  CHECK(run.at(300s).wakes() == "CLIMB TERM");  // due at 50 s; suspended since
  CHECK(run.kill_in() == 10s);
  Policy policy = with_grace(60s);
  policy.schedule.lead = 90s;
  Run limited(policy);
  limited.started().at(0s).gets(SIGUSR1);
  CHECK(limited.at(85s).wakes() == "CLIMB TERM");
  CHECK(limited.kill_in() == 3s);
}

TEST_CASE("a signal that Slurm gave to the trainer itself is an episode all the same") {
  Supervision machine(with_grace(60s));
  machine.step(Instant(1h), event::TrainerStarted{});
  const auto actions =
      machine.step(Instant(1h), event::SignalCame{.signal = SIGUSR1, .carrier = Carrier::slurm});
  REQUIRE(actions.size() == 2);
  CHECK(std::get<action::Relay>(actions[0]).carrier == Carrier::slurm);
  CHECK(machine.phase() == Phase::draining);
}
