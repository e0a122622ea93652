#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/yaml.hpp"
#include "core/settings.hpp"

namespace pw {

/// The profile of a run: the settings that ship, and what the user's files say of it.
struct Profile {
  std::string name;  ///< empty: none
  std::vector<Given> given;
  std::string says;
};

/// Chooses by --profile, else by the command, and collects what `files` (strongest first) and the
/// program say of it. Names that nobody knows go from `given` to `unknown`, and the next weaker
/// layer's counts.
Profile choose_profile(std::vector<Given>& given, std::span<const std::string> command,
                       std::span<const ProfileSettings> files, std::vector<Complaint>& unknown);

/// "profile torchrun: exit-preempted 85": what it changes in these settings, and what it says.
std::string remark(const Profile& profile, const Merged& merged);

}  // namespace pw
