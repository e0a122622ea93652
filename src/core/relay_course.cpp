#include "core/relay_course.hpp"

#include <algorithm>

#include "core/delivery.hpp"

namespace pw {
namespace {

constexpr Nanos kLongestPause = Millis(250);
// What SIGKILL has not ended by then hangs in the kernel.
constexpr Nanos kKillLimit = Seconds(10);

}  // namespace

Nanos RelayCourse::longest_hold() const {
  return plan_.grace ? std::min(plan_.hold, *plan_.grace / 4) : plan_.hold;
}

RelayStep RelayCourse::step_held(Instant now, Handling handling) {
  stage_ = Stage::told;
  told_at_ = wake_ = now;
  if (!can_be_held(plan_.signal) || handling == Handling::caught) return RelayStep::send;
  if (handling != Handling::blocked) blocked_since_.reset();
  if (handling == Handling::blocked) {
    if (!blocked_since_) blocked_since_ = now;
    if (now - *blocked_since_ >= kBlockedFor) return RelayStep::send;
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

RelayStep RelayCourse::step(Instant now, bool alive, Handling handling) {
  if (!alive) return stage_ == Stage::killed ? RelayStep::killed : RelayStep::gone;
  if (stage_ == Stage::held) return step_held(now, handling);
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
