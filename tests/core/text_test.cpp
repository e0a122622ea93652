#include "core/text.hpp"

#include <doctest/doctest.h>

#include "core/command_text.hpp"

using namespace pw;

TEST_CASE("split keeps empty items, but an empty text has none") {
  CHECK(split("a,b,,c", ',') == std::vector<std::string_view>{"a", "b", "", "c"});
  CHECK(split("a,", ',') == std::vector<std::string_view>{"a", ""});
  CHECK(split("", ',').empty());
}

TEST_CASE("a slip of the fingers is explained, a strange word is not") {
  const std::vector<std::string> known{"grace", "ladder", "lead", "map-signal"};
  struct Row {
    const char* word;
    const char* want;
  };
  const Row rows[] = {
      {"grce", "grace"}, {"garce", "grace"}, {"ldr", ""}, {"map_signal", "map-signal"},
      {"leads", "lead"}, {"zebra", ""},      {"", ""}};
  for (const Row& row : rows) {
    CAPTURE(row.word);
    CHECK(nearest_word(row.word, known) == row.want);
  }
}

TEST_CASE("the base name is what follows the last slash") {
  CHECK(base_name("/usr/bin/srun") == "srun");
  CHECK(base_name("srun") == "srun");
  CHECK(base_name("a/") == "");
}

TEST_CASE("a command in a sentence") {
  const std::vector<std::string> train{"/usr/bin/python3", "/home/ada/train.py", "--lr", "3"};
  CHECK(command_text(train) == "/usr/bin/python3 /home/ada/train.py --lr 3");
  CHECK(short_command_text(train) == "python3 train.py");
  const std::vector<std::string> odd{"sh", "-c", "a\nb\x1b[31m"};
  CHECK(command_text(odd) == "sh -c a b [31m");
  CHECK(short_command_text(odd) == "sh");
  CHECK(command_text(std::vector<std::string>{std::string(200, 'x')}).size() == 60);
}
