#pragma once
#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "core/supervision.hpp"

namespace pw {

// The rules of section 6 once more, written as plainly as possible, to hold the machine against.
struct Oracle {
  std::optional<Instant> relay_at;
  std::optional<Instant> standing;  // the deadline that counts
  bool standing_is_fact = false;
  bool of_slurmctld = false;  // which corrects itself, either way
  std::optional<Instant> done_by;
  bool own_end = false;  // it was begun by ourselves: KILL comes also where Slurm would bring one
  bool excused = false;  // EXTEND, a late wake-up, a fact for a guess: KILL may come later
  bool hurried = false;  // typed INTs: KILL may come earlier
  std::optional<Instant> not_before;                    // soon after a withdrawal
  std::vector<std::pair<Deadline, Instant>> by_others;  // what no cloud has said, and when

  // As if no cloud had said anything.
  void forget_clouds(Nanos margin) {
    standing.reset();
    done_by.reset();
    standing_is_fact = of_slurmctld = false;
    for (const auto& [told, when] : std::exchange(by_others, {})) learn(told, margin, when);
  }

  void learn(const Deadline& told, Nanos margin, Instant now) {
    if (told.source != DeadlineSource::cloud) by_others.emplace_back(told, now);
    const Instant at = told.at;
    const bool fact = told.certainty == Certainty::fact;
    const bool by_slurmctld = told.source == DeadlineSource::slurmctld;
    const bool corrects = standing && by_slurmctld && of_slurmctld && at != *standing;
    const bool replaces = corrects || (standing && fact && !standing_is_fact);
    if (standing && !replaces && (standing_is_fact != fact || at >= *standing)) return;
    const Instant by = at - std::min(margin, std::max(at - now, Nanos(0)) / 4);
    done_by = done_by && !replaces ? std::min(*done_by, by) : by;
    if (replaces) excused = true;
    standing = at;
    standing_is_fact = fact;
    of_slurmctld = by_slurmctld;
  }

  std::optional<Instant> kill_instant(const Policy& policy) const {
    std::optional<Instant> at = done_by;
    if (policy.ladder.grace) at = *relay_at + *policy.ladder.grace;
    if (own_end && !policy.ladder.grace) at = *relay_at + kGraceElsewhere;
    if (!at && !policy.schedule.in_slurm) at = *relay_at + kGraceElsewhere;
    if (at && done_by) at = std::min(*at, *done_by);
    if (at && not_before) at = std::max(*at, *not_before);
    return at;
  }
};

// The watchdog's own rules: who has reported must do so again in time, but for episodes, the time
// that we slept, and a trainer that says itself that it hangs.
struct Reports {
  std::optional<Instant> last;
  bool says_it_hangs = false;
  bool slept = false;
  Instant excused_until{};  // it may be saving in silence

  void excuse(const Policy& policy, Instant now) {
    if (now < excused_until && may_be_hung(policy, now)) last = now;
  }

  bool may_be_hung(const Policy& policy, Instant now) const {
    return says_it_hangs || (policy.watchdog && last && now >= *last + *policy.watchdog);
  }
  bool overdue(const Policy& policy, Instant now) const {
    if (!policy.watchdog || !last || slept) return false;
    return now >= *last + *policy.watchdog + kLateWake + Millis(1);
  }
};

}  // namespace pw
