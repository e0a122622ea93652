#pragma once
#include <cstdint>
#include <optional>

#include "core/deadline.hpp"
#include "core/job_state.hpp"

namespace pw {

/// Two clocks at the same moment: slurmctld's times are of the second one.
struct ClockPair {
  Instant now;
  std::int64_t wall = 0;  ///< seconds since 1970
  Nanos past{0};          ///< of that second
};

/// The job's end on our clock; nothing where it runs no more, or the time makes no sense.
std::optional<Instant> end_of(const JobState& job, std::int64_t own_restarts,
                              const ClockPair& clocks);

/// When Slurm will KILL, by its own word: a fact. While the job runs KILL is at least KillWait -
/// 0.3 s away, however late Slurm looks at the limit (every 30 s) and whatever the clocks say. A
/// job that is being ended is KILLed so long after its TERM, `term_at`; in a requeue EndTime is
/// none.
std::optional<Deadline> deadline_of(const JobState& job, std::int64_t own_restarts,
                                    const ClockPair& clocks, Nanos kill_wait,
                                    std::optional<Instant> term_at);

}  // namespace pw
