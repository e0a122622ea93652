#include "core/deadline.hpp"

#include <doctest/doctest.h>

using namespace pw;
using namespace std::chrono_literals;

namespace {

Instant at(Nanos after) { return Instant(1000h) + after; }

}  // namespace

TEST_CASE("what a signal tells of the end") {
  const Schedule elsewhere;
  const Schedule slurm{.in_slurm = true};
  const Schedule ending{.in_slurm = true, .job_end = at(90s)};
  const Schedule graceful{.in_slurm = true, .grace_time = 60s};
  const Schedule by_qos{.in_slurm = true, .grace_time = std::nullopt};
  const Schedule past{.in_slurm = true, .job_end = at(-60s)};
  const Schedule absurd{.in_slurm = true, .job_end = at(24h * 400)};
  const Schedule short_wait{.in_slurm = true, .kill_wait = 1s};
  const Schedule lead{.in_slurm = true, .lead = 90s, .job_end = at(5s)};
  const Schedule none{.in_slurm = true, .deadline_known = false, .job_end = at(90s)};
  struct Row {
    const char* fact;
    const Schedule& schedule;
    Signal signal;
    std::optional<Nanos> want;
  };
  const Row rows[] = {
      {"outside Slurm nothing is known", elsewhere, SIGTERM, {}},
      {"USR1 in Slurm 22.05 says nothing of the end", slurm, SIGUSR1, {}},
      {"TERM counts KillWait", slurm, SIGTERM, 29700ms},
      {"GraceTime may be ahead of it", graceful, SIGTERM, 89700ms},
      {"GraceTime that is not known: no deadline of ours", by_qos, SIGTERM, {}},
      {"KillWait below 5 s counts as 5 s", short_wait, SIGTERM, 4700ms},
      {"KILL comes KillWait after the end", ending, SIGUSR1, 119700ms},
      {"of two guesses the nearer counts", ending, SIGTERM, 29700ms},
      {"a past end is no deadline", past, SIGUSR1, {}},
      {"an absurd end is no deadline", absurd, SIGUSR1, {}},
      {"--lead is a fact and beats the guesses", lead, SIGUSR1, 90s},
      {"--lead none: no deadline at all", none, SIGTERM, {}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.fact);
    const auto told = deadline_told_by(row.schedule, row.signal, at(0s));
    CHECK(told.has_value() == row.want.has_value());
    if (told && row.want) CHECK(told->at - at(0s) == *row.want);
  }
}

TEST_CASE("a fact beats a guess either way; of two alike the nearer counts") {
  const Deadline near_guess{at(10s), Certainty::guess, DeadlineSource::kill_wait};
  const Deadline far_guess{at(90s), Certainty::guess, DeadlineSource::job_end};
  const Deadline near_fact{at(20s), Certainty::fact, DeadlineSource::lead};
  const Deadline far_fact{at(60s), Certainty::fact, DeadlineSource::lead};
  CHECK(prevailing({}, far_guess) == far_guess);
  CHECK(prevailing(far_guess, near_guess) == near_guess);
  CHECK(prevailing(near_guess, far_guess) == near_guess);
  CHECK(prevailing(near_guess, far_fact) == far_fact);
  CHECK(prevailing(far_fact, near_guess) == far_fact);
  CHECK(prevailing(far_fact, near_fact) == near_fact);
  CHECK(prevailing(near_fact, far_fact) == near_fact);
}

TEST_CASE("the margin is at most a quarter of what is left") {
  const auto done = [](Nanos left) {
    return done_by({at(left), Certainty::fact, DeadlineSource::lead}, 2s, at(0s)) - at(0s);
  };
  CHECK(done(90s) == 88s);
  CHECK(done(8s) == 6s);
  CHECK(done(4s) == 3s);
  CHECK(done(0s) == 0s);
  CHECK(done(-5s) == -5s);
}
