#include "verbs/profile.hpp"

#include <algorithm>

#include "core/profile.hpp"
#include "core/text.hpp"

namespace pw {
namespace {

constexpr std::string_view kAuto = "auto";
constexpr std::string_view kNone = "none";

bool exists(std::string_view name, std::span<const ProfileSettings> files) {
  return find_shipped_profile(name) != nullptr ||
         std::any_of(files.begin(), files.end(),
                     [&](const ProfileSettings& profile) { return profile.name == name; });
}

std::string no_such(std::string_view name, std::span<const ProfileSettings> files) {
  std::vector<std::string> names{std::string(kAuto), std::string(kNone)};
  for (const ShippedProfile& profile : shipped_profiles()) names.emplace_back(profile.name);
  for (const ProfileSettings& profile : files) names.push_back(profile.name);
  return "profile: there is no \"" + std::string(name) + "\"" + did_you_mean(name, names);
}

// The name that was asked for, "auto" if none was. Of the others nothing is left in `given`.
std::string wanted(std::vector<Given>& given, std::span<const ProfileSettings> files,
                   std::vector<Complaint>& unknown) {
  while (const Given* found = strongest_given(given, "profile")) {
    if (found->text == kAuto || found->text == kNone || exists(found->text, files)) {
      return found->text;
    }
    unknown.push_back({found->origin, no_such(found->text, files)});
    given.erase(given.begin() + (found - given.data()));
  }
  return std::string(kAuto);
}

}  // namespace

Profile choose_profile(std::vector<Given>& given, std::span<const std::string> command,
                       std::span<const ProfileSettings> files, std::vector<Complaint>& unknown) {
  Profile profile{.name = wanted(given, files, unknown), .given = {}, .says = {}};
  const bool recognise = profile.name == kAuto;
  if (recognise) profile.name = recognised_profile(command);
  if (profile.name == kNone || !exists(profile.name, files)) return {};
  if (recognise) {
    const Origin origin{Layer::profile, "recognised from the command"};
    profile.given.push_back({"profile", profile.name, origin});
  }
  for (const ProfileSettings& more : files) {
    if (more.name != profile.name) continue;
    profile.given.insert(profile.given.end(), more.given.begin(), more.given.end());
    if (profile.says.empty()) profile.says = more.says;
  }
  const ShippedProfile* shipped = find_shipped_profile(profile.name);
  if (shipped == nullptr) return profile;
  const Origin origin{Layer::profile, "profile " + profile.name};
  for (const auto& [name, text] : shipped->lines) {
    if (name != kSays) {
      profile.given.push_back({std::string(name), std::string(text), origin});
    } else if (profile.says.empty()) {
      profile.says = text;
    }
  }
  return profile;
}

std::string remark(const Profile& profile, const Merged& merged) {
  std::string text = "profile " + profile.name;
  bool first = true;
  for (const auto& [name, given] : merged.chosen) {
    const Layer layer = given.origin.layer;
    if (name == "profile" || (layer != Layer::profile && layer != Layer::config_profile)) continue;
    text += (first ? ": " : ", ") + name + " " + given.text;
    first = false;
  }
  if (!profile.says.empty()) text += "; " + profile.says;
  return text;
}

}  // namespace pw
