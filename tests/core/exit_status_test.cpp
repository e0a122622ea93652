#include "core/exit_status.hpp"

#include <doctest/doctest.h>

using namespace pw;

namespace {

constexpr Ending exited(int code) { return {Ending::Kind::exited, code}; }
constexpr Ending died(Signal signal) { return {Ending::Kind::signalled, signal}; }
constexpr Ending forestalled(Signal signal) { return {Ending::Kind::never_started, signal}; }

}  // namespace

TEST_CASE("the exit status tells how it ended") {
  const SignalSet usr1{SIGUSR1};
  const SignalSet typed{SIGINT};
  struct Row {
    const char* fact;
    RunFacts facts;
    std::optional<int> exit_preempted;
    ZeroMeans zero;
    int status;
    Signal die_of;
    Outcome outcome;
  };
  const auto done = ZeroMeans::done;
  const auto saved = ZeroMeans::preempted;
  const Row rows[] = {
      {"0 is 0", {exited(0)}, {}, done, 0, 0, Outcome::finished},
      {"its own code", {exited(3)}, {}, done, 3, 0, Outcome::failed},
      {"died of KILL", {died(SIGKILL)}, {}, done, 137, 0, Outcome::killed},
      {"128+n in an episode", {exited(138), true, true}, {}, done, 138, 0, Outcome::preempted},
      {"any code in an episode", {exited(1), true, true}, {}, done, 1, 0, Outcome::preempted},
      {"128+n after advice",
       {exited(138), false, true, usr1},
       {},
       done,
       138,
       0,
       Outcome::preempted},
      {"another code after advice",
       {exited(1), false, true, usr1},
       {},
       done,
       1,
       0,
       Outcome::failed},
      {"0 in an episode is done", {exited(0), true, true}, {}, done, 0, 0, Outcome::finished},
      {"0 means saved", {exited(0), true, true}, {}, saved, 0, 0, Outcome::preempted},
      {"--exit-preempted 85", {exited(0), true, true}, 85, saved, 85, 0, Outcome::preempted},
      {"... and only for 0", {exited(7), true, true}, 85, saved, 7, 0, Outcome::preempted},
      {"... not when the work is done",
       {exited(0), true, true, {}, {}, true},
       85,
       saved,
       0,
       0,
       Outcome::finished},
      {"... not when nobody was told",
       {exited(0), true, false},
       85,
       saved,
       0,
       0,
       Outcome::finished},
      {"... not outside an episode", {exited(0)}, 85, saved, 0, 0, Outcome::finished},
      {"never started", {forestalled(SIGUSR1)}, {}, done, 138, 0, Outcome::preempted},
      {"Ctrl-C: die of it",
       {died(SIGINT), false, false, {}, typed},
       {},
       done,
       130,
       SIGINT,
       Outcome::killed},
      {"an INT that was sent", {died(SIGINT), true, true}, {}, done, 130, 0, Outcome::preempted},
      {"Ctrl-C, handled",
       {exited(130), false, false, {}, typed},
       {},
       done,
       130,
       0,
       Outcome::failed},
  };
  for (const Row& row : rows) {
    CAPTURE(row.fact);
    const ExitStatus status = decide_exit_status(row.facts, row.exit_preempted, row.zero);
    CHECK(status.status == row.status);
    CHECK(status.die_of == row.die_of);
    CHECK(status.outcome == row.outcome);
  }
}
