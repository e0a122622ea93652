#include "core/progress.hpp"

#include <doctest/doctest.h>

using namespace pw;

namespace {

std::optional<Progress> number(std::int64_t value) { return Progress{.number = value}; }
std::optional<Progress> file(std::int64_t written, std::int64_t size) {
  return Progress{.written = written, .size = size};
}
const std::optional<Progress> kNone;

}  // namespace

TEST_CASE("what is a number of a progress file") {
  struct Row {
    const char* text;
    std::optional<std::int64_t> want;
  };
  const Row rows[] = {{"1200\n", 1200},
                      {"1200", 1200},
                      {" 7 \r\nmore\n", 7},
                      {"0\n", 0},
                      {"", {}},
                      {"\n5\n", {}},
                      {"-1\n", {}},
                      {"1.5\n", {}},
                      {"step 5\n", {}},
                      {"0x1\n", {}},
                      {"99999999999999999999\n", {}}};
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(progress_number(row.text) == row.want);
  }
}

TEST_CASE("what is further") {
  struct Row {
    std::optional<Progress> now;
    std::optional<Progress> before;
    bool want;
  };
  const Row rows[] = {
      {kNone, kNone, false},           {kNone, number(5), false},
      {kNone, file(1, 1), false},      {number(0), kNone, true},
      {number(5), number(5), false},   {number(4), number(5), false},
      {number(6), number(5), true},    {number(1), file(9, 9), true},
      {file(1, 1), number(9), true},   {file(1, 1), kNone, true},
      {file(1, 1), file(1, 1), false}, {file(2, 1), file(1, 1), true},
      {file(1, 2), file(1, 1), true},  {file(1, 1), file(2, 1), true},
  };
  for (const Row& row : rows) {
    CAPTURE(progress_text(row.now));
    CAPTURE(progress_text(row.before));
    CHECK(is_further(row.now, row.before) == row.want);
  }
}

TEST_CASE("progress is written as one word, and read back") {
  for (const auto& progress : {kNone, number(0), number(1200), file(1796000000000000000, 5)}) {
    const auto read = parse_progress(progress_text(progress));
    REQUIRE(read.has_value());
    CHECK(*read == progress);
  }
  for (const char* text : {"", "n", "n:", "n:x", "n:1:2", "w:1", "w:1:x", "w:-1:5", "x:1", "--"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_progress(text).has_value());
  }
}
