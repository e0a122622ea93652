#include "core/stagger.hpp"

#include <doctest/doctest.h>

#include "core/start_rate.hpp"

namespace pw {

TEST_CASE("places in an array") {
  struct Row {
    const char* id;
    const char* first;
    const char* last;
    const char* step;
    std::optional<ArrayPlace> place;
  };
  const Row rows[] = {
      {"0", "0", "99", "1", ArrayPlace{0, 100}},
      {"99", "0", "99", "1", ArrayPlace{99, 100}},
      {"7", "1", "9", "2", ArrayPlace{3, 5}},
      {"5", "1", "17", "1", ArrayPlace{4, 17}},  // --array=1,5,17
      {"5", "1", "17", "", ArrayPlace{4, 17}},   // no step is 1
      {"", "0", "9", "1", {}},
      {"10", "0", "9", "1", {}},
      {"-1", "0", "9", "1", {}},
      {"3", "5", "9", "1", {}},
      {"3", "0", "9", "0", {}},
      {"3", "0", "x", "1", {}},
      {"3", "0", "99999999999999999999", "1", {}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.id);
    CHECK(array_place(row.id, row.first, row.last, row.step) == row.place);
  }
}

TEST_CASE("one delay in each part of the window, and always the same") {
  for (std::int64_t count = 1; count <= 400; ++count) {
    const Nanos window = Seconds(1000);
    for (std::int64_t index = 0; index < count; ++index) {
      const Nanos delay = stagger_delay(window, ArrayPlace{index, count}, "812", 0);
      REQUIRE(delay >= window * index / count - Nanos(1000));
      REQUIRE(delay <= window * (index + 1) / count);
      REQUIRE(delay == stagger_delay(window, ArrayPlace{index, count}, "812", 0));
    }
  }
}

TEST_CASE("who was requeued does not wait its whole share again") {
  const ArrayPlace last{999, 1000};
  CHECK(stagger_delay(Seconds(1000), last, "812", 0) > Seconds(990));
  for (int restarts = 1; restarts < 50; ++restarts) {
    CHECK(stagger_delay(Seconds(1000), last, "812", restarts) < kStaggerAlone);
    CHECK(stagger_delay(Seconds(2), last, "812", restarts) < Seconds(2));
  }
  CHECK(stagger_delay(Seconds(1000), last, "812", 1) !=
        stagger_delay(Seconds(1000), last, "812", 2));
}

TEST_CASE("without an array the job decides") {
  CHECK(stagger_delay(Seconds(100), {}, "1", 0) < Seconds(100));
  CHECK(stagger_delay(Seconds(100), {}, "1", 0) != stagger_delay(Seconds(100), {}, "2", 0));
  CHECK(stagger_delay(Nanos(0), ArrayPlace{3, 4}, "1", 0) == Nanos(0));
}

TEST_CASE("start rates") {
  struct Row {
    const char* text;
    Nanos spacing;
  };
  const Row rows[] = {{"5/s", Millis(200)},           {"200/min", Millis(300)},
                      {"90/h", Seconds(40)},          {"0.5/s", Seconds(2)},
                      {"1/h", std::chrono::hours(1)}, {"1000000/s", std::chrono::microseconds(1)}};
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto spacing = parse_start_rate(row.text);
    REQUIRE(spacing.has_value());
    CHECK(*spacing == row.spacing);
  }
  for (const char* bad : {"", "0", "5", "0/s", "-1/s", "5/parsec", "/s", "5/", "inf/s", "nan/s",
                          "1e3/s", " 5/s", "5 /s", "2000000/s", "0.00001/h", "5/s/s"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_start_rate(bad).has_value());
  }
}

}  // namespace pw
