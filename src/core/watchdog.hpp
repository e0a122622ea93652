#pragma once
#include <optional>

#include "core/time.hpp"

namespace pw {

/// When a trainer that reports (WATCHDOG=1) has been silent for too long. Part of Supervision; one
/// that has never reported is not watched, nor is anybody without a period (--watchdog).
class Watchdog {
 public:
  explicit Watchdog(std::optional<Nanos> period) : period_(period) {}

  void report(Instant now) {
    if (period_) due_ = now + *period_;
  }
  /// Silence until now was no fault of the trainer's: it has the whole time again.
  void excuse(Instant now) {
    if (due_) report(now);
  }

  bool asked_for() const { return period_.has_value(); }
  std::optional<Instant> due() const { return due_; }  ///< the next report

  /// For how long it has been silent, if that is too long.
  std::optional<Nanos> silent_for(Instant now) const {
    if (!due_ || now < *due_) return {};
    return now - *due_ + *period_;
  }

 private:
  std::optional<Nanos> period_;
  std::optional<Instant> due_;
};

}  // namespace pw
