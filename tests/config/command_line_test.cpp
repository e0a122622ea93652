#include "config/command_line.hpp"

#include <doctest/doctest.h>

using namespace pw;

namespace {

using Words = std::vector<std::string>;

std::string joined(const Words& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

// "grace=5m" for each option in the order of strength, then " | " and the command.
std::string taken(const Words& words) {
  const CommandLine line = parse_command_line(words);
  std::string text;
  for (const Given& given : line.given) {
    text += (text.empty() ? "" : " ") + given.name + "=" + given.text;
  }
  for (const Complaint& error : line.errors) text += "!" + error.text;
  return text + " | " + joined(line.command);
}

}  // namespace

TEST_CASE("options end at the first word that is no option, or at --") {
  struct Row {
    const char* fact;
    Words words;
    const char* want;
  };
  const Row rows[] = {
      {"no option", {"python", "t.py", "--lr", "3"}, " | python t.py --lr 3"},
      {"--", {"--", "python", "--grace", "5"}, " | python --grace 5"},
      {"a value of its own word", {"--grace", "5m", "t", "-k", "3"}, "grace=5m | t -k 3"},
      {"a value after =", {"--grace=5m", "t", "--grace=1"}, "grace=5m | t --grace=1"},
      {"a short one", {"-k", "5m", "t"}, "grace=5m | t"},
      {"a short one with its value", {"-k5m", "t"}, "grace=5m | t"},
      {"short ones together", {"-qk", "5m", "t"}, "grace=5m quiet= | t"},
      {"a second -- is the command's", {"-q", "--", "t", "--", "x"}, "quiet= | t -- x"},
      {"the last of two is the stronger", {"-k", "1", "-k", "2", "t"}, "grace=2 grace=1 | t"},
      {"a lone - is a command", {"-", "x"}, " | - x"},
      {"an empty word is a command", {"", "x"}, " | x"},
      {"a command named as an option", {"--", "--grace"}, " | --grace"},
      {"nothing", {}, " | "},
  };
  for (const Row& row : rows) {
    CAPTURE(row.fact);
    CHECK(taken(row.words) == row.want);
  }
}

TEST_CASE("what is wrong is told all at once, and the command is not lost") {
  CHECK(taken({"--grace=", "--frob", "t"}) == "!--grace needs a value!unknown option --frob | t");
  CHECK(taken({"--grce=3", "--frob", "-Z", "--", "t"}) ==
        "!unknown option --grce (did you mean --grace?)!unknown option --frob!unknown option -Z"
        " | t");
  CHECK(taken({"---"}) == "!unknown option --- | ");
  CHECK(taken({"--=x"}) == "!unknown option -- | ");
  CHECK(taken({"--grace"}) == "!--grace needs a value | ");
  CHECK(taken({"--journal", "--grace", "5m", "t"}) == "grace=5m!--journal needs a value | t");
  CHECK(taken({"-k"}) == "!-k needs a value | ");
  CHECK(taken({"--quiet=yes", "t"}) == "!--quiet takes no value | t");
  CHECK(taken({"--gra", "5", "t"}).starts_with("!unknown option --gra"));  // nothing is guessed
}

TEST_CASE("--help, --help-all, --version and --config") {
  CHECK(parse_command_line(Words{"--help"}).wanted == Wanted::help);
  CHECK(parse_command_line(Words{"-h"}).wanted == Wanted::help);
  CHECK(parse_command_line(Words{"--help-all"}).wanted == Wanted::help_all);
  CHECK(parse_command_line(Words{"-V"}).wanted == Wanted::version);
  CHECK(parse_command_line(Words{"t", "--help"}).wanted == Wanted::run);
  CHECK(parse_command_line(Words{"--config", "x.yaml", "t"}).config_path == "x.yaml");
}
