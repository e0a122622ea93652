#pragma once
#include <optional>

#include "core/supervision.hpp"

namespace pw {

/// Whether a TERM that slurmstepd sends to a batch script has reached the trainer as well, under
/// proctrack/linuxproc and pgid: scancel, a time limit and a preemption send CONT and TERM to the
/// whole container, in either order, 10 to 250 ms apart; `scancel -b` sends TERM to us alone, and
/// no CONT (22.05.8, measured). So a TERM waits for its CONT for a moment.
class BatchDoubt {
 public:
  static constexpr Nanos kApart = Millis(300);

  /// Who has told the trainer; nothing: ask again at due().
  std::optional<Carrier> term_came(Instant now) {
    if (cont_at_ && now - *cont_at_ < kApart) return Carrier::slurm;
    if (!due_) due_ = now + kApart;
    return {};
  }
  /// Whether a TERM that waits is decided by it: Slurm has told all.
  bool cont_came(Instant now) {
    cont_at_ = now;
    return std::exchange(due_, {}).has_value();
  }
  /// When a TERM that waits was for us alone.
  std::optional<Instant> due() const { return due_; }
  void decide() { due_.reset(); }

 private:
  std::optional<Instant> cont_at_;
  std::optional<Instant> due_;
};

}  // namespace pw
