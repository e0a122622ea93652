#pragma once
#include <optional>
#include <string>

#include "core/end_cause.hpp"

namespace pw {

/// --requeue.
enum class RequeueMode { none, automatic, repair, scontrol, exit, linger };

/// All that a requeue is decided from, when the trainer has ended.
struct RequeueFacts {
  RequeueMode mode = RequeueMode::none;
  bool preempted = false;  ///< it was given a notice and ended because of it, or never started
  bool work_done = false;
  Signal signal = 0;  ///< of the notice
  NoticeSource source = NoticeSource::signal;
  EndCause at_notice = EndCause::unknown;
  EndCause now = EndCause::unknown;  ///< asked again, right before
  std::optional<JobState> job;       ///< likewise; nothing: slurmctld did not answer
  bool preemption_requeues = false;  ///< PreemptMode=REQUEUE in slurm.conf
  bool has_grace = false;            ///< GraceTime there: a TERM may be its start
  std::optional<int> exit_code;      ///< --requeue-exit, else the first of RequeueExit
  bool exit_is_the_jobs = false;     ///< we are the batch process: our status is the job's
  std::string refusal;               ///< of the loop guard; empty: it allows
};

/// As asked last, else as at the notice.
EndCause known_cause(const RequeueFacts& facts);

struct RequeueDecision {
  enum class Do {
    nothing,
    call,    ///< scontrol requeue
    leave,   ///< exit with exit_code, which RequeueExit names
    linger,  ///< stay until Slurm ends the job, which it requeues then by itself
    theirs,  ///< a requeue is under way already
  };
  Do what = Do::nothing;
  std::string why;  ///< for the log: "the job was cancelled"
};

/// What to do (docs/slurm.md, "What comes back"). Never after a cancel, never when the work is
/// done, never when a requeue is under way. Pure; the one place of these rules.
RequeueDecision decide_requeue(const RequeueFacts& facts);

/// What to do where scontrol cannot be had, hangs, or refuses: what Slurm does by itself.
RequeueDecision decide_without_scontrol(const RequeueFacts& facts, const std::string& trouble);

}  // namespace pw
