#pragma once
#include <algorithm>
#include <optional>

#include "core/supervision.hpp"

namespace pw {

// The rules of section 6 once more, written as plainly as possible, to hold the machine against.
struct Oracle {
  std::optional<Instant> relay_at;
  std::optional<Instant> standing;  // the deadline that counts
  bool standing_is_fact = false;
  std::optional<Instant> done_by;
  bool excused = false;  // EXTEND, a late wake-up, a fact for a guess: KILL may come later
  bool hurried = false;  // typed INTs: KILL may come earlier

  void learn(Instant at, bool fact, Nanos margin, Instant now) {
    const bool replaces = standing && fact && !standing_is_fact;
    if (standing && !replaces && (standing_is_fact != fact || at >= *standing)) return;
    const Instant by = at - std::min(margin, std::max(at - now, Nanos(0)) / 4);
    done_by = done_by && !replaces ? std::min(*done_by, by) : by;
    if (replaces) excused = true;
    standing = at;
    standing_is_fact = fact;
  }

  std::optional<Instant> kill_instant(const Policy& policy) const {
    std::optional<Instant> at = done_by;
    if (policy.ladder.grace) at = *relay_at + *policy.ladder.grace;
    if (!at && !policy.schedule.in_slurm) at = *relay_at + kGraceElsewhere;
    if (at && done_by) at = std::min(*at, *done_by);
    return at;
  }
};

}  // namespace pw
