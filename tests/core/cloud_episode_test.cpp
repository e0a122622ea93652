// What a cloud announces, and takes back.
#include <doctest/doctest.h>

#include "told_run.hpp"

using namespace pw;
using namespace std::chrono_literals;

TEST_CASE("a cloud's notice: the machine's end is a fact, the ladder fits into it") {
  Run run(Policy{});
  run.started().at(10s);
  CHECK(run.happen(of_cloud(run, 120s)) == "RELAY USR1, relayed");
  CHECK(run.kill_in() == 118s);
  Run google(Policy{});
  google.started().at(10s);
  google.happen(of_cloud(google, 30s));
  CHECK(google.kill_in() == 28s);
}

TEST_CASE("a second one only shortens") {
  Run run(Policy{});
  run.started().at(10s);
  run.happen(of_cloud(run, 120s));
  run.at(20s).happen(of_cloud(run, 300s));
  CHECK(run.kill_in() == 108s);
  run.happen(of_cloud(run, 30s));
  CHECK(run.kill_in() == 28s);
}

TEST_CASE("where nobody need end the trainer is told, and no clock runs") {
  Run run(Policy{});
  run.started().at(10s);
  CHECK(run.happen(of_cloud(run, {})) == "RELAY USR1, advice");
  CHECK(run.phase() == Phase::running);
  CHECK(run.at(20s).happen(of_cloud(run, 120s)) == "RELAY USR1, relayed");
  CHECK(run.happen(of_cloud(run, {})).empty());
}

TEST_CASE("before the start it is forestalled, advice is not") {
  Run run(Policy{});
  run.happen(event::WaitBegan{});
  CHECK(run.happen(of_cloud(run, {})) == "kept");
  CHECK(run.happen(of_cloud(run, 120s)) == "forestalled, FINISH");
}

TEST_CASE("withdrawn: the episode is over, nobody is killed, and the next notice is a new one") {
  Run run(Policy{});
  run.started().at(10s);
  run.happen(of_cloud(run, 120s));
  CHECK(run.at(20s).happen(event::NoticeWithdrawn{}).empty());
  CHECK(run.phase() == Phase::running);
  CHECK_FALSE(run.next_wake());
  CHECK(run.at(21s).gets(SIGUSR1) == "RELAY USR1, relayed");
  CHECK(run.kill_in() == 60s);  // its own clock
}

TEST_CASE("withdrawn: who leaves before the end that was named was preempted") {
  for (const auto& [when, preempted] : {std::pair{119s, true}, std::pair{131s, false}}) {
    Run run(Policy{});
    run.started().at(10s);
    run.happen(of_cloud(run, 120s));
    run.relayed(true, false);
    run.at(20s).happen(event::NoticeWithdrawn{});
    run.at(when).ends(0);
    CHECK(run.facts().in_episode == preempted);
  }
}

TEST_CASE("withdrawn and announced again: told again, with the new end") {
  Run run(Policy{});
  run.started().at(10s);
  run.happen(of_cloud(run, 120s));
  run.at(20s).happen(event::NoticeWithdrawn{});
  CHECK(run.at(21s).happen(of_cloud(run, 60s)) == "RELAY USR1, relayed");
  CHECK(run.kill_in() == 58s);
  CHECK(run.at(21s + 58s).wakes().find("KILL") != std::string::npos);
}

TEST_CASE("withdrawn: an episode that others ask for, too, goes on by their clock") {
  for (const Signal signal : {SIGUSR1, SIGUSR2, SIGTERM}) {
    Run run(Policy{});
    run.started().at(10s);
    run.happen(of_cloud(run, 120s));
    CHECK(run.at(12s).gets(signal) == "covered");
    const char* const told = signal == SIGTERM ? "RELAY TERM, relayed" : "";
    CHECK(run.at(20s).happen(event::NoticeWithdrawn{}) == told);
    CHECK(run.phase() == Phase::draining);
    CHECK(run.kill_in() == 52s);
  }
  Run limit(Policy{});
  limit.started().at(10s);
  limit.happen(of_cloud(limit, 120s));
  CHECK(limit.at(12s).happen(own_limit()) == "covered");
  CHECK(limit.at(20s).happen(event::NoticeWithdrawn{}).empty());
  CHECK(limit.kill_in() == 52s);
}

