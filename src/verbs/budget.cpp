#include "verbs/budget.hpp"

#include <algorithm>

#include "core/deadline.hpp"
#include "core/duration.hpp"
#include "core/supervision.hpp"
#include "os/clock.hpp"

namespace pw {
namespace {

std::string clock_sentence(const Settings& settings, const std::optional<SlurmJob>& job) {
  if (settings.lead && settings.lead_known) {
    const Instant now = monotonic_now();
    const Deadline deadline{now + *settings.lead, Certainty::fact, DeadlineSource::lead};
    const Nanos to_kill = done_by(deadline, settings.margin, now) - now;
    const Nanos grace = settings.ladder.grace.value_or(to_kill);
    return "SIGKILL " + spoken(std::min(grace, to_kill)) + " after the notice";
  }
  if (settings.ladder.grace)
    return "SIGKILL " + spoken(*settings.ladder.grace) + " after the notice";
  if (!job) return "SIGKILL " + spoken(kGraceElsewhere) + " after the notice";
  if (!settings.lead_known) return "no SIGKILL of ours, Slurm's own comes";
  const Nanos kill_wait = from_term_to_kill(job->conf.kill_wait.value_or(Seconds(30)));
  if (job->end && *job->end > monotonic_now()) {
    return "the job ends in " + spoken(*job->end - monotonic_now()) + ", SIGKILL " +
           spoken(kill_wait) + " later";
  }
  if (!job->conf.grace_time) return "no SIGKILL of ours, Slurm's own comes";
  return "SIGKILL comes " + spoken(*job->conf.grace_time + kill_wait) + " after Slurm's TERM";
}

// Under cgroup Slurm signals its own children only: bash takes the signal, dies, and 15 ms later
// everything below it is killed (22.05.8, observed).
bool slurm_passes_us_by(const SlurmJob& job) {
  return job.slurmstepd == 0 && !job.parent_name.empty() &&
         (job.conf.proctrack == Proctrack::cgroup || job.conf.proctrack == Proctrack::unknown);
}

// These let descendants be signalled, too, but the script that we are below dies of the TERM, and
// with it the job; its epilogue finds us at work.
bool script_ends_before_us(const SlurmJob& job) {
  const bool descendants =
      job.conf.proctrack == Proctrack::linuxproc || job.conf.proctrack == Proctrack::pgid;
  return job.slurmstepd == 0 && !job.parent_name.empty() && descendants;
}

std::string own_notices(const Settings& settings, bool in_job) {
  std::string text;
  if (settings.notice_after) text += "; notice " + spoken(*settings.notice_after) + " from now";
  if (settings.notice_before_end && in_job) {
    text += "; notice " + spoken(*settings.notice_before_end) + " before the job's end";
  }
  return text;
}

// What is left from a notice to Slurm's SIGKILL, as far as settings say it.
std::optional<Nanos> lead_of(const Settings& settings, const std::optional<SlurmJob>& job) {
  if (settings.lead) return settings.lead;
  if (!settings.notice_before_end || !job) return {};
  return *settings.notice_before_end + from_term_to_kill(job->conf.kill_wait.value_or(Seconds(30)));
}

}  // namespace

Budget plan_budget(const Settings& settings, const std::optional<SlurmJob>& job) {
  Budget budget;
  if (job) {
    budget.sentence += ", job " + job->id;
    if (job->restarts > 0) budget.sentence += ", attempt " + std::to_string(job->restarts + 1);
  }
  if (!job && settings.requeue != RequeueMode::none) {
    budget.sentence += "; no requeue, this is no Slurm job";
  }
  budget.sentence += own_notices(settings, job.has_value());
  if (settings.notices.empty()) {
    const bool own = settings.notice_after || settings.notice_before_end;
    budget.sentence += own ? "; no signal is a notice" : "; no notices, a plain relay";
    return budget;
  }
  budget.sentence += "; " + clock_sentence(settings, job);
  const auto lead = lead_of(settings, job);
  if (lead && settings.ladder.grace && *settings.ladder.grace > *lead) {
    budget.warnings.push_back("the grace of " + spoken(*settings.ladder.grace) +
                              " is longer than the lead of " + spoken(*lead) +
                              ": SIGKILL comes before it is over");
  }
  if (job && slurm_passes_us_by(*job)) {
    budget.warnings.push_back("our parent is " + job->parent_name +
                              ", so Slurm will not signal us; write \"exec preempt-wrap ...\" in "
                              "the batch script");
  }
  if (job && script_ends_before_us(*job)) {
    budget.warnings.push_back("our parent is " + job->parent_name +
                              ", which Slurm's TERM ends before us: what is below it may outlive "
                              "the job; write \"exec preempt-wrap ...\" in the batch script");
  }
  return budget;
}

}  // namespace pw
