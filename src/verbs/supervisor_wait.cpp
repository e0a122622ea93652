// The one place where the loop blocks, and who is heard when it wakes.
#include "core/duration.hpp"
#include "os/clock.hpp"
#include "os/loop.hpp"
#include "verbs/supervisor.hpp"

namespace pw {
std::optional<Instant> Supervisor::next_wake() const {
  std::optional<Instant> wake = run_.next_wake();
  wake = earlier(wake, hooks_.next_limit());
  wake = earlier(wake, batch_doubt_.due());
  wake = earlier(wake, ready_at_);
  wake = earlier(wake, next_own_notice());
  wake = earlier(wake, voice_.next_try());
  for (const StepSignal& step_signal : step_signals_)
    wake = earlier(wake, step_signal.helper().wake());
  if (!job_watch_ || !job_watch_->asking()) wake = earlier(wake, ask_due_);
  wake = earlier(wake, hook_due_);
  if (!overseers_.idle() && run_.phase() == Phase::running) {
    wake = earlier(wake, run_.withdrawn_end());
  }
  if (job_watch_) wake = earlier(wake, job_watch_->wake());
  if (job_look_) wake = earlier(wake, job_look_->wake());
  return wake;
}

std::vector<int> Supervisor::who_may_speak() const {
  std::vector<int> fds;
  for (const StepSignal& step_signal : step_signals_) {
    if (step_signal.helper().output_fd() >= 0) fds.push_back(step_signal.helper().output_fd());
  }
  for (const Helper* asker : askers()) {
    if (asker->output_fd() >= 0) fds.push_back(asker->output_fd());
  }
  overseers_.add_fds(fds);
  chronicle_.add_trouble_fds(fds);
  if (voice_.fd() >= 0) fds.push_back(voice_.fd());
  if (gate_ && gate_->fd() >= 0) fds.push_back(gate_->fd());
  if (cloud_) cloud_->add_fds(fds);
  for (const PidFile* file : {plan_.pid_file, plan_.registration}) {
    if (file != nullptr && file->trouble_fd() >= 0) fds.push_back(file->trouble_fd());
  }
  return fds;
}

void Supervisor::wait() {
  const std::optional<Instant> wake = next_wake();
  const std::vector<int> fds = who_may_speak();
  // Signals first: a typed INT that ended the trainer is known before its end is.
  const auto caught = wait_for(signals_, fds, wake);
  // Its last words were said before its end.
  if (voice_.fd() >= 0 && (!caught || caught->signal == SIGCHLD)) hear_trainer();
  if (finished_) return;
  if (caught) take(*caught);
  for (PidFile* file : {plan_.pid_file, plan_.registration}) {
    if (file != nullptr && file->trouble_fd() >= 0) hear_pid_file(*file);
  }
  if (finished_) return;
  if (!caught || wake) {
    const auto due = run_.next_wake();
    if (due && monotonic_now() >= *due) happen(event::TimeCame{});
    const auto decided = batch_doubt_.due();
    if (decided && monotonic_now() >= *decided) {
      batch_doubt_.decide();
      settle_batch_term(batch_term_, Carrier::us);
    }
    if (ready_at_ && monotonic_now() >= *ready_at_) trainer_ready("time");
  }
  if (gate_) hear_gate();
  if (finished_) return;
  if (hooks_.running() || !step_signals_.empty()) advance_helpers();
  if (job_watch_ || hook_due_) advance_job();
  if (job_look_) look_at_job();
  if (finished_) return;
  advance_own_notices();
  if (finished_) return;
  if (!overseers_.idle()) watch_overseers();
}

void Supervisor::hear_trainer() {
  for (const NotifyMessage& message : voice_.hear()) {
    if (message.ready) trainer_ready("notify");
    if (message.watchdog == NotifyMessage::Watchdog::alive) happen(event::Reported{});
    if (message.watchdog == NotifyMessage::Watchdog::trigger) happen(event::HangReported{});
    if (message.extend && run_.phase() == Phase::draining) {
      happen(event::GraceAsked{*message.extend});
      const auto kill_at = run_.kill_at();
      voice_.tell_extended(*message.extend,
                           kill_at ? std::optional(*kill_at - monotonic_now()) : std::nullopt);
    }
    if (finished_) return;
  }
}

// Each rank of a trainer may say so; of the first one log and journal tell.
void Supervisor::trainer_ready(const char* by) {
  ready_at_.reset();
  happen(event::TrainerReady{});
  if (gate_) gate_->through();
  if (std::exchange(ready_told_, true)) return;
  const Nanos after = monotonic_now() - started_;
  chronicle_.log(LogLevel::debug, "the trainer is ready after " + spoken(after));
  chronicle_.journal("ready",
                     JournalRecord().add("by", by).add("after_ms", after.count() / 1'000'000));
}

void Supervisor::hear_pid_file(PidFile& file) {
  for (const std::string& trouble : file.troubles()) chronicle_.warn(trouble);
}

}  // namespace pw
