#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "core/time.hpp"

namespace pw {

enum class Proctrack { unknown, cgroup, linuxproc, pgid };

/// What of slurm.conf(5) decides whom Slurm signals and when it KILLs.
struct SlurmConf {
  Proctrack proctrack = Proctrack::unknown;
  std::optional<Nanos> kill_wait;  ///< stock: 30 s
  /// GraceTime of our partition: a preemption sends TERM this much before the end, and KILL comes
  /// KillWait after that. Nothing: it stands elsewhere (preempt/qos), so nobody here knows it.
  std::optional<Nanos> grace_time = Nanos(0);
  bool preemption_requeues = false;  ///< PreemptMode=REQUEUE, of our partition or of the cluster
  bool appends = false;              ///< JobFileAppend=1: as sbatch --open-mode=append
  std::optional<int> requeue_exit;   ///< the first code of RequeueExit
};

/// `Key=Value` words, # comments; keys without regard to case; the last of two counts. A line of
/// PartitionName=DEFAULT holds for the partitions after it.
SlurmConf parse_slurm_conf(std::string_view text, std::string_view partition);

/// The first readable of $SLURM_CONF, /run/slurm/conf/slurm.conf (configless) and
/// /etc/slurm/slurm.conf; the stock values where none is.
SlurmConf read_slurm_conf(std::string_view partition);

}  // namespace pw
