#include "core/end_approach.hpp"

#include <algorithm>
#include <utility>

namespace pw {
namespace {

constexpr Nanos kLastQuestion = Seconds(10);  // before the notice
constexpr Nanos kLate = Seconds(1);
constexpr Nanos kAfterFailure = Seconds(30);
constexpr Nanos kWithoutEnd = std::chrono::minutes(30);  // somebody may set a limit

}  // namespace

void EndApproach::learn(std::optional<Instant> end, Instant now) {
  pending_ = overslept_ = false;
  if (given_) return;
  heard_at_ = now;
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

void EndApproach::failed(Instant now) {
  pending_ = overslept_ = false;
  if (given_) return;
  heard_at_ = now;
  ask_at_ = now + kAfterFailure;
}

void EndApproach::again(Instant now) {
  if (!std::exchange(given_, false)) return;
  end_.reset();
  ask_at_ = now;
}

bool EndApproach::take_due(Instant now) {
  if (given_ || !end_ || now < *end_ - before_) return false;
  overslept_ = now > *end_ - before_ + kLate && now > heard_at_ + kLate;
  if (overslept_) {
    if (!pending_) ask_at_ = now;
    return false;
  }
  given_ = true;
  ask_at_.reset();
  return true;
}

std::optional<Instant> EndApproach::wake() const {
  if (given_) return {};
  if (!end_ || overslept_) return ask_at_;
  const Instant due = *end_ - before_;
  return ask_at_ ? std::min(*ask_at_, due) : due;
}

}  // namespace pw
