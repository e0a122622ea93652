#pragma once
#include <string>
#include <vector>

#include "core/settings.hpp"

namespace pw {

/// What a file says of one profile, in its `profiles:` map.
struct ProfileSettings {
  std::string name;
  std::vector<Given> given;
  std::string says;  ///< a sentence for the start line
};

/// The settings of a YAML text, each with FILE:LINE:COLUMN, and what is wrong with it: no map, an
/// unknown or double key, a value that is neither a scalar nor, for notice,
/// map-signal and ladder, a list (joined by commas), for map-signal also a map. Never throws.
struct YamlSettings {
  std::vector<Given> given;
  std::vector<ProfileSettings> profiles;
  std::vector<Complaint> complaints;
};
YamlSettings parse_yaml_settings(const std::string& text, const std::string& path, Layer layer);

}  // namespace pw
