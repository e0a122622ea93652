// Notices that nobody sends: --notice-after, --notice-before-end.
#include <doctest/doctest.h>

#include "told_run.hpp"

using namespace pw;
using namespace std::chrono_literals;

namespace {

event::NoticeGiven job_end(Run& run, Nanos kill_in) {
  return {.source = NoticeSource::job_end,
          .as = SIGUSR1,
          .told = Deadline{run.now() + kill_in, Certainty::guess, DeadlineSource::slurmctld}};
}
Policy in_slurm() {
  Policy policy;
  policy.schedule.in_slurm = true;
  return policy;
}

}  // namespace

TEST_CASE("our own time limit leaves 60 s, or what --grace says") {
  Run run(in_slurm());
  run.started().at(10s);
  CHECK(run.happen(own_limit()) == "RELAY USR1, relayed");
  CHECK(run.kill_in() == 60s);
  CHECK(run.facts().in_episode);
  Policy policy;
  policy.ladder.grace = 5min;
  Run longer(policy);
  longer.started().at(10s);
  longer.happen(own_limit());
  CHECK(longer.kill_in() == 5min);
}

TEST_CASE("an end of Slurm's that comes before is heeded, a later one is not") {
  Run run(in_slurm());
  run.started().at(10s);
  run.happen(own_limit());
  run.learns_end(2h);
  CHECK(run.kill_in() == 60s);
  run.learns_fact(30s);
  CHECK(run.kill_in() == 28s);
}

TEST_CASE("before the job's end: up to Slurm's SIGKILL") {
  Run run(in_slurm());
  run.started().at(10s);
  CHECK(run.happen(job_end(run, 120s)) == "RELAY USR1, relayed");
  CHECK(run.kill_in() == 118s);
  CHECK(run.gets(SIGUSR1) == "covered");
  CHECK(run.gets(SIGTERM) == "covered");
}

TEST_CASE("before an end that has been moved away: advice, and no clock") {
  Run run(in_slurm());
  run.started().at(10s);
  run.happen(job_end(run, 120s));
  run.at(11s).happen(
      event::DeadlineLearned{{run.now() + 5h, Certainty::fact, DeadlineSource::slurmctld}, false});
  CHECK(run.phase() == Phase::running);
  CHECK(run.at(20s).gets(SIGTERM) == "RELAY TERM, relayed");
}

TEST_CASE("what srun does not forward becomes USR1") {
  Policy policy;
  policy.withheld = {SIGHUP};
  Run run(policy);
  run.started().at(10s);
  CHECK(run.happen(event::NoticeGiven{NoticeSource::own_limit, SIGHUP, {}, Nanos(60s)}) ==
        "RELAY USR1, relayed");
}

TEST_CASE("far before it: advice") {
  Run run(in_slurm());
  run.started().at(10s);
  CHECK(run.happen(job_end(run, 2h)) == "RELAY USR1, advice");
  CHECK(run.facts().advised.contains(SIGUSR1));
}

TEST_CASE("the user's word on the lead stands") {
  Policy policy = in_slurm();
  policy.schedule.lead = 40s;
  Run run(policy);
  run.started().at(10s);
  run.happen(job_end(run, 120s));
  CHECK(run.kill_in() == 38s);
  policy.schedule.lead.reset();
  policy.schedule.deadline_known = false;
  Run none(policy);
  none.started().at(10s);
  none.happen(job_end(none, 120s));
  CHECK(none.kill_in() < 0s);
}

TEST_CASE("within an episode, after the trainer's end, before the start") {
  Run told(in_slurm());
  told.started().at(10s);
  told.gets(SIGUSR1);
  CHECK(told.at(20s).happen(own_limit()) == "covered");
  Run ended(in_slurm());
  ended.started().at(10s);
  ended.ends(0);
  CHECK(ended.happen(own_limit()) == "too-late");
  Run waits(in_slurm());
  waits.waiting().at(10s);
  CHECK(waits.happen(job_end(waits, 30s)) == "forestalled, FINISH");
  CHECK(waits.facts().ending == Ending{Ending::Kind::never_started, SIGTERM});  // 143
}

TEST_CASE("the same USR1 as advice just before covers no notice of ours") {
  Policy policy = in_slurm();
  policy.schedule.lead = 2h;
  Run run(policy);
  run.started().at(10s);
  CHECK(run.gets(SIGUSR1) == "RELAY USR1, advice");
  CHECK(run.at(12s).happen(own_limit()) == "RELAY USR1, relayed");
}

TEST_CASE("a limit of ours outlasts a notice that turns into advice") {
  Policy policy;
  policy.schedule.in_slurm = true;
  Run run(policy);
  run.started().at(10s).gets(SIGUSR1);
  CHECK(run.at(11s).happen(own_limit()) == "covered");
  CHECK(run.at(12s).learns_fact(2h) == "RELAY USR1, relayed");
  CHECK(run.kill_in() == 60s);
}
