#pragma once
#include <algorithm>
#include <optional>

#include "core/time.hpp"

namespace pw {

/// The clock of a notice that waits for somebody who can act on it: looks at rising intervals, and
/// an end that is asked for once.
class Hold {
 public:
  static constexpr Nanos kFirstLook = Millis(1);
  static constexpr Nanos kSlowestLook = Millis(250);

  Hold(Instant now, Nanos limit) : until_(now + limit), look_at_(now + kFirstLook) {}

  enum class Due { nothing, look, end };
  Due take_due(Instant now) {
    if (ending_ || now < std::min(until_, look_at_)) return Due::nothing;
    ending_ = now >= until_;
    if (ending_) return Due::end;
    interval_ = std::min(2 * interval_, kSlowestLook);
    look_at_ = now + interval_;
    return Due::look;
  }

  void look_now(Instant now) { look_at_ = now; }
  Instant until() const { return until_; }
  /// Nothing once its end was asked for: the answer is all that is waited for.
  std::optional<Instant> wake() const {
    return ending_ ? std::nullopt : std::optional(std::min(until_, look_at_));
  }

 private:
  Instant until_;
  Instant look_at_;
  Nanos interval_ = kFirstLook;
  bool ending_ = false;
};

}  // namespace pw
