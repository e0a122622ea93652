#include <doctest/doctest.h>

#include "core/supervision.hpp"

using namespace pw;
using namespace std::chrono_literals;

namespace {

// A run with --watchdog 30s that is told what happens; each verb answers with what is done.
class Watched {
 public:
  explicit Watched(Policy policy = {}) : machine_(with_watchdog(std::move(policy))) {
    happen(event::TrainerStarted{});
  }
  Watched& at(Nanos since_start) {
    now_ = Instant(1000h) + since_start;
    return *this;
  }
  std::string reports() { return happen(event::Reported{}); }
  std::string reports_hang() { return happen(event::HangReported{}); }
  std::string wakes() { return happen(event::TimeCame{}); }
  std::string gets(Signal signal) { return happen(event::SignalCame{.signal = signal}); }
  std::string ends(int code) { return happen(event::TrainerEnded{{Ending::Kind::exited, code}}); }
  std::string relayed(event::Relayed answer) { return happen(answer); }
  std::string asks_for(Nanos more) { return happen(event::GraceAsked{more}); }
  std::string learns_fact(Nanos from_now) {
    return happen(event::DeadlineLearned{{now_ + from_now, Certainty::fact, DeadlineSource::lead}});
  }
  Nanos wake_in() const { return machine_.next_wake() ? *machine_.next_wake() - now_ : Nanos(-1); }
  Nanos kill_in() const { return machine_.kill_at() ? *machine_.kill_at() - now_ : Nanos(-1); }
  Phase phase() const { return machine_.phase(); }
  bool in_episode() const { return machine_.facts().in_episode; }

 private:
  static Policy with_watchdog(Policy policy) {
    policy.watchdog = 30s;
    return policy;
  }
  // Only what matters here; all else is "other".
  std::string happen(const Event& event) {
    std::string done;
    for (const Action& action : machine_.step(now_, event)) {
      const auto* relay = std::get_if<action::Relay>(&action);
      const auto* hang = std::get_if<action::TellHang>(&action);
      const auto* judge = std::get_if<action::Judge>(&action);
      if (!done.empty()) done += " ";
      done += relay   ? "relay-" + std::to_string(relay->signal)
              : hang  ? "hung-" + std::to_string(hang->silent_for.value_or(0s) / 1s)
              : judge ? std::string(name_of(judge->verdict))
                      : "other";
    }
    return done;
  }
  Supervision machine_;
  Instant now_{1000h};
};

Policy in_slurm() {
  Policy policy;
  policy.schedule.in_slurm = true;
  return policy;
}

}  // namespace

TEST_CASE("a trainer that has never reported is not watched") {
  Watched run;
  CHECK(run.wake_in() == -1ns);
  CHECK(run.at(1h).wakes() == "");
}

TEST_CASE("each report gives it the whole time again; silence brings TERM, and the ladder runs") {
  Watched run;
  run.at(0s).reports();
  CHECK(run.wake_in() == 30s);
  run.at(20s).reports();
  CHECK(run.wake_in() == 30s);
  CHECK(run.at(49s).wakes() == "");
  CHECK(run.at(50s).wakes() == "relay-15 hung-30");
  CHECK(run.kill_in() == 60s);
  CHECK(run.at(80s).wakes() == "");        // once, and no TERM rung after TERM
  CHECK(run.at(110s).wakes() == "other");  // SIGKILL
}

TEST_CASE("WATCHDOG=trigger needs no silence, but a watchdog that was asked for") {
  Watched run;
  CHECK(run.at(5s).reports_hang() == "relay-15 hung-0");
  CHECK(run.at(6s).reports_hang() == "");
  Supervision unasked{Policy{}};
  unasked.step(Instant(1h), event::TrainerStarted{});
  unasked.step(Instant(1h), event::Reported{});
  CHECK(unasked.step(Instant(1h), event::HangReported{}).empty());
  CHECK_FALSE(unasked.next_wake());
}

TEST_CASE("in an episode the trainer need not report: it saves") {
  Watched run(in_slurm());
  run.at(0s).reports();
  CHECK(run.at(10s).gets(SIGUSR1) == "relay-10 relayed");
  CHECK(run.at(35s).wakes() == "");
  CHECK(run.reports_hang() == "");
  // The episode was advice: it is watched again, from now on.
  run.at(90s).learns_fact(2h);
  CHECK(run.phase() == Phase::running);
  CHECK(run.wake_in() == 30s);
}

TEST_CASE("a hung trainer has a SIGKILL of its own: no scheduler brings one") {
  Watched run(in_slurm());
  run.at(0s).reports();
  run.at(30s).wakes();
  CHECK(run.kill_in() == 60s);
  run.learns_fact(2h);  // a deadline far away is no reason to leave it alone
  CHECK(run.phase() == Phase::draining);
  CHECK(run.kill_in() == 60s);
  run.asks_for(5min);
  CHECK(run.kill_in() == 5min);
}

TEST_CASE("the end of a hung trainer is no preemption, unless a notice came as well") {
  for (const bool notice : {false, true}) {
    Watched run;
    run.at(0s).reports();
    run.at(30s).wakes();
    if (notice) CHECK(run.at(31s).gets(SIGUSR1) == "covered");
    run.at(32s).ends(143);
    CHECK(run.in_episode() == notice);
  }
}

TEST_CASE("woken late, we slept and the trainer with us: it gets its time again") {
  Watched run;
  run.at(0s).reports();
  CHECK(run.at(10min).wakes() == "");
  CHECK(run.wake_in() == 30s);
  CHECK(run.at(10min + 30s).wakes() == "relay-15 hung-30");
}

TEST_CASE("a trainer that hangs while advice is held for it gets TERM in its place") {
  Policy policy = in_slurm();
  policy.schedule.lead = 2h;
  Watched run(policy);
  run.at(0s).reports();
  CHECK(run.at(25s).gets(SIGUSR1) == "relay-10 advice");
  run.relayed({.told = false, .waiting = true});
  CHECK(run.at(30s).wakes() == "relay-15 hung-30");
  CHECK(run.at(45s).wakes() == "");  // nothing is held any more
  CHECK(run.phase() == Phase::draining);
}

TEST_CASE("a hung trainer that could not be told is watched on, and told again") {
  Watched run;
  run.at(0s).reports();
  run.at(30s).wakes();
  run.relayed({.told = false, .waiting = false});
  CHECK(run.phase() == Phase::running);
  CHECK(run.kill_in() == -1ns);
  CHECK(run.wake_in() == 30s);
  CHECK(run.at(31s).wakes() == "");
  CHECK(run.at(60s).wakes() == "relay-15 hung-30");
}

TEST_CASE("a trainer that has ended is not watched") {
  Watched run;
  run.at(0s).reports();
  run.at(1s).ends(0);
  CHECK(run.at(31s).wakes().find("relay") == std::string::npos);
}
