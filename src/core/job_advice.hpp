#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/batch_options.hpp"
#include "core/settings.hpp"

namespace pw {

/// What is known of a job a moment after its start.
struct JobFacts {
  bool may_requeue = true;              ///< by slurmctld
  bool has_end = true;                  ///< likewise
  std::optional<BatchOptions> options;  ///< nothing: the script could not be had
  bool signal_by_environment = false;   ///< SBATCH_SIGNAL
  bool append_by_environment = false;   ///< SBATCH_OPEN_MODE, JobFileAppend
};

/// A line for the log. What sbatch was given on its command line nobody can see: where it may say
/// otherwise it is a remark, no warning.
struct JobAdvice {
  LogLevel level = LogLevel::warning;
  std::string text;
};

/// What cannot work with the job's own options.
std::vector<JobAdvice> advise_on_job(const Settings& settings, const JobFacts& facts);

}  // namespace pw
