#pragma once
#include <string>
#include <vector>

#include "core/settings.hpp"

namespace pw {

inline constexpr std::string_view kSettingPrefix = "PREEMPT_WRAP_";
/// Set to 1: the command is executed at once, as if we were not there.
inline constexpr const char* kBypass = "PREEMPT_WRAP_BYPASS";

/// Where the trainer and the hooks find the path of the notice file.
inline constexpr const char* kNoticeFileVariable = "PREEMPT_NOTICE_FILE";

/// PREEMPT_WRAP_<OPTION> settings. Other names with the prefix (modules export odd ones) are a
/// warning if they look like a slip, else nothing; empty values are as if unset.
struct EnvironmentSettings {
  std::vector<Given> given;
  std::vector<Complaint> complaints;
};
EnvironmentSettings read_environment_settings();

/// The environment for the trainer: ours, less the PREEMPT_WRAP_ settings, which a nested wrapper
/// must not inherit.
std::vector<std::string> trainer_environment();

/// A variable's value, or empty.
std::string environment_value(const char* name);

}  // namespace pw
