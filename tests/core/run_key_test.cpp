#include "core/run_key.hpp"

#include <doctest/doctest.h>

using namespace pw;

TEST_CASE("the names of a run's files, whatever the environment says") {
  struct Row {
    RunKey key;
    const char* step;
    const char* want;
  };
  const Row rows[] = {
      {{"main", "812", 0}, "0", "main.812.0.0"},
      {{"main", "812_17", 2}, "3", "main.812_17.2.3"},
      {{"", "", 0}, "", "-.-.0.-"},
      {{"../../etc", "/", 1}, "..", "______etc._.1.__"},
      {{"a b\n\x01\xff", "8.1", -1}, "0", "a_b___.8_1.-1.0"},
  };
  for (const Row& row : rows) {
    CHECK(step_name(row.key, row.step) == row.want);
    CHECK(step_name(row.key, row.step) ==
          run_name(row.key) + "." +
              std::string(row.want).substr(std::string(row.want).rfind('.') + 1));
    CHECK(run_name(row.key).starts_with(job_name(row.key) + "."));
  }
  const std::string longest(1000, 'x');
  CHECK(step_name({longest, longest, 2147483647}, longest).size() < 200);
}
