#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "core/time.hpp"

namespace pw {

enum class Proctrack { unknown, cgroup, linuxproc, pgid };

/// What of slurm.conf(5) decides whom Slurm signals and when it KILLs. Absent keys keep the stock
/// values: KillWait 30 s.
struct SlurmConf {
  Proctrack proctrack = Proctrack::unknown;
  std::optional<Nanos> kill_wait;
};

/// `Key=Value` words, # comments; keys without regard to case; the last of two counts.
SlurmConf parse_slurm_conf(std::string_view text);

/// The first readable of $SLURM_CONF, /run/slurm/conf/slurm.conf (configless) and
/// /etc/slurm/slurm.conf; nothing known where none is.
SlurmConf read_slurm_conf();

}  // namespace pw
