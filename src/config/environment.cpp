#include "config/environment.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "core/option_table.hpp"
#include "core/text.hpp"

namespace pw {
namespace {

std::string variable_of(const Option& option) {
  std::string name = upper_case(option.name);
  std::replace(name.begin(), name.end(), '-', '_');
  return std::string(kSettingPrefix) + name;
}

void take(EnvironmentSettings& settings, const std::string& name, const std::string& value) {
  std::vector<std::string> known;
  for (const Option& option : option_table()) {
    const std::string variable = variable_of(option);
    if (option.reach == Reach::everywhere) known.push_back(variable);
    if (variable != name) continue;
    if (option.reach == Reach::everywhere) {
      settings.given.push_back({std::string(option.name), value, {Layer::environment, name}});
    } else {
      settings.complaints.push_back(
          {{Layer::environment, name}, "is not taken from the environment; it is ignored"});
    }
    return;
  }
  // Prefix and all, so that only a slip in the option's own name counts as near.
  const std::string guess = did_you_mean(name, known);
  if (!guess.empty() && name.size() > kSettingPrefix.size() + 2) {
    settings.complaints.push_back({{Layer::environment, name}, "is no setting" + guess});
  }
}

}  // namespace

EnvironmentSettings read_environment_settings() {
  EnvironmentSettings settings;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text(*variable);
    if (!text.starts_with(kSettingPrefix) || text.starts_with(kBypass)) continue;
    const auto equals = text.find('=');
    if (equals == std::string_view::npos || equals + 1 == text.size()) continue;
    take(settings, std::string(text.substr(0, equals)), std::string(text.substr(equals + 1)));
  }
  return settings;
}

std::vector<std::string> trainer_environment() {
  std::vector<std::string> result;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (!std::string_view(*variable).starts_with(kSettingPrefix)) result.emplace_back(*variable);
  }
  return result;
}

std::string environment_value(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace pw
