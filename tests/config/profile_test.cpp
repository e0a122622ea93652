#include "core/profile.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "config/yaml.hpp"

using namespace pw;

namespace {

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// The file as a user would write it into a config file.
std::string as_section(std::string_view name, const std::string& text) {
  std::string section = "profiles:\n  " + std::string(name) + ":\n";
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) section += "    " + line + "\n";
  return section;
}

}  // namespace

TEST_CASE("the table in the program is what the YAML library reads from profiles/") {
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(PW_PROFILES)) {
    ++files;
    const std::string name = entry.path().stem();
    CAPTURE(name);
    const ShippedProfile* shipped = find_shipped_profile(name);
    REQUIRE(shipped != nullptr);
    const auto read =
        parse_yaml_settings(as_section(name, text_of(entry.path())), "f", Layer::config_file);
    CHECK(read.complaints.empty());
    REQUIRE(read.profiles.size() == 1);
    std::size_t options = 0;
    for (const auto& [key, text] : shipped->lines) {
      CAPTURE(key);
      if (key == kSays) {
        CHECK(read.profiles[0].says == text);
        continue;
      }
      REQUIRE(options < read.profiles[0].given.size());
      const Given& given = read.profiles[0].given[options++];
      CHECK(given.name == key);
      CHECK(given.text == text);
      CHECK(fault_of(given) == "");
    }
    CHECK(options == read.profiles[0].given.size());
  }
  CHECK(files == shipped_profiles().size());
}
