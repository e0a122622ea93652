#pragma once
#include <sys/types.h>

#include <optional>
#include <string>

#include "core/step_ranks.hpp"
#include "core/time.hpp"
#include "slurm/slurm_conf.hpp"

namespace pw {

/// The Slurm job that this process is part of.
struct SlurmJob {
  std::string id;                  ///< "812", in arrays "812_17": right for scontrol, always
  std::string job_id;              ///< SLURM_JOB_ID; may name the whole array
  std::string cluster;             ///< SLURM_CLUSTER_NAME
  std::string step;                ///< SLURM_STEP_ID; empty in a batch script
  int rank = 0;                    ///< SLURM_PROCID in a step, else 0
  int restarts = 0;                ///< SLURM_RESTART_COUNT, unset on the first run
  pid_t slurmstepd = 0;            ///< our parent, if it is slurmstepd: then Slurm signals us
  pid_t stepd_above = 0;           ///< the nearest slurmstepd; under linuxproc it signals us, too
  std::string parent_name;         ///< whose child we are
  std::optional<Instant> end;      ///< SLURM_JOB_END_TIME: set from 23.02 on, stale after a change
  std::optional<StepRanks> ranks;  ///< of a step with more than one task
  SlurmConf conf;
};

/// SLURM_* count only when an ancestor is slurmstepd or our cgroup names the job; the variables of
/// a shell that outlived its job do not make one. Where /proc cannot tell they are believed.
std::optional<SlurmJob> find_slurm_job();

}  // namespace pw
