#include "core/relay_course.hpp"

#include <algorithm>

#include "core/delivery.hpp"

namespace pw {
namespace {

constexpr Nanos kLongestPause = Millis(250);
// What SIGKILL has not ended by then hangs in the kernel.
constexpr Nanos kKillLimit = Seconds(10);
constexpr Nanos kLastTerm = Seconds(10);

}  // namespace

Nanos RelayCourse::longest_hold() const {
  return plan_.grace ? std::min(plan_.hold, *plan_.grace / 4) : plan_.hold;
}

std::optional<Instant> RelayCourse::last_term_at() const {
  if (!plan_.term_before_kill || !plan_.grace || term_sent_ || plan_.signal == SIGTERM) return {};
  return begin_ + *plan_.grace - std::min(kLastTerm, *plan_.grace / 4);
}

void RelayCourse::end_by(Instant kill_at) {
  const Nanos grace = std::max(kill_at - begin_, Nanos(0));
  if (!plan_.grace || grace < *plan_.grace) plan_.grace = grace;
  wake_ = std::min(wake_, kill_at);
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
    if (plan_.no_handler == NoHandler::send) return RelayStep::send;
    term_sent_ = true;
    return RelayStep::send_term;
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
  if (const auto term_at = last_term_at()) {
    wake_ = *term_at;
    if (now < wake_) return RelayStep::wait;
    term_sent_ = true;
    return RelayStep::last_term;
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
