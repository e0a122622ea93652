#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace pw {

/// What slurmctld says of a job at one moment: the fields of `scontrol show job -o` that decide
/// when and why it ends (22.05.8, observed; docs/slurm.md). Times are seconds since 1970, as
/// SLURM_TIME_FORMAT=%s has them, on slurmctld's clock.
struct JobState {
  enum class Phase { pending, running, suspended, completing, over };
  Phase phase = Phase::running;
  std::string name;                       ///< JobState as written: "COMPLETING"
  std::string reason;                     ///< "None", "TimeLimit"
  std::int64_t restarts = 0;              ///< counts a requeue from the moment that it is decided
  bool may_requeue = true;                ///< Requeue=1: neither --no-requeue nor JobRequeue=0
  std::optional<std::int64_t> start;      ///< of this run
  std::optional<std::int64_t> end;        ///< moved by a preemption's grace; no time in a requeue
  std::optional<std::int64_t> preempted;  ///< PreemptTime: when the grace began, or ended
};

/// The first job of the output. An error names the field that is missing or senseless.
Result<JobState> parse_job_state(std::string_view text);

}  // namespace pw
