#include "verbs/node_notice.hpp"

#include <algorithm>

#include "os/clock.hpp"
#include "verbs/registration.hpp"

namespace pw {
namespace {

// Where nobody need end, whoever was told is not followed.
constexpr Nanos kNotFollowed{0};
// After the machine should have gone: what is told now is not killed for it.
constexpr Nanos kLeast = Seconds(1);

}  // namespace

RelayPlan NodeNotice::plan_for(const PidTarget& process, Instant now) const {
  const bool run = is_a_run(process);
  RelayPlan plan{.signal = run ? signal_for_run(process, plan_.as) : plan_.as};
  plan.to_run = plan.signal == kRunSignal;
  if (!plan_.end) {
    plan.no_handler = NoHandler::skip;
    plan.advice = true;
    plan.wait = kNotFollowed;
    return plan;
  }
  const Nanos left = *plan_.end - now;
  if (left < kLeast) {
    plan.signal = plan_.as;  // there is nothing to say of an end
    plan.to_run = false;
    plan.wait = kNotFollowed;
    return plan;
  }
  // A run has the same end from the signal and a ladder of its own: it is ended only where it has
  // not been able to. A wrapper that is killed first would leave its trainer behind.
  plan.grace = run ? left : left - std::min(plan_.margin, left / 4);
  plan.lead = left;
  plan.wait = *plan.grace;
  plan.term_before_kill = !run;
  return plan;
}

void NodeNotice::come_nearer(Instant end) {
  plan_.end = end;
  const Instant now = monotonic_now();
  for (Trainer& trainer : trainers_) {
    const RelayPlan plan = plan_for(trainer.target.process(), now);
    if (plan.grace) trainer.target.end_by(now + *plan.grace);
    if (is_a_run(trainer.target.process())) {
      trainer.target.tell({QueuedNotice::Kind::ends, end - now});
    }
  }
}

void NodeNotice::withdraw() {
  for (Trainer& trainer : trainers_) {
    const bool run = is_a_run(trainer.target.process());
    if (run && trainer.target.told()) trainer.target.tell({QueuedNotice::Kind::withdrawn});
  }
  if (book_ == nullptr) return;
  for (const Trainer& trainer : trainers_) book_->forget(trainer.target.id());
}

void NodeNotice::tell(PidTarget process, Instant now) {
  const ProcessId id = process.id();
  const auto same = [&id](const Trainer& trainer) { return trainer.target.id() == id; };
  if (std::any_of(trainers_.begin(), trainers_.end(), same)) return;
  RelayPlan plan = plan_for(process, now);
  plan.already_told = plan_.end && book_ != nullptr && book_->knows(id, now);
  const auto log = [this](const std::string& line) { chronicle_.log(LogLevel::info, line); };
  if (plan.already_told) {
    log(process.name() + " (pid " + std::to_string(id.pid) + ") was told before our restart");
  }
  summary_.clear();
  trainers_.push_back({RelayTarget(std::move(process), plan, now, log), plan.already_told});
}

void NodeNotice::advance(Instant now) {
  for (Trainer& trainer : trainers_) {
    trainer.target.advance(now);
    if (!trainer.target.told() || std::exchange(trainer.noted, true)) continue;
    note(trainer.target);
    chronicle_.journal("told", JournalRecord()
                                   .add("pid", static_cast<std::int64_t>(trainer.target.id().pid))
                                   .add("name", trainer.target.process().name()));
  }
}

// After the signal: one that was not sent before we died is sent again.
void NodeNotice::note(RelayTarget& target) {
  if (!plan_.end || book_ == nullptr) return;
  const auto written = book_->write(target.id(), *plan_.end);
  if (!written) trouble_ = written.error().text() + "; after a restart it would be told again";
}

bool NodeNotice::quiet() const {
  return std::all_of(trainers_.begin(), trainers_.end(),
                     [](const Trainer& trainer) { return trainer.target.status().has_value(); });
}

std::optional<Instant> NodeNotice::wake() const {
  std::optional<Instant> wake;
  for (const Trainer& trainer : trainers_) {
    if (trainer.target.status()) continue;
    const Instant next = trainer.target.next_wake();
    wake = earlier(wake, next);
  }
  return wake;
}

void NodeNotice::add_fds(std::vector<int>& fds) const {
  for (const Trainer& trainer : trainers_) {
    if (!trainer.target.status() && trainer.target.fd() >= 0) fds.push_back(trainer.target.fd());
  }
}

std::string NodeNotice::state() const {
  int delivered = 0;
  int waiting = 0;  // for a handler
  int gone = 0;
  for (const Trainer& trainer : trainers_) {
    ++(trainer.target.told() ? delivered : trainer.target.status() ? gone : waiting);
  }
  const std::string held = waiting > 0 ? std::to_string(waiting) + " waiting, " : "";
  return std::to_string(delivered) + " delivered, " + held + std::to_string(gone) + " gone, " +
         std::to_string(refused_) + " refused";
}

std::optional<std::string> NodeNotice::take_summary() {
  if (!quiet()) return {};
  const std::string summary = "notice " + plan_.words + ": " + state();
  if (std::exchange(summary_, summary) == summary) return {};
  return summary;
}

}  // namespace pw
