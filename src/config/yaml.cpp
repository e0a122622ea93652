#include "config/yaml.hpp"

#include <yaml-cpp/yaml.h>

#include <set>

#include "core/option_table.hpp"
#include "core/text.hpp"

namespace pw {
namespace {

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
      for (const auto& item : root) read_item(item.first, item.second);
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

  void read_item(const YAML::Node& key, const YAML::Node& value) {
    if (!key.IsScalar()) return complain(key.Mark(), "a key must be the name of an option");
    const std::string& name = key.Scalar();
    const Option* option = find_option(name);
    if (option == nullptr) return complain(key.Mark(), unknown(name));
    if (option->reach == Reach::command_line) {
      return complain(key.Mark(), name + " can be given on the command line only");
    }
    // yaml-cpp would silently take the first of two.
    if (!seen_.insert(name).second) return complain(key.Mark(), name + " is given twice");
    // A value that is not there has no place of its own.
    if (value.IsNull()) return complain(key.Mark(), name + " has no value");
    std::string text;
    if (!as_text(name, value, text)) {
      return complain(value.Mark(), name + ": a plain value is expected here");
    }
    result_.given.push_back({name, text, at(value.Mark())});
  }

  static std::string unknown(const std::string& name) {
    std::vector<std::string> names;
    for (const Option& option : option_table()) names.emplace_back(option.name);
    return "unknown key " + name + did_you_mean(name, names);
  }

  static bool as_text(const std::string& name, const YAML::Node& value, std::string& text) {
    if (value.IsScalar()) {
      text = value.Scalar();
      return true;
    }
    const bool list = name == "notice" || name == "map-signal" || name == "ladder";
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
  std::set<std::string> seen_;
  YamlSettings result_;
};

}  // namespace

YamlSettings parse_yaml_settings(const std::string& text, const std::string& path, Layer layer) {
  return Reader(path, layer).read(text);
}

}  // namespace pw
