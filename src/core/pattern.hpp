#pragma once
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace pw {

/// What sbatch's filename patterns stand for (sbatch(1), "filename pattern"); outside a job the
/// numbers are 0.
struct PatternValues {
  std::string job_id;        ///< %j
  std::string array_job_id;  ///< %A, outside arrays as %j
  std::string array_task;    ///< %a
  std::string task;          ///< %t, the rank
  std::string node;          ///< %n, relative to the job
  std::string node_name;     ///< %N
  std::string user;          ///< %u
  std::string host;          ///< %h
};

/// `%j %A %a %t %n %N %u %h %%`, with a width for leading zeros as in %4t; an error for any other.
Result<std::string> expand_pattern(std::string_view pattern, const PatternValues& values);

}  // namespace pw
