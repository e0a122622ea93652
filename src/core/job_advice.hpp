#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/settings.hpp"

namespace pw {

/// What is known of a job a moment after its start.
struct JobFacts {
  bool may_requeue = true;     ///< by slurmctld
  bool has_end = true;         ///< likewise
  bool appends = false;        ///< its output, by --open-mode or JobFileAppend
  std::optional<bool> signal;  ///< --signal in script or environment; nothing: no script
  bool passes_us_by = false;   ///< it is for the batch script alone (B:), and we are in a step
};

/// A line for the log. A --signal on sbatch's command line nobody can see, so that it is missing is
/// a remark, no warning.
struct JobAdvice {
  LogLevel level = LogLevel::warning;
  std::string text;
};

/// What cannot work with the job's own options.
std::vector<JobAdvice> advise_on_job(const Settings& settings, const JobFacts& facts);

}  // namespace pw
