#include "verbs/settings.hpp"

#include "config/environment.hpp"
#include "config/yaml.hpp"
#include "os/settings_file.hpp"
#include "verbs/profile.hpp"

namespace pw {
namespace {

constexpr const char* kSiteFile = "/etc/preempt-wrap/config.yaml";

std::string user_file() {
  std::string folder = environment_value("XDG_CONFIG_HOME");
  if (folder.empty() || folder[0] != '/') {
    folder = environment_value("HOME");
    if (folder.empty()) return "";
    folder += "/.config";
  }
  return folder + "/preempt-wrap/config.yaml";
}

struct Layers {
  std::vector<Given> given;
  std::vector<ProfileSettings> profiles;
  std::vector<Complaint> errors;
  std::vector<Complaint> warnings;

  void add(std::vector<Given> more, std::vector<Complaint> complaints) {
    given.insert(given.end(), more.begin(), more.end());
    for (Complaint& complaint : complaints) {
      (complaint.origin.strict() ? errors : warnings).push_back(std::move(complaint));
    }
  }

  // Looked at also where it does not apply: the mistake is told today, not on the day it would.
  void add_profile(ProfileSettings profile) {
    std::vector<Complaint> faults;
    std::erase_if(profile.given, [&](const Given& value) {
      const std::string fault = fault_of(value);
      if (!fault.empty()) faults.push_back({value.origin, value.name + ": " + fault});
      return !fault.empty();
    });
    add({}, std::move(faults));
    profiles.push_back(std::move(profile));
  }

  void add_file(const std::string& path, Layer layer) {
    if (path.empty()) return;
    const auto text = read_settings_file(path);
    if (text) {
      YamlSettings settings = parse_yaml_settings(*text, path, layer);
      for (ProfileSettings& profile : settings.profiles) add_profile(std::move(profile));
      return add(std::move(settings.given), std::move(settings.complaints));
    }
    const bool absent = text.error().why == std::errc::no_such_file_or_directory ||
                        text.error().why == std::errc::not_a_directory;
    if (absent && layer != Layer::config_file) return;
    add({}, {{{layer, path}, text.error().text()}});
  }
};

}  // namespace

EffectiveSettings read_settings(std::span<const std::string> words) {
  EffectiveSettings settings;
  settings.line = parse_command_line(words);
  Layers layers;
  layers.add(settings.line.given, settings.line.errors);
  EnvironmentSettings environment = read_environment_settings();
  layers.add(std::move(environment.given), std::move(environment.complaints));
  layers.add_file(settings.line.config_path, Layer::config_file);
  layers.add_file(user_file(), Layer::user_file);
  layers.add_file(kSiteFile, Layer::site_file);
  std::vector<Complaint> unknown;
  Profile profile = choose_profile(layers.given, settings.line.command, layers.profiles, unknown);
  layers.add(profile.given, std::move(unknown));
  settings.merged = merge_settings(layers.given);
  if (!profile.name.empty()) {
    settings.profile_remark = remark(profile, settings.merged);
    settings.profile = std::move(profile.name);
  }
  auto& merged = settings.merged;
  merged.errors.insert(merged.errors.begin(), layers.errors.begin(), layers.errors.end());
  merged.warnings.insert(merged.warnings.begin(), layers.warnings.begin(), layers.warnings.end());
  return settings;
}

}  // namespace pw
