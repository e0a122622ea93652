#include "core/text.hpp"

#include <doctest/doctest.h>

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
