#include "core/gate_plan.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace pw {

TEST_CASE("what an array will do") {
  struct Row {
    std::size_t tasks;
    GateLimits limits;
    Nanos makespan;  // at least, and at most 5 % and half a minute more
    std::size_t most_starting;
  };
  const GateLimits rate{.spacing = Millis(100)};
  const GateLimits sixteen{.max_starting = 16};
  const GateLimits both{.spacing = Millis(200), .max_starting = 32};
  const Row rows[] = {{1, rate, Nanos(0), 1},
                      {10'000, rate, Millis(999'900), 200},
                      {100'000, rate, Millis(9'999'900), 200},
                      {1'000, sixteen, Seconds(1'220), 16},
                      {1'000, both, Seconds(600), 32}};
  for (const Row& row : rows) {
    CAPTURE(row.tasks);
    const GatePlan plan = plan_gate(row.tasks, row.limits, Seconds(20));
    CHECK(plan.starts.size() == row.tasks);
    CHECK(std::is_sorted(plan.starts.begin(), plan.starts.end()));
    CHECK(plan.makespan() >= row.makespan);
    CHECK(plan.makespan() <= row.makespan * 105 / 100 + Seconds(30));
    CHECK(plan.most_starting == row.most_starting);
    if (!row.limits.ticketed()) CHECK(plan.requests <= 5 * row.tasks);
  }
}

TEST_CASE("its text") {
  CHECK(plan_text({}) == "no tasks\n");
  const std::string text = plan_text(plan_gate(100, {.spacing = Seconds(1)}, Seconds(5)));
  for (const char* part : {"makespan        1m39s", "mean rate       1.01/s", "busiest second  1 ",
                           "in start-up", "requests"}) {
    CAPTURE(part);
    CHECK(text.find(part) != std::string::npos);
  }
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t end = text.find('\n', from);
    CHECK(end - from <= 80);
    from = end + 1;
  }
}

}  // namespace pw
