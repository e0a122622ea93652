#include "core/end_cause.hpp"

namespace pw {
namespace {

constexpr std::int64_t kNear = 30 * 60;  // seconds: kAdviceBeyond, further away it is no end

// PreemptTime is the start of the grace, and moves to its end with it; Slurm's seconds are whole.
EndCause completing(const CauseFacts& facts) {
  const JobState& job = *facts.job;
  if (job.reason == "TimeLimit") return EndCause::time_limit;
  // The batch script has ended by itself, or died of what it was sent (--signal=B:), and takes its
  // steps with it.
  if (job.reason == "JobLaunchFailure" || job.reason == "NonZeroExitCode") return EndCause::unknown;
  if (!job.preempted || !job.end || *job.preempted < *job.end) return EndCause::cancel;
  const bool cut_short = facts.end_in_grace && *job.end < *facts.end_in_grace - 1;
  return cut_short ? EndCause::cancel : EndCause::preemption;
}

EndCause running(const CauseFacts& facts) {
  if (facts.job->preempted) return EndCause::preemption;
  if (facts.source != NoticeSource::signal) return cause_by_ourselves(facts.source);
  // The time limit's own TERM comes when the job is being ended already.
  if (facts.signal == SIGTERM || facts.signal == SIGINT) return EndCause::by_hand;
  const auto end = facts.job->end;
  return end && *end - facts.now <= kNear ? EndCause::time_limit : EndCause::by_hand;
}

EndCause over(std::string_view name) {
  if (name == "TIMEOUT" || name == "DEADLINE") return EndCause::time_limit;
  if (name == "CANCELLED") return EndCause::cancel;
  if (name == "PREEMPTED") return EndCause::preemption;
  return EndCause::unknown;
}

}  // namespace

std::string_view cause_word(EndCause cause) {
  switch (cause) {
    case EndCause::unknown: return "unknown";
    case EndCause::preemption: return "preemption";
    case EndCause::time_limit: return "time-limit";
    case EndCause::own_limit: return "own-limit";
    case EndCause::cloud: return "cloud";
    case EndCause::cancel: return "cancel";
    case EndCause::requeue: return "requeue";
    case EndCause::suspend: return "suspend";
    case EndCause::by_hand: return "by-hand";
  }
  return "";
}

EndCause cause_by_ourselves(NoticeSource source) {
  switch (source) {
    case NoticeSource::own_limit: return EndCause::own_limit;
    case NoticeSource::job_end: return EndCause::time_limit;
    case NoticeSource::cloud: return EndCause::cloud;
    case NoticeSource::signal: break;
  }
  return EndCause::unknown;
}

EndCause cause_of(const CauseFacts& facts) {
  if (!facts.job) return cause_by_ourselves(facts.source);
  // Cancelled while a requeue was under way: EndTime is a moment that has passed.
  if (facts.job->name == "CANCELLED") return EndCause::cancel;
  if (facts.job->restarts > facts.restarts) {
    const bool cancelled = facts.job->phase == JobState::Phase::completing && facts.job->end &&
                           *facts.job->end < facts.now - 1;
    return cancelled ? EndCause::cancel : EndCause::requeue;
  }
  switch (facts.job->phase) {
    case JobState::Phase::pending: return EndCause::unknown;
    case JobState::Phase::running: return running(facts);
    case JobState::Phase::suspended: return EndCause::suspend;
    case JobState::Phase::completing: return completing(facts);
    case JobState::Phase::over: return over(facts.job->name);
  }
  return EndCause::unknown;
}

}  // namespace pw
