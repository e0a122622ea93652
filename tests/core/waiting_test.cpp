// Start control: the phase in which a run waits for its time to start.
#include <doctest/doctest.h>

#include "told_run.hpp"

using namespace pw;
using namespace std::chrono_literals;

TEST_CASE("what a signal does to a run that waits") {
  struct Row {
    Signal signal;
    Cause cause;
    SignalSet notices;
    const char* want;
  };
  const SignalSet usual = Policy{}.notices;
  const Row rows[] = {
      {SIGUSR1, Cause::sent, usual, "forestalled, FINISH"},
      {SIGTERM, Cause::sent, usual, "forestalled, FINISH"},
      {SIGINT, Cause::sent, usual, "forestalled, FINISH"},
      // No notice, but it ends a process.
      {SIGHUP, Cause::sent, usual, "forestalled, FINISH"},
      {SIGQUIT, Cause::sent, usual, "forestalled, FINISH"},
      {SIGALRM, Cause::sent, usual, "forestalled, FINISH"},
      {SIGPIPE, Cause::sent, usual, "forestalled, FINISH"},
      {SIGXCPU, Cause::sent, usual, "forestalled, FINISH"},
      {SIGPWR, Cause::sent, usual, "forestalled, FINISH"},
      {kRtMin, Cause::sent, usual, "forestalled, FINISH"},
      {kRtMax, Cause::sent, usual, "forestalled, FINISH"},
      {SIGTERM, Cause::sent, {}, "forestalled, FINISH"},
      {SIGUSR1, Cause::sent, {SIGTERM}, "forestalled, FINISH"},
      // These do not.
      {SIGCONT, Cause::sent, usual, "kept"},
      {SIGWINCH, Cause::sent, usual, "kept"},
      {SIGURG, Cause::sent, usual, "kept"},
      {SIGTSTP, Cause::sent, usual, "kept"},
      {SIGTTIN, Cause::sent, usual, "kept"},
      {SIGPIPE, Cause::ourselves, usual, "ignored"},
      // At a terminal.
      {SIGINT, Cause::typed, usual, "forestalled, FINISH"},
      {SIGQUIT, Cause::typed, usual, "forestalled, FINISH"},
      {SIGHUP, Cause::typed, usual, "forestalled, FINISH"},
      {SIGINT, Cause::typed, {}, "forestalled, FINISH"},
      {SIGCONT, Cause::typed, usual, "typed"},
      {SIGWINCH, Cause::typed, usual, "typed"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.signal);
    Policy policy;
    policy.notices = row.notices;
    Run run(policy);
    CHECK(run.waiting().at(42s).gets(row.signal, row.cause) == row.want);
    const bool over = run.phase() == Phase::done;
    CHECK(over == (std::string(row.want) == "forestalled, FINISH"));
    if (over) CHECK(run.facts().ending == Ending{Ending::Kind::never_started, row.signal});
    if (over) CHECK(run.facts().typed.contains(row.signal) == (row.cause == Cause::typed));
  }
}

TEST_CASE("what --map-signal drops ends no wait") {
  Policy policy;
  policy.signal_map = {{SIGUSR1, 0}, {SIGHUP, 0}, {SIGUSR2, SIGTERM}};
  Run run(policy);
  run.waiting();
  CHECK(run.gets(SIGUSR1) == "dropped");
  CHECK(run.gets(SIGHUP) == "dropped");
  CHECK(run.phase() == Phase::waiting);
  CHECK(run.gets(SIGUSR2) == "forestalled, FINISH");
}

TEST_CASE("what a launcher must not get ends the wait in front of it, but is not given to it") {
  Policy policy;
  policy.withheld = {SIGHUP, SIGINT};
  CHECK(Run(policy).waiting().gets(SIGHUP) == "forestalled, FINISH");
  CHECK(Run(policy).waiting().gets(SIGINT) == "forestalled, FINISH");
  CHECK(Run(policy).started().gets(SIGHUP) == "dropped");
  CHECK(Run(policy).started().gets(SIGINT) == "dropped");
  policy.signal_map = {{SIGHUP, SIGUSR1}};
  CHECK(Run(policy).started().gets(SIGHUP) == "PASS USR1, passed");
}

TEST_CASE("an end that is far away is kept as advice, and nothing is done while it waits") {
  Policy policy;
  policy.schedule.lead = 2h;
  Run run(policy);
  run.waiting();
  CHECK(run.at(1s).gets(SIGUSR1) == "kept");
  CHECK(run.gets(SIGWINCH) == "kept");
  CHECK_FALSE(run.next_wake());
  CHECK(run.at(5min).waited().phase() == Phase::starting);
  CHECK(run.starts() == "RELAY USR1, advice, PASS WINCH, passed");
}

TEST_CASE("after the wait only a notice forestalls the start") {
  Run run;
  run.waiting().waited();
  CHECK(run.gets(SIGHUP) == "kept");
  CHECK(run.gets(SIGUSR1) == "forestalled, FINISH");
}
