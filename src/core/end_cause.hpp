#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/job_state.hpp"
#include "core/notice_source.hpp"
#include "core/signal.hpp"

namespace pw {

/// Why a run is to end: PREEMPT_CAUSE, and the journal's word.
enum class EndCause {
  unknown,
  preemption,
  time_limit,
  own_limit,  ///< --notice-after
  cloud,      ///< the machine is taken away: --cloud
  cancel,
  requeue,
  suspend,
  by_hand
};
std::string_view cause_word(EndCause cause);

/// What is known when the cause is asked for.
struct CauseFacts {
  Signal signal = 0;  ///< the notice; 0: it was no signal
  NoticeSource source = NoticeSource::signal;
  std::int64_t restarts = 0;                 ///< our own SLURM_RESTART_COUNT
  std::int64_t now = 0;                      ///< seconds since 1970, on our own clock
  std::optional<JobState> job;               ///< nothing: slurmctld did not answer
  std::optional<std::int64_t> end_in_grace;  ///< EndTime as last seen while RUNNING, preempted
};

/// Of a notice that we gave ourselves: nobody need be asked. Unknown for a signal.
EndCause cause_by_ourselves(NoticeSource source);

/// The table of causes (facts of 22.05.8; docs/slurm.md). USR1 and the like with the end within 30
/// minutes count as the time limit, which --signal announces. A cancel is said only where it can be
/// seen: one that comes when the job is being ended already leaves no trace.
EndCause cause_of(const CauseFacts& facts);

}  // namespace pw
