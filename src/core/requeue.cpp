#include "core/requeue.hpp"

namespace pw {
namespace {

using Do = RequeueDecision::Do;

bool is_running(const RequeueFacts& facts) {
  return facts.job && facts.job->phase == JobState::Phase::running;
}

bool is_bare_term(const RequeueFacts& facts) {
  const bool sent = facts.source == NoticeSource::signal;  // ours is neither cancel nor grace
  return sent && (facts.signal == SIGTERM || facts.signal == SIGINT);
}

// Slurm requeues what it preempts, but only if it finds it still there at the end of the grace
// (22.05 to 23.11; from 24.05 on any end within the grace is requeued).
bool slurm_will(const RequeueFacts& facts) {
  return is_running(facts) && facts.job->preempted && facts.job->may_requeue &&
         facts.preemption_requeues;
}

// Which causes the mode answers; empty: this one.
std::string unanswered(const RequeueFacts& facts) {
  const EndCause cause = known_cause(facts);
  const std::string word(cause_word(cause));
  switch (facts.mode) {
    case RequeueMode::none: return "--requeue is none";
    case RequeueMode::repair:
      if (slurm_will(facts)) return "";
      return "not preempted within a grace after which Slurm requeues (cause: " + word + ")";
    case RequeueMode::automatic:
      if (cause == EndCause::preemption || cause == EndCause::time_limit) return "";
      if (cause == EndCause::own_limit || cause == EndCause::cloud) return "";
      return "the cause is " + word + ", which --requeue auto leaves alone";
    default: break;
  }
  if (cause == EndCause::unknown && is_bare_term(facts)) {
    return "the cause is unknown, and a bare TERM may be a cancel";
  }
  return "";
}

RequeueDecision by_exit(const RequeueFacts& facts) {
  if (!facts.exit_code) {
    return {Do::nothing, "neither --requeue-exit nor slurm.conf's RequeueExit names a code"};
  }
  return {Do::leave, "exit status " + std::to_string(*facts.exit_code) + ", of RequeueExit"};
}

RequeueDecision by_call(const RequeueFacts& facts) {
  if (facts.job && !facts.job->may_requeue) {
    return {Do::nothing, "the job may not be requeued (--no-requeue, or JobRequeue=0)"};
  }
  return {Do::call, ""};
}

RequeueDecision by_lingering(const RequeueFacts& facts) {
  if (slurm_will(facts)) return {Do::linger, "until Slurm ends the job and requeues it"};
  return {Do::nothing, "Slurm will not requeue it by itself"};
}

}  // namespace

EndCause known_cause(const RequeueFacts& facts) {
  return facts.now == EndCause::unknown ? facts.at_notice : facts.now;
}

RequeueDecision decide_requeue(const RequeueFacts& facts) {
  if (!facts.preempted) return {Do::nothing, "it was not preempted"};
  if (facts.work_done) return {Do::nothing, "the work is done"};
  if (facts.now == EndCause::cancel || facts.at_notice == EndCause::cancel) {
    return {Do::nothing, "the job was cancelled"};
  }
  if (facts.now == EndCause::requeue) return {Do::theirs, "a requeue is under way"};
  if (facts.job && facts.job->phase == JobState::Phase::pending) {
    return {Do::theirs, "the job is pending already"};
  }
  if (!facts.refusal.empty()) return {Do::nothing, facts.refusal};
  const bool asked_for = facts.mode != RequeueMode::none && facts.mode != RequeueMode::exit;
  if (!facts.job && known_cause(facts) == EndCause::unknown && asked_for) {
    return decide_without_scontrol(facts, "Slurm does not say why the run was to end");
  }
  if (const std::string why = unanswered(facts); !why.empty()) return {Do::nothing, why};
  switch (facts.mode) {
    case RequeueMode::exit: return by_exit(facts);
    case RequeueMode::linger: return by_lingering(facts);
    case RequeueMode::automatic:
      // slurmctld judges the code and the cancel in one step; a scancel in between wins.
      if (facts.exit_code && facts.exit_is_the_jobs && is_running(facts)) return by_exit(facts);
      return by_call(facts);
    default: return by_call(facts);
  }
}

RequeueDecision decide_without_scontrol(const RequeueFacts& facts, const std::string& trouble) {
  const bool perhaps_grace =
      !facts.job && is_bare_term(facts) && facts.signal == SIGTERM && facts.has_grace;
  if (slurm_will(facts) || (perhaps_grace && facts.preemption_requeues)) {
    return {Do::linger, trouble + "; staying until Slurm ends the job and requeues it"};
  }
  // Where a cancel is the cause after all, Slurm does not requeue for the code.
  if (facts.exit_code && facts.exit_is_the_jobs && !is_bare_term(facts)) {
    return {Do::leave, trouble + "; exit status " + std::to_string(*facts.exit_code)};
  }
  return {Do::nothing, trouble};
}

}  // namespace pw
