#include "core/deadline.hpp"

#include <algorithm>

namespace pw {
namespace {

// No job of this world ends later; a clock or a variable that says so is wrong.
constexpr Nanos kAbsurd = std::chrono::hours(24 * 366);

}  // namespace

std::optional<Deadline> deadline_told_by(const Schedule& schedule, Signal signal, Instant now) {
  if (!schedule.deadline_known) return {};
  if (schedule.lead) return Deadline{now + *schedule.lead, Certainty::fact, DeadlineSource::lead};
  if (!schedule.in_slurm) return {};
  const Nanos kill_wait = from_term_to_kill(schedule.kill_wait);
  std::optional<Deadline> told;
  // At the job's end itself only TERM comes.
  if (schedule.job_end && *schedule.job_end + kill_wait > now &&
      *schedule.job_end < now + kAbsurd) {
    told = Deadline{*schedule.job_end + kill_wait, Certainty::guess, DeadlineSource::job_end};
  }
  if (signal == SIGTERM && schedule.grace_time) {
    const Nanos until_kill = *schedule.grace_time + kill_wait;
    const Deadline after_term{now + until_kill, Certainty::guess, DeadlineSource::kill_wait};
    told = prevailing(told, after_term);
  }
  return told;
}

Deadline prevailing(const std::optional<Deadline>& standing, const Deadline& news) {
  if (!standing) return news;
  if (standing->certainty != news.certainty) {
    return news.certainty == Certainty::fact ? news : *standing;
  }
  const bool corrected =
      news.source == DeadlineSource::slurmctld && news.source == standing->source;
  return corrected || news.at < standing->at ? news : *standing;
}

Instant done_by(const Deadline& deadline, Nanos margin, Instant now) {
  const Nanos left = std::max(deadline.at - now, Nanos(0));
  return deadline.at - std::min(margin, left / 4);
}

}  // namespace pw
