#include "verbs/job_paths.hpp"

#include <unistd.h>

#include <array>

#include "config/environment.hpp"
#include "os/state_folder.hpp"

namespace pw {
namespace {

std::string user_name() {
  const std::string user = environment_value("SLURM_JOB_USER");
  return user.empty() ? environment_value("USER") : user;
}

std::string or_zero(const char* variable) {
  const std::string value = environment_value(variable);
  return value.empty() ? "0" : value;
}

}  // namespace

std::string host_name() {
  std::array<char, 256> name{};
  gethostname(name.data(), name.size() - 1);
  return name.data();
}

PatternValues pattern_values(const std::optional<SlurmJob>& job, const std::string& host) {
  PatternValues values{.job_id = "0",
                       .array_job_id = "0",
                       .array_task = "0",
                       .task = "0",
                       .node = "0",
                       .node_name = host,
                       .user = user_name(),
                       .host = host};
  if (!job) return values;
  const std::string array = environment_value("SLURM_ARRAY_JOB_ID");
  const std::string node = environment_value("SLURMD_NODENAME");
  values.job_id = job->job_id;
  values.array_job_id = array.empty() ? job->job_id : array;
  values.array_task = or_zero("SLURM_ARRAY_TASK_ID");
  values.task = std::to_string(job->rank);
  values.node = or_zero("SLURM_NODEID");
  if (!node.empty()) values.node_name = node;
  return values;
}

Result<std::string> state_folder_for(const Settings& settings) {
  return state_folder({.option = settings.state_dir,
                       .state_directory = environment_value("STATE_DIRECTORY"),
                       .xdg_state_home = environment_value("XDG_STATE_HOME"),
                       .home = environment_value("HOME")});
}

}  // namespace pw
