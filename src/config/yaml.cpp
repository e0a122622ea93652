#include "config/yaml.hpp"

#include <yaml-cpp/yaml.h>

#include <optional>
#include <set>

#include "core/option_table.hpp"
#include "core/profile.hpp"
#include "core/text.hpp"

namespace pw {
namespace {

constexpr const char* kProfiles = "profiles";

// The line of a document marker after other content, or 0. At the begin of a line `---` is always
// one. Not YAML::LoadAll: four bytes make 0.7 allocate without end (tests/fuzz found them).
int second_document(const std::string& text) {
  bool content = false;
  int number = 0;
  for (const std::string_view line : split(text, '\n')) {
    ++number;
    const bool marker = line.starts_with("---") && (line.size() == 3 || line[3] <= ' ');
    if (marker && content) return number;
    const std::string_view words = trimmed(line);
    content = content || marker || !(words.empty() || words[0] == '#' || words[0] == '%');
  }
  return 0;
}

class Reader {
 public:
  Reader(std::string path, Layer layer) : path_(std::move(path)), layer_(layer) {}

  YamlSettings read(const std::string& text) {
    try {
      if (const int line = second_document(text); line != 0) {
        result_.complaints.push_back({{layer_, path_ + ":" + std::to_string(line) + ":1"},
                                      "a second document (after ---) is not read"});
        return std::move(result_);
      }
      const YAML::Node root = YAML::Load(text);
      if (root.IsNull()) return std::move(result_);
      if (!root.IsMap()) {
        complain(root.Mark(), "the file is no map of `option: value` lines");
        return std::move(result_);
      }
      read_settings(root);
    } catch (const YAML::Exception& error) {
      complain(error.mark, error.msg);
    }
    return std::move(result_);
  }

 private:
  Origin at(const YAML::Mark& mark) const {
    const bool known = !mark.is_null();
    return {layer_, path_ + ":" + std::to_string(known ? mark.line + 1 : 1) + ":" +
                        std::to_string(known ? mark.column + 1 : 1)};
  }

  void complain(const YAML::Mark& mark, const std::string& text) {
    result_.complaints.push_back({at(mark), text});
  }

  void read_settings(const YAML::Node& root) {
    std::set<std::string> seen;
    for (const auto& item : root) {
      const std::optional<std::string> key = read_key(item.first, seen);
      if (!key) continue;
      if (*key == kProfiles) {
        read_profiles(item.second);
      } else if (auto given = read_item(*key, item.first, item.second)) {
        result_.given.push_back(std::move(*given));
      }
    }
  }

  void read_profiles(const YAML::Node& profiles) {
    if (!profiles.IsMap()) return complain(profiles.Mark(), "profiles: a map of names is expected");
    std::set<std::string> seen;
    for (const auto& item : profiles) {
      const std::optional<std::string> name = read_key(item.first, seen);
      if (!name) continue;
      if (*name == "none" || *name == "auto") {
        complain(item.first.Mark(), "no profile can be called " + *name);
      } else if (!item.second.IsMap()) {
        complain(item.first.Mark(), "profile " + *name + " is no map of `option: value` lines");
      } else {
        read_profile(*name, item.second);
      }
    }
  }

  void read_profile(const std::string& name, const YAML::Node& settings) {
    ProfileSettings profile{.name = name, .given = {}, .says = {}};
    std::set<std::string> seen;
    for (const auto& item : settings) {
      const std::optional<std::string> key = read_key(item.first, seen);
      if (!key) continue;
      if (*key == kSays && item.second.IsScalar()) {
        profile.says = item.second.Scalar();
      } else if (*key == "profile" || *key == kProfiles) {
        complain(item.first.Mark(), "a profile cannot have profiles");
      } else if (auto given = read_item(*key, item.first, item.second)) {
        const bool strict = given->origin.strict();
        given->origin.layer = strict ? Layer::config_profile : Layer::profile;
        given->origin.place += " (profile " + name + ")";
        profile.given.push_back(std::move(*given));
      }
    }
    result_.profiles.push_back(std::move(profile));
  }

  std::optional<std::string> read_key(const YAML::Node& key, std::set<std::string>& seen) {
    if (!key.IsScalar()) {
      complain(key.Mark(), "a key must be the name of an option");
      return {};
    }
    // yaml-cpp would silently take the first of two.
    if (!seen.insert(key.Scalar()).second) {
      complain(key.Mark(), key.Scalar() + " is given twice");
      return {};
    }
    return key.Scalar();
  }

  std::optional<Given> read_item(const std::string& name, const YAML::Node& key,
                                 const YAML::Node& value) {
    const Option* option = find_option(name);
    std::string text;
    if (option == nullptr) {
      complain(key.Mark(), unknown(name));
    } else if (option->reach == Reach::command_line) {
      complain(key.Mark(), name + " can be given on the command line only");
    } else if (value.IsNull()) {
      complain(key.Mark(), name + " has no value");  // which has no place of its own
    } else if (!as_text(name, value, text)) {
      complain(value.Mark(), name + ": a plain value is expected here");
    } else {
      return Given{name, text, at(value.Mark())};
    }
    return {};
  }

  static std::string unknown(const std::string& name) {
    std::vector<std::string> names;
    for (const Option& option : option_table()) names.emplace_back(option.name);
    names.emplace_back(kProfiles);
    return "unknown key " + name + did_you_mean(name, names);
  }

  static bool as_text(const std::string& name, const YAML::Node& value, std::string& text) {
    if (value.IsScalar()) {
      text = value.Scalar();
      return true;
    }
    const Option* option = find_option(name);
    const bool words = option != nullptr && option->value == "LIST";
    const bool list = words || name == "map-signal" || name == "ladder";
    if (list && value.IsSequence() && value.size() > 0) {
      for (const auto& item : value) {
        if (!item.IsScalar()) return false;
        text += (text.empty() ? "" : ",") + item.Scalar();
      }
      return true;
    }
    if (value.IsMap() && name == "map-signal" && value.size() > 0) {
      for (const auto& item : value) {
        if (!item.first.IsScalar() || !(item.second.IsScalar() || item.second.IsNull()))
          return false;
        const std::string to = item.second.IsNull() ? "" : item.second.Scalar();
        text += (text.empty() ? "" : ",") + item.first.Scalar() + ":" + to;
      }
      return true;
    }
    return false;
  }

  std::string path_;
  Layer layer_;
  YamlSettings result_;
};

}  // namespace

YamlSettings parse_yaml_settings(const std::string& text, const std::string& path, Layer layer) {
  return Reader(path, layer).read(text);
}

}  // namespace pw
