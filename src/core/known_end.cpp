#include "core/known_end.hpp"

#include <algorithm>

namespace pw {

bool KnownEnd::adopt(const Deadline& news, Nanos margin, Instant now) {
  const Deadline counts = prevailing(deadline_, news);
  if (deadline_ && counts == *deadline_) return false;
  const bool fact_for_guess =
      deadline_ && deadline_->certainty == Certainty::guess && counts.certainty == Certainty::fact;
  const bool corrected = deadline_ && counts.source == DeadlineSource::slurmctld &&
                         counts.source == deadline_->source && counts.at != deadline_->at;
  const Instant by = pw::done_by(counts, margin, now);
  done_by_ = done_by_ && !fact_for_guess && !corrected ? std::min(*done_by_, by) : by;
  deadline_ = counts;
  return true;
}

}  // namespace pw
