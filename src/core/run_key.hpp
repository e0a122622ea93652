#pragma once
#include <string>

namespace pw {

/// One run of a job, as the files in the state folder are named. The texts come from the
/// environment and may be anything: what has no place in a file's name becomes `_`, and too long
/// ones are cut.
struct RunKey {
  std::string cluster;  ///< SLURM_CLUSTER_NAME
  std::string job;      ///< "812", in arrays "812_17"
  int restarts = 0;     ///< SLURM_RESTART_COUNT
};

std::string job_name(const RunKey& key);                            ///< "main.812_17"
std::string run_name(const RunKey& key);                            ///< "main.812_17.2"
std::string step_name(const RunKey& key, const std::string& step);  ///< "main.812_17.2.0"

}  // namespace pw
