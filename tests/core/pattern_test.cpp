#include "core/pattern.hpp"

#include <doctest/doctest.h>

#include <optional>

using namespace pw;

TEST_CASE("sbatch's filename patterns") {
  const PatternValues values{.job_id = "812",
                             .array_job_id = "800",
                             .array_task = "17",
                             .task = "3",
                             .node = "0",
                             .node_name = "n1",
                             .user = "ada",
                             .host = "n1.example"};
  struct Row {
    const char* pattern;
    std::optional<std::string> want;
  };
  const Row rows[] = {
      {"plain", "plain"},
      {"%j-%A_%a.%t", "812-800_17.3"},
      {"%N/%n/%u/%h", "n1/0/ada/n1.example"},
      {"100%%", "100%"},
      {"%4t|%2j", "0003|812"},
      {"%3N", "n1"},
      {"", ""},
      {"%x", {}},
      {"%", {}},
      {"a%", {}},
      {"%12t", {}},
      {"%%j", "%j"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.pattern);
    const auto got = expand_pattern(row.pattern, values);
    CHECK(got.has_value() == row.want.has_value());
    if (got && row.want) CHECK(*got == *row.want);
  }
}