TEST_CASE("withdrawn when the time of others has passed: a last moment is left") {
  Run run(Policy{});
  run.started().at(10s);
  run.happen(of_cloud(run, 120s));
  run.at(11s).gets(SIGTERM);
  run.at(100s).happen(event::NoticeWithdrawn{});
  CHECK(run.kill_in() == 10s);
}

TEST_CASE("withdrawn: SIGKILL is ten seconds away, or where it was") {
  Run run(Policy{});
  run.started().at(10s).gets(SIGTERM);
  run.at(11s).happen(of_cloud(run, 120s));
  run.at(90s).happen(event::NoticeWithdrawn{});
  CHECK(run.kill_in() == 10s);
  Run soon(Policy{});
  soon.started().at(10s).gets(SIGTERM);
  soon.at(11s).happen(of_cloud(soon, 60s));
  soon.at(65s).happen(event::NoticeWithdrawn{});
  CHECK(soon.kill_in() == 5s);
}

TEST_CASE("withdrawn: --lead counts from others' word, also in what slurmctld says") {
  Policy policy;
  policy.schedule.in_slurm = true;
  policy.schedule.lead = 120s;
  Run run(policy);
  run.started().at(0s);
  run.happen(of_cloud(run, 300s));
  run.learns_end(5h);
  run.at(100s).gets(SIGUSR1);
  run.at(110s).happen(event::NoticeWithdrawn{});
  CHECK(run.kill_in() == 108s);
}

TEST_CASE("withdrawn: a cancelled run has the time of a cancel") {
  Policy policy;
  policy.ladder.grace = 10min;
  Run run(policy);
  run.started().at(10s).happen(event::Cancelled{});
  run.at(15s).happen(of_cloud(run, 30s));
  CHECK(run.kill_in() == 28s);
  run.at(20s).happen(event::NoticeWithdrawn{});
  CHECK(run.kill_in() == 10min - 10s);
}

TEST_CASE("withdrawn by one of two: a hung trainer is still ended for the other's notice") {
  Policy policy;
  policy.watchdog = 30s;
  Run run(policy);
  run.started().at(1s).happen(event::Reported{});
  run.at(31s).wakes();
  run.at(32s).happen(of_cloud(run, 20s));
  run.happen(
      event::NoticeWithdrawn{Deadline{run.now() + 20s, Certainty::fact, DeadlineSource::cloud}});
  CHECK_FALSE(run.hung());
}

TEST_CASE(
    "withdrawn, and the trainer has left: who is left has an end where no deadline is believed") {
  Policy policy;
  policy.schedule = {.in_slurm = true, .deadline_known = false};
  Run run(policy);
  run.started().at(10s);
  run.happen(of_cloud(run, 60s));
  run.relayed(true, false);
  run.at(12s).happen(event::NoticeWithdrawn{});
  run.at(13s).ends(138);
  run.sees(1, 0);
  CHECK(run.kill_in() == 57s);
}

TEST_CASE("a cancelled run is ended, however far Slurm's end is") {
  Policy policy;
  policy.schedule.in_slurm = true;
  Run run(policy);
  run.started().at(10s).gets(SIGUSR1);
  run.happen(event::Cancelled{});
  run.learns_fact(5h);
  CHECK(run.phase() == Phase::draining);
}

