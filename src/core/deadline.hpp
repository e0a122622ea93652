#pragma once
#include <optional>

#include "core/signal.hpp"
#include "core/time.hpp"

namespace pw {

/// A fact was said by somebody who decides (--lead, scontrol, a cloud); a guess is our inference.
enum class Certainty { guess, fact };
enum class DeadlineSource { lead, job_end, kill_wait, slurmctld, cloud };

/// When the scheduler will send SIGKILL.
struct Deadline {
  Instant at;
  Certainty certainty;
  DeadlineSource source;
  friend bool operator==(const Deadline&, const Deadline&) = default;
};

/// What is known at the start about the end (docs/architecture.md, "The heart").
struct Schedule {
  bool in_slurm = false;
  bool deadline_known = true;      ///< false: --lead none
  std::optional<Nanos> lead;       ///< --lead D: a fact
  std::optional<Instant> job_end;  ///< SLURM_JOB_END_TIME: a guess, stale after a change
  Nanos kill_wait = Seconds(30);   ///< Slurm's KillWait; slurmd counts at least 5 s
  /// GraceTime of the partition: TERM may be its start as well as its end. Nothing: not known, so
  /// a TERM tells no deadline, and Slurm's own KILL comes.
  std::optional<Nanos> grace_time = Nanos(0);
};

/// slurmd KILLs this much before KillWait is over: 4.69 s of 5 and 11.69 s of 12, 22.05.8 measured.
inline constexpr Nanos kKillWaitShort = Millis(300);

/// KillWait as slurmd counts it: MAX(kill_wait, 5), slurmd/req.c of 22.05 to 25.11.
constexpr Nanos from_term_to_kill(Nanos kill_wait) {
  return (kill_wait < Seconds(5) ? Seconds(5) : kill_wait) - kKillWaitShort;
}

/// The deadline that a signal arriving at `now` tells of; a past or absurd time is none.
std::optional<Deadline> deadline_told_by(const Schedule& schedule, Signal signal, Instant now);

/// The one that counts: a fact beats a guess either way, of two alike the nearer one; slurmctld
/// corrects itself either way, since a limit may be extended and is looked at late.
Deadline prevailing(const std::optional<Deadline>& standing, const Deadline& news);

/// The instant to be done at: `margin` before the deadline, at most a quarter of what is left.
Instant done_by(const Deadline& deadline, Nanos margin, Instant now);

}  // namespace pw
