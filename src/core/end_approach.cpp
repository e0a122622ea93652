#include "core/end_approach.hpp"

#include <algorithm>

namespace pw {
namespace {

constexpr Nanos kLastQuestion = Seconds(10);  // before the notice
constexpr Nanos kAfterFailure = Seconds(30);
constexpr Nanos kWithoutEnd = std::chrono::minutes(30);  // somebody may set a limit

}  // namespace

void EndApproach::learn(std::optional<Instant> end, Instant now) {
  end_ = end;
  ask_at_ = now + kWithoutEnd;
  if (!end_) return;
  const Nanos left = *end_ - before_ - now;
  if (left <= kLastQuestion) {
    ask_at_.reset();
  } else {
    ask_at_ = now + std::min(std::max(left / 2, kLastQuestion), left - kLastQuestion);
  }
}

void EndApproach::failed(Instant now) { ask_at_ = now + kAfterFailure; }

bool EndApproach::take_due(Instant now) {
  if (given_ || !end_ || now < *end_ - before_) return false;
  given_ = true;
  ask_at_.reset();
  return true;
}

std::optional<Instant> EndApproach::wake() const {
  if (given_) return {};
  if (!end_) return ask_at_;
  const Instant due = *end_ - before_;
  return ask_at_ ? std::min(*ask_at_, due) : due;
}

}  // namespace pw