TEST_CASE("withdrawn: an end that is known to be far leaves advice") {
  Policy policy;
  policy.schedule.in_slurm = true;
  Run run(policy);
  run.started().at(10s).gets(SIGUSR1);
  run.at(11s).happen(of_cloud(run, 120s));
  run.at(12s).learns_fact(5h);
  CHECK(run.phase() == Phase::draining);
  CHECK(run.at(13s).happen(event::NoticeWithdrawn{}).empty());
  CHECK(run.phase() == Phase::running);
}

TEST_CASE("withdrawn: who saves in silence is not hung") {
  Policy policy;
  policy.watchdog = 6s;
  Run run(policy);
  run.started().at(1s).happen(event::Reported{});
  run.happen(of_cloud(run, 60s));
  run.relayed(true, false);
  run.at(3s).happen(event::NoticeWithdrawn{});
  CHECK(run.at(9s).wakes().empty());
  CHECK(run.at(58s).wakes().empty());
  CHECK(run.at(64s).wakes() == "RELAY TERM, HUNG");
}

TEST_CASE("withdrawn: who reports again is watched again") {
  Policy policy;
  policy.watchdog = 6s;
  Run run(policy);
  run.started().at(1s).happen(event::Reported{});
  run.happen(of_cloud(run, 60s));
  run.relayed(true, false);
  run.at(3s).happen(event::NoticeWithdrawn{});
  run.at(4s).happen(event::Reported{});
  CHECK(run.at(10s).wakes() == "RELAY TERM, HUNG");
}

TEST_CASE("withdrawn: the end that a scheduler has told of stays where it was") {
  Policy policy;
  policy.schedule.lead = 14s;
  Run run(policy);
  run.started().at(10s);
  run.happen(of_cloud(run, 10s));
  CHECK(run.at(14s).gets(SIGUSR1) == "covered");
  run.at(18s).happen(event::NoticeWithdrawn{});
  CHECK(run.kill_in() == 8s);  // 14 s after the USR1, less the margin
}

TEST_CASE("withdrawn: what it has hurried has its own time again") {
  Policy policy;
  policy.ladder.grace = 5min;
  Run run(policy);
  run.started().at(10s).gets(SIGUSR1);
  run.at(11s).happen(of_cloud(run, 12s));
  CHECK(run.kill_in() == 10s);
  CHECK(run.at(13s).happen(event::NoticeWithdrawn{}).empty());
  CHECK(run.kill_in() == 5min - 3s);
}

TEST_CASE("withdrawn: a hung trainer is a hung one again") {
  Policy policy;
  policy.watchdog = 30s;
  Run run(policy);
  run.started().at(1s).happen(event::Reported{});
  CHECK(run.at(31s).wakes() == "RELAY TERM, HUNG");
  run.at(32s).happen(of_cloud(run, 20s));
  CHECK(run.kill_in() == 18s);
  run.at(33s).happen(event::NoticeWithdrawn{});
  CHECK(run.kill_in() == 58s);
  run.ends(143);
  CHECK_FALSE(run.facts().in_episode);
}

TEST_CASE("withdrawn: a TERM that had taken its place is another's") {
  Policy policy;
  policy.ladder.grace = 8s;
  Run run(policy);
  run.started().at(10s);
  run.happen(of_cloud(run, 40s));
  run.relayed(false, true);
  CHECK(run.at(11s).gets(SIGTERM) == "RELAY TERM, relayed");
  CHECK(run.at(12s).happen(event::NoticeWithdrawn{}).empty());
  CHECK(run.kill_in() == 7s);
}

TEST_CASE("withdrawn where no deadline is believed, it has no clock, either") {
  Policy policy;
  policy.schedule.deadline_known = false;
  Run run(policy);
  run.started().at(10s);
  run.happen(of_cloud(run, 40s));
  CHECK(run.kill_in() == 60s);
  run.at(12s).happen(event::NoticeWithdrawn{});
  CHECK_FALSE(run.next_wake());
}

