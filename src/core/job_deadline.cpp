#include "core/job_deadline.hpp"

#include <algorithm>

namespace pw {
namespace {

constexpr std::int64_t kAbsurd = 366 * 86'400;  // seconds; no job of this world ends later

}  // namespace

std::optional<Instant> end_of(const JobState& job, std::int64_t own_restarts,
                              const ClockPair& clocks) {
  const bool runs = job.phase == JobState::Phase::running && job.restarts == own_restarts;
  if (!runs || !job.end || *job.end - clocks.wall > kAbsurd) return {};
  const std::int64_t left = std::max<std::int64_t>(*job.end - clocks.wall, 0);
  return clocks.now + std::max<Nanos>(Seconds(left) - clocks.past, Nanos(0));
}

std::optional<Deadline> deadline_of(const JobState& job, std::int64_t own_restarts,
                                    const ClockPair& clocks, Nanos kill_wait,
                                    std::optional<Instant> term_at) {
  using Phase = JobState::Phase;
  const Nanos until_kill = from_term_to_kill(kill_wait);
  const auto fact = [](Instant at) {
    return Deadline{at, Certainty::fact, DeadlineSource::slurmctld};
  };
  if (const auto end = end_of(job, own_restarts, clocks)) return fact(*end + until_kill);
  const bool ending = job.phase == Phase::completing || job.phase == Phase::over;
  if (ending && term_at) return fact(*term_at + until_kill);
  return {};
}

}  // namespace pw
