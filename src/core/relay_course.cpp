#include "core/relay_course.hpp"

#include <algorithm>

namespace pw {
namespace {

// Runtimes block all signals for moments while they start a thread or a child.
constexpr Nanos kBlockedLongEnough = Millis(50);
constexpr Nanos kLongestPause = Millis(250);
// What SIGKILL has not ended by then hangs in the kernel.
constexpr Nanos kKillLimit = Seconds(10);

}  // namespace

// Everyone dies of TERM and INT by design; only these come to trainers that are not ready for them.
bool RelayCourse::needs_handler() const {
  return plan_.signal == SIGUSR1 || plan_.signal == SIGUSR2 || is_realtime(plan_.signal);
}

Nanos RelayCourse::longest_hold() const {
  return plan_.grace ? std::min(plan_.hold, *plan_.grace / 4) : plan_.hold;
}

RelayStep RelayCourse::step_held(Instant now, Reception reception) {
  stage_ = Stage::told;
  told_at_ = wake_ = now;
  if (!needs_handler() || reception == Reception::takes) return RelayStep::send;
  if (reception != Reception::blocked) blocked_since_.reset();
  if (reception == Reception::blocked) {
    if (!blocked_since_) blocked_since_ = now;
    if (now - *blocked_since_ >= kBlockedLongEnough) return RelayStep::send;
  }
  const Instant end = begin_ + longest_hold();
  if (now >= end) {
    if (plan_.no_handler == NoHandler::skip) return RelayStep::skip;
    return plan_.no_handler == NoHandler::send ? RelayStep::send : RelayStep::send_term;
  }
  stage_ = Stage::held;
  wake_ = std::min(end, now + pause_);
  pause_ = std::min(pause_ * 2, kLongestPause);
  return RelayStep::wait;
}

RelayStep RelayCourse::step(Instant now, bool alive, Reception reception) {
  if (!alive) return stage_ == Stage::killed ? RelayStep::killed : RelayStep::gone;
  if (stage_ == Stage::held) return step_held(now, reception);
  if (stage_ == Stage::killed) {
    wake_ = std::max(told_at_ + plan_.wait, killed_at_ + kKillLimit);
    return now >= wake_ ? RelayStep::still_there : RelayStep::wait;
  }
  if (plan_.grace) {
    wake_ = begin_ + *plan_.grace;
    if (now < wake_) return RelayStep::wait;
    stage_ = Stage::killed;
    killed_at_ = now;
    return RelayStep::kill;
  }
  wake_ = told_at_ + plan_.wait;
  return now >= wake_ ? RelayStep::still_there : RelayStep::wait;
}

}  // namespace pw