TEST_CASE("withdrawn: the later of two ends that were named counts") {
  Run run(Policy{});
  run.started().at(10s);
  for (const Nanos end : {60s, 4s}) {
    run.happen(of_cloud(run, end));
    run.relayed(true, false);
    run.happen(event::NoticeWithdrawn{});
  }
  run.at(20s).ends(0);
  CHECK(run.facts().in_episode);
}

TEST_CASE("withdrawn before anybody was told, nobody was preempted") {
  Run run(Policy{});
  run.started().at(10s);
  run.happen(of_cloud(run, 60s));
  run.relayed(false, true);
  run.at(12s).happen(event::NoticeWithdrawn{});
  run.at(13s).ends(1);
  CHECK_FALSE(run.facts().in_episode);
}

TEST_CASE("withdrawn: whoever was told may save, though the trainer has left") {
  Run run(Policy{});
  run.started().at(10s);
  run.happen(of_cloud(run, 60s));
  run.relayed(true, false);
  run.at(12s).happen(event::NoticeWithdrawn{});
  CHECK(run.at(13s).ends(138) == "LOOK");
  CHECK(run.sees(1, 1).empty());
  CHECK(run.kill_in() == 55s);  // by the end that was named
  CHECK(run.at(14s).wakes() == "LOOK");
  CHECK(run.sees(0, 0) == "FINISH");
  CHECK(run.facts().in_episode);
}

TEST_CASE("withdrawn: what it was given is known of a slow save") {
  Run run(Policy{});
  run.started().at(10s);
  run.happen(of_cloud(run, 20s));
  run.relayed(true, false);
  CHECK(run.at(24s).wakes() == "CLIMB TERM");
  run.happen(event::NoticeWithdrawn{});
  run.at(60s).ends(143);
  CHECK_FALSE(run.facts().in_episode);
  CHECK(run.facts().advised.contains(SIGUSR1));
  CHECK(run.facts().advised.contains(SIGTERM));
}

TEST_CASE("withdrawn by one of two watchers: the other's end counts, which may be the later one") {
  Run run(Policy{});
  run.started().at(10s);
  run.happen(of_cloud(run, 30s));
  run.happen(of_cloud(run, 120s));
  CHECK(run.kill_in() == 28s);
  const Deadline stands{run.now() + 120s, Certainty::fact, DeadlineSource::cloud};
  CHECK(run.happen(event::NoticeWithdrawn{stands}).empty());
  CHECK(run.phase() == Phase::draining);
  CHECK(run.kill_in() == 118s);
  CHECK(run.at(20s).happen(event::NoticeWithdrawn{}).empty());
  CHECK(run.phase() == Phase::running);
}

TEST_CASE("advice before the start is the trainer's, once it runs") {
  Run run(Policy{});
  run.waiting();
  CHECK(run.happen(of_cloud(run, {})) == "kept");
  CHECK(run.waited().starts() == "RELAY USR1, advice");
  CHECK(run.phase() == Phase::running);
}

TEST_CASE("a cancelled run is stopped, whatever is withdrawn") {
  Run before(Policy{});
  before.started().at(10s);
  before.happen(of_cloud(before, 120s));
  before.happen(event::Cancelled{});
  CHECK(before.at(20s).happen(event::NoticeWithdrawn{}).empty());
  CHECK(before.kill_in() == 50s);  // a minute after the cancel
  Run after(Policy{});
  after.started().at(10s);
  after.happen(of_cloud(after, 120s));
  after.at(20s).happen(event::NoticeWithdrawn{});
  CHECK(after.at(21s).happen(event::Cancelled{}) == "RELAY TERM");
  CHECK(after.kill_in() == 60s);
}

TEST_CASE("a withdrawal takes no signal's clock away") {
  Policy policy;
  policy.ladder.grace = 60s;
  Run run(policy);
  run.started().at(10s);
  run.gets(SIGTERM);
  run.happen(of_cloud(run, 30s));
  run.at(20s).happen(event::NoticeWithdrawn{});
  CHECK(run.at(500s).wakes().find("KILL") != std::string::npos);
}
