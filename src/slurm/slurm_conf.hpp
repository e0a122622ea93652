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
  /// KillWait after that. Nothing: it stands elsewhere (preempt/qos, a file that is included), so
  /// nobody here knows it, and no SIGKILL of ours may count on 0.
  std::optional<Nanos> grace_time;
  bool preemption_requeues = false;  ///< PreemptMode=REQUEUE, of our partition or of the cluster
  bool appends = false;              ///< JobFileAppend=1: as sbatch --open-mode=append
  std::optional<int> requeue_exit;   ///< the first code of RequeueExit
};

/// `Key=Value` words, # comments, lines that a backslash continues; keys without regard to case;
/// the last of two counts. A line of PartitionName=DEFAULT holds for the partitions after it. Files
/// that it includes are not read.
SlurmConf parse_slurm_conf(std::string_view text, std::string_view partition);

/// The first readable of $SLURM_CONF, /run/slurm/conf/slurm.conf (configless) and
/// /etc/slurm/slurm.conf; where none is, nothing is known.
SlurmConf read_slurm_conf(std::string_view partition);

}  // namespace pw
