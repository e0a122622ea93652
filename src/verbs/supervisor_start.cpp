// Start control: what the supervisor waits for before it starts the trainer. A signal that would
// end a process ends the wait.
#include <signal.h>

#include "core/duration.hpp"
#include "os/clock.hpp"
#include "os/far_file.hpp"
#include "os/loop.hpp"
#include "os/reaper.hpp"
#include "verbs/supervisor.hpp"

namespace pw {
namespace {

// TimeoutStartSec counts while we wait, too: asked for anew long before it is over.
constexpr Nanos kMoreForTheStart = Seconds(90);
constexpr Nanos kAskForMore = Seconds(30);
constexpr Nanos kKillSwitchLimit = Seconds(5);

}  // namespace

std::optional<ExitStatus> Supervisor::wait_for_start() {
  happen(event::WaitBegan{});
  if (service_) tell_started();  // a manager does not wait for a gate
  if (plan_.start.stagger) stagger();
  if (!finished_ && plan_.start.gate) {
    const StartGate::Verdict verdict = pass_gate();
    if (!finished_ && verdict != StartGate::Verdict::start) return end_at_gate(verdict);
  }
  if (stopped_by_kill_switch()) return end_switched_off();
  if (!finished_) happen(event::WaitOver{});
  return {};
}

// At first, and again after a wait, in which it may have come; a notice ends that look.
bool Supervisor::stopped_by_kill_switch() {
  const std::string& path = plan_.settings.kill_switch;
  if (path.empty() || finished_) return false;
  const Instant until = monotonic_now() + kKillSwitchLimit;
  std::optional<bool> there;
  if (auto look = FarLook::at(path)) {
    const bool hears = run_.phase() == Phase::waiting;
    there = look->answer(hears ? Instant{} : until);
    while (hears && !there && !finished_ && !look->over() && monotonic_now() < until) {
      wait_before_start({look->fd()}, until);
      there = look->answer(Instant{});
    }
  }
  plan_.foreign = children_before_start();  // who looks for it may hang
  if (finished_) return false;
  if (!there) chronicle_.warn("the kill switch " + path + " could not be looked for");
  if (!there.value_or(false)) return false;
  chronicle_.log(LogLevel::warning, "not started: the kill switch " + path + " is there");
  return true;
}

void Supervisor::wait_before_start(std::vector<int> fds, std::optional<Instant> wake) {
  const auto own = next_own_notice();
  wake = earlier(wake, own);
  if (service_ && plan_.settings.ready == ReadyWhen::told) {
    wake = earlier(wake, keep_manager_waiting());
  }
  for (const Helper* asker : askers()) {
    if (asker->output_fd() >= 0) fds.push_back(asker->output_fd());
  }
  if (cloud_) cloud_->add_fds(fds);
  chronicle_.flush();
  if (const auto caught = wait_for(signals_, fds, wake)) take(*caught);
  if (!finished_) advance_own_notices();
}

// One that is told READY=1 by the trainer alone.
Instant Supervisor::keep_manager_waiting() {
  const Instant now = monotonic_now();
  if (!more_asked_ || now >= *more_asked_ + kAskForMore) {
    service_->extend(kMoreForTheStart);
    more_asked_ = now;
  }
  return *more_asked_ + kAskForMore;
}

void Supervisor::stagger() {
  const Nanos delay = *plan_.start.stagger;
  const Instant until = monotonic_now() + delay;
  if (delay > Nanos(0)) {
    chronicle_.log(LogLevel::info, "start in " + spoken(delay) + ": " + plan_.start.stagger_remark +
                                       plan_.start.costs);
  }
  JournalRecord record;
  record.add("delay_ms", delay.count() / 1'000'000);
  if (plan_.start.place) {
    record.add("index", plan_.start.place->index).add("count", plan_.start.place->count);
  }
  chronicle_.journal("stagger", record);
  while (!finished_ && monotonic_now() < until) wait_before_start({}, until);
}

StartGate::Verdict Supervisor::pass_gate() {
  gate_.emplace(*plan_.start.gate, chronicle_);
  gate_->open();
  auto verdict = gate_->advance();
  while (!finished_ && verdict == StartGate::Verdict::wait) {
    std::vector<int> fds;
    if (gate_->fd() >= 0) fds.push_back(gate_->fd());
    wait_before_start(std::move(fds), gate_->wake());
    if (!finished_) verdict = gate_->advance();
  }
  if (finished_) gate_->leave();
  return verdict;
}

// Nothing was started; 0 says that there is nothing to do, 143 is what scancel would have left.
ExitStatus Supervisor::end_at_gate(StartGate::Verdict verdict) {
  ExitStatus status{.status = kOwnFailure, .outcome = Outcome::failed};
  if (verdict == StartGate::Verdict::stopped) {
    status = {.status = plan_.settings.stopped_exit, .outcome = Outcome::finished};
  } else if (verdict == StartGate::Verdict::cancelled) {
    status = {.status = kSignalBase + SIGTERM, .outcome = Outcome::killed};
    notice_.cause = "cancel";
  }
  gate_.reset();
  return end_unstarted(status);
}

ExitStatus Supervisor::end_switched_off() {
  if (gate_) gate_->close();
  return end_unstarted({.status = plan_.settings.stopped_exit, .outcome = Outcome::finished});
}

// A clean end also for a manager that waits for READY=1.
ExitStatus Supervisor::end_unstarted(const ExitStatus& status) {
  if (service_ && status.outcome != Outcome::failed) service_->ready();
  narrator_.not_started(status.status, status.outcome);
  close(status);
  return status;
}

// W&B's own cancel is a SIGKILL; ours is a TERM as by a notice, with the whole grace, whatever
// --notice says: it is no signal.
void Supervisor::hear_gate() {
  gate_->advance();
  const auto cancelled = gate_->take_cancelled();
  if (!cancelled) return;
  happen(event::Cancelled{});
  const auto kill_at = run_.kill_at();
  narrator_.cancelled(*cancelled, recipients_,
                      kill_at ? std::optional(*kill_at - monotonic_now()) : std::nullopt);
  tell_notice({.cause = "cancel"});
  recipients_.clear();
}

}  // namespace pw
