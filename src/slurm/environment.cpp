#include "slurm/environment.hpp"

#include <unistd.h>

#include <fstream>

#include "config/environment.hpp"
#include "core/number.hpp"
#include "os/clock.hpp"
#include "os/process_table.hpp"

namespace pw {
namespace {

constexpr int kAncestorsMax = 64;
constexpr const char* kStepd = "slurmstepd";

pid_t stepd_above_us() {
  pid_t pid = getppid();
  for (int i = 0; i < kAncestorsMax && pid > 0; ++i) {
    const auto entry = read_process(pid);
    if (!entry) return 0;
    if (entry->name == kStepd) return pid;
    pid = entry->parent;
  }
  return 0;
}

// v1: .../slurm/uid_1000/job_812/step_0, v2: .../slurmstepd.scope/job_812/step_0/...
bool cgroup_names(const std::string& job_id) {
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    if ((line + "/").find("/job_" + job_id + "/") != std::string::npos) return true;
  }
  return false;
}

bool proc_can_tell() { return read_process(getpid()).has_value(); }

int number_in(const char* variable) {
  return static_cast<int>(parse_number(environment_value(variable)).value_or(0));
}

}  // namespace

std::optional<SlurmJob> find_slurm_job() {
  SlurmJob job;
  job.job_id = environment_value("SLURM_JOB_ID");
  if (!parse_number(job.job_id)) return {};
  job.stepd_above = stepd_above_us();
  if (proc_can_tell() && job.stepd_above == 0 && !cgroup_names(job.job_id)) return {};

  const std::string array = environment_value("SLURM_ARRAY_JOB_ID");
  const std::string task = environment_value("SLURM_ARRAY_TASK_ID");
  // In an array SLURM_JOB_ID of the last task is the whole array's id (22.05.8, observed).
  job.id = parse_number(array) && parse_number(task) ? array + "_" + task : job.job_id;
  job.cluster = environment_value("SLURM_CLUSTER_NAME");
  job.step = environment_value("SLURM_STEP_ID");
  if (!job.step.empty()) {
    job.rank = number_in("SLURM_PROCID");
    job.ranks = step_ranks({.rank = environment_value("SLURM_PROCID"),
                            .count = environment_value("SLURM_STEP_NUM_TASKS"),
                            .node = environment_value("SLURM_NODEID"),
                            .tasks_per_node = environment_value("SLURM_STEP_TASKS_PER_NODE"),
                            .node_ranks = environment_value("SLURM_GTIDS")});
  }
  job.restarts = number_in("SLURM_RESTART_COUNT");
  if (const auto parent = read_process(getppid())) {
    job.parent_name = parent->name;
    if (parent->name == kStepd) job.slurmstepd = parent->id.pid;
  }
  if (const auto end = parse_number(environment_value("SLURM_JOB_END_TIME")); end && *end > 0) {
    job.end = instant_of_wall(*end);
  }
  job.conf = read_slurm_conf(environment_value("SLURM_JOB_PARTITION"));
  return job;
}

}  // namespace pw
