#include "config/yaml.hpp"

#include <doctest/doctest.h>

using namespace pw;

namespace {

std::string read(const std::string& text) {
  const YamlSettings settings = parse_yaml_settings(text, "f", Layer::config_file);
  std::string result;
  for (const Given& given : settings.given) {
    result += given.name + "=" + given.text + "@" + given.origin.place + " ";
  }
  for (const ProfileSettings& profile : settings.profiles) {
    result += profile.name + (profile.says.empty() ? "" : "(" + profile.says + ")") + "{ ";
    for (const Given& given : profile.given) {
      result += given.name + "=" + given.text + "@" + given.origin.place + " ";
    }
    result += "} ";
  }
  for (const Complaint& complaint : settings.complaints) result += "!" + complaint.line() + " ";
  return result;
}

}  // namespace

TEST_CASE("settings come with file, line and column") {
  CHECK(read("grace: 5m\nquiet: true\n") == "grace=5m@f:1:8 quiet=true@f:2:8 ");
  CHECK(read("notice: [USR1, TERM]") == "notice=USR1,TERM@f:1:9 ");
  CHECK(read("final-exit: [93, 2]") == "final-exit=93,2@f:1:13 ");
  CHECK(read("map-signal: {USR1: TERM, HUP: }") == "map-signal=USR1:TERM,HUP:@f:1:13 ");
  CHECK(read("") == "");
  CHECK(read("# nothing\n") == "");
  CHECK(read("done-file: 010") == "done-file=010@f:1:12 ");  // no octal: the text counts
}

TEST_CASE("what is wrong says where, and what was perhaps meant") {
  struct Row {
    const char* text;
    const char* want;
  };
  const Row rows[] = {
      {"grce: 5m", "!f:1:1: unknown key grce (did you mean \"grace\"?) "},
      {"grace: 5m\n\ngrace: 6m", "grace=5m@f:1:8 !f:3:1: grace is given twice "},
      {"config: x", "!f:1:1: config can be given on the command line only "},
      {"grace: {a: b}", "!f:1:8: grace: a plain value is expected here "},
      {"grace: [[1]]", "!f:1:8: grace: a plain value is expected here "},
      {"on-notice: [a, b]", "!f:1:12: on-notice: a plain value is expected here "},
      {"grace: []", "!f:1:8: grace: a plain value is expected here "},
      {"grace:\nto: tree", "to=tree@f:2:5 !f:1:1: grace has no value "},
      {"grace: 5m\n---\nto: tree", "!f:2:1: a second document (after ---) is not read "},
      {"- a", "!f:1:1: the file is no map of `option: value` lines "},
      {"hello", "!f:1:1: the file is no map of `option: value` lines "},
      {"[a]: b", "!f:1:1: a key must be the name of an option "},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(read(row.text) == row.want);
  }
}

TEST_CASE("profiles are maps of the same lines, and a sentence") {
  struct Row {
    const char* text;
    const char* want;
  };
  const Row rows[] = {
      {"profiles:\n  a: {grace: 5m, says: hello}\n  b: {}\ngrace: 1m",
       "grace=1m@f:4:8 a(hello){ grace=5m@f:2:14 (profile a) } b{ } "},
      {"profiles: {a: {grce: 5m}}", "a{ } !f:1:16: unknown key grce (did you mean \"grace\"?) "},
      {"profiles: {a: {profile: b}}", "a{ } !f:1:16: a profile cannot have profiles "},
      {"profiles: {a: {profiles: {}}}", "a{ } !f:1:16: a profile cannot have profiles "},
      {"profiles: {a: {}, a: {}}", "a{ } !f:1:19: a is given twice "},
      {"profiles: {none: {}}", "!f:1:12: no profile can be called none "},
      {"profiles: {a: 5}", "!f:1:12: profile a is no map of `option: value` lines "},
      {"profiles: [a]", "!f:1:11: profiles: a map of names is expected "},
      {"profile: {}", "!f:1:10: profile: a plain value is expected here "},
      {"says: x", "!f:1:1: unknown key says "},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(read(row.text) == row.want);
  }
}

TEST_CASE("one document may have its marker, comments and directives") {
  CHECK(read("%YAML 1.2\n# ours\n---\ngrace: 5m\n") == "grace=5m@f:4:8 ");
  CHECK(read("---\n---\n") == "!f:2:1: a second document (after ---) is not read ");
  CHECK(read("grace: 5m\n---x: 1\n").find("second document") == std::string::npos);
}

TEST_CASE("broken and hostile YAML is a complaint, never an exception") {
  std::string bomb = "a0: &a0 [x]\n";
  for (int i = 1; i < 30; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb +=
        "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before + "," + before + "]\n";
  }
  for (const std::string& text :
       {std::string("grace: 'x"), std::string("a: b: c"), std::string(3000, '['),
        std::string("\xFF\xFE\x00", 3), std::string("&a *a"), std::string("? ? ? ?"), bomb}) {
    CAPTURE(text);
    const YamlSettings settings = parse_yaml_settings(text, "f", Layer::config_file);
    CHECK(settings.given.empty());
  }
  CHECK(read("grace: 'x").starts_with("!f:1:"));
  CHECK(read("a: b: c").starts_with("!f:1:"));
  CHECK(read(bomb).starts_with("!f:1:1: unknown key a0"));
}
