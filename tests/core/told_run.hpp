#pragma once
#include <string>

#include "core/signal_name.hpp"
#include "core/supervision.hpp"

namespace pw {

inline std::string text(const Action& action) {
  struct Teller {
    std::string operator()(const action::Judge& a) const { return std::string(name_of(a.verdict)); }
    std::string operator()(const action::Relay& a) const {
      return "RELAY " + signal_name(a.signal);
    }
    std::string operator()(const action::LookForHandlers&) const { return "SEEK"; }
    std::string operator()(const action::EndHold& a) const {
      return a.advice ? "END ADVICE" : "END HOLD";
    }
    std::string operator()(const action::LookAtAgents&) const { return "AGENTS"; }
    std::string operator()(const action::TellHang&) const { return "HUNG"; }
    std::string operator()(const action::Pass& a) const { return "PASS " + signal_name(a.signal); }
    std::string operator()(const action::Climb& a) const {
      return "CLIMB " + signal_name(a.signal);
    }
    std::string operator()(const action::EndStragglers&) const { return "STRAGGLERS"; }
    std::string operator()(const action::KillTree&) const { return "KILL"; }
    std::string operator()(const action::LookAtTree&) const { return "LOOK"; }
    std::string operator()(const action::Finish&) const { return "FINISH"; }
  };
  return std::visit(Teller{}, action);
}

// A run to be told what happens and when; each verb answers with the actions, joined by ", ".
class Run {
 public:
  explicit Run(Policy policy = {}) : machine_(std::move(policy)) {}

  Run& started() {
    starts();
    return *this;
  }
  std::string starts() { return happen(event::TrainerStarted{}); }
  Run& waiting() {
    happen(event::WaitBegan{});
    return *this;
  }
  Run& waited() {
    happen(event::WaitOver{});
    return *this;
  }
  Run& at(Nanos since_start) {
    now_ = Instant(std::chrono::hours(1000)) + since_start;
    return *this;
  }
  std::string gets(Signal signal, Cause cause = Cause::sent) {
    return happen(event::SignalCame{.signal = signal, .cause = cause});
  }
  std::string types_interrupt() { return gets(SIGINT, Cause::typed); }
  std::string wakes() { return happen(event::TimeCame{}); }
  std::string ends(int code) { return happen(event::TrainerEnded{{Ending::Kind::exited, code}}); }
  std::string sees(int notified, int others) { return happen(event::TreeSeen{notified, others}); }
  std::string relayed(bool told, bool waiting, bool agents_pending = false) {
    return happen(event::Relayed{told, waiting, agents_pending});
  }
  std::string agents(bool pending) { return happen(event::AgentsSeen{pending}); }
  std::string is_ready() { return happen(event::TrainerReady{}); }
  std::string learns_fact(Nanos from_now) {
    return happen(event::DeadlineLearned{{now_ + from_now, Certainty::fact, DeadlineSource::lead}});
  }
  /// The run is being ended, however far away that is.
  std::string learns_end(Nanos from_now) {
    return happen(event::DeadlineLearned{
        {now_ + from_now, Certainty::fact, DeadlineSource::slurmctld}, true});
  }
  std::string asks_for(Nanos more) { return happen(event::GraceAsked{more}); }
  Nanos kill_in() const { return machine_.kill_at() ? *machine_.kill_at() - now_ : Nanos(-1); }
  Phase phase() const { return machine_.phase(); }
  RunFacts facts() const { return machine_.facts(); }
  bool hung() const { return machine_.hung(); }
  std::optional<Instant> next_wake() const { return machine_.next_wake(); }
  Instant now() const { return now_; }
  std::string happen(const Event& event) {
    std::string result;
    for (const Action& action : machine_.step(now_, event)) {
      result += (result.empty() ? "" : ", ") + text(action);
    }
    return result;
  }

 private:
  Supervision machine_;
  Instant now_{std::chrono::hours(1000)};
};

// Notices that are no signals.
inline event::NoticeGiven own_limit() {
  return {.source = NoticeSource::own_limit, .as = SIGUSR1, .grace = kGraceElsewhere};
}
inline event::NoticeGiven of_cloud(const Run& run, std::optional<Nanos> left) {
  event::NoticeGiven given{.source = NoticeSource::cloud, .as = SIGUSR1};
  if (left) given.told = Deadline{run.now() + *left, Certainty::fact, DeadlineSource::cloud};
  given.advice = !left;
  return given;
}

}  // namespace pw
