#include "core/stagger.hpp"

#include <doctest/doctest.h>

#include <set>

#include "core/start_rate.hpp"

using namespace pw;
using namespace std::chrono_literals;

TEST_CASE("a place in an array, from Slurm's variables") {
  struct Row {
    const char *id, *first, *last, *step;
    std::optional<ArrayPlace> place;
  };
  const Row rows[] = {
      {"0", "0", "9", "1", ArrayPlace{0, 10}},
      {"9", "0", "9", "1", ArrayPlace{9, 10}},
      {"17", "1", "230", "1", ArrayPlace{16, 230}},
      {"7", "1", "9", "2", ArrayPlace{3, 5}},
      {"8", "0", "9", "4", ArrayPlace{2, 3}},
      {"5", "1", "17", "1", ArrayPlace{4, 17}},  // --array=1,5,17
      {"17", "1", "17", "4", ArrayPlace{4, 5}},  // a step between them
      {"17", "1", "17", "5", ArrayPlace{3, 4}},  // and one that does not fit
      {"3", "3", "3", "1", ArrayPlace{0, 1}},    // an array of one
      {"3", "0", "9", "", ArrayPlace{3, 10}},    // no step said
      {"", "", "", "", {}},                      // no array
      {"3", "", "9", "1", {}},                   // half of it
      {"3", "0", "", "1", {}},
      {"", "0", "9", "1", {}},
      {"10", "0", "9", "1", {}},  // outside
      {"0", "1", "9", "1", {}},
      {"3", "9", "0", "1", {}},  // the wrong way round
      {"3", "0", "9", "0", {}},
      {"-3", "0", "9", "1", {}},
      {"3", "-1", "9", "1", {}},
      {"4294967294", "0", "9", "1", {}},  // Slurm's NO_VAL
      {"3 ", "0", "9", "1", {}},
      {"three", "0", "9", "1", {}},
      {"0", "0", "9223372036854775807", "1", {}},
      {"99999999999999999999", "0", "99999999999999999999", "1", {}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.id);
    CAPTURE(row.first);
    CAPTURE(row.last);
    CAPTURE(row.step);
    const auto place = array_place(row.id, row.first, row.last, row.step, "");
    CHECK(place.has_value() == row.place.has_value());
    if (!place || !row.place) continue;
    CHECK(place->index == row.place->index);
    CHECK(place->count == row.place->count);
    CHECK(place->tasks == place->count);  // as far as anybody knows
  }
}

TEST_CASE("how many there are in an array with gaps") {
  const std::pair<const char*, std::int64_t> rows[] = {
      {"11", 11}, {"1", 1}, {"1000", 1000}, {"1001", 1000}, {"0", 1000}, {"-1", 1000}, {"x", 1000},
  };
  for (const auto& [count, tasks] : rows) {
    CAPTURE(count);
    const auto place = array_place("1000", "1", "1000", "1", count);  // --array=1-10,1000
    REQUIRE(place.has_value());
    CHECK(place->count == 1000);
    CHECK(place->tasks == tasks);
  }
}

TEST_CASE("each task starts in its own part of the window, none at another's instant") {
  for (const std::int64_t count : {1, 2, 3, 7, 10, 97, 230, 1000}) {
    const Nanos window = 100s;
    std::set<Nanos> seen;
    for (std::int64_t index = 0; index < count; ++index) {
      CAPTURE(index);
      CAPTURE(count);
      const Nanos delay = stagger_delay(window, ArrayPlace{index, count}, "812", 0);
      CHECK(delay.count() >= window.count() * index / count);
      CHECK(delay.count() <= window.count() * (index + 1) / count);
      seen.insert(delay);
    }
    CHECK(static_cast<std::int64_t>(seen.size()) == count);
  }
}

TEST_CASE("repeatable, and another one for another job, task or restart") {
  const ArrayPlace place{3, 7};
  const Nanos delay = stagger_delay(1h, place, "812", 0);
  CHECK(stagger_delay(1h, place, "812", 0) == delay);
  CHECK(stagger_delay(1h, place, "813", 0) != delay);
  CHECK(stagger_delay(1h, ArrayPlace{4, 7}, "812", 0) != delay);
  CHECK(stagger_delay(20s, place, "812", 1) != stagger_delay(20s, place, "812", 2));
  // The words do not run into each other.
  CHECK(stagger_delay(1h, {}, "81", 0) != stagger_delay(1h, {}, "812", 0));
}

TEST_CASE("where in its part a task starts is spread evenly") {
  int early = 0;
  for (std::int64_t index = 0; index < 1000; ++index) {
    const Nanos delay = stagger_delay(1000s, ArrayPlace{index, 1000}, "812", 0);
    if (delay - index * 1s < 500ms) ++early;
  }
  CHECK(early > 400);
  CHECK(early < 600);
}

TEST_CASE("a task that was requeued alone waits 30 s at most, or the window") {
  Nanos longest{0};
  for (int restarts = 1; restarts <= 100; ++restarts) {
    const Nanos delay = stagger_delay(1h, ArrayPlace{999, 1000}, "812", restarts);
    CHECK(delay < kStaggerAlone);
    CHECK(stagger_delay(2s, ArrayPlace{999, 1000}, "812", restarts) < 2s);
    longest = std::max(longest, delay);
  }
  CHECK(longest > kStaggerAlone / 2);
}

TEST_CASE("without an array, somewhere in the window; no window is no delay") {
  for (const char* job : {"1", "2", "3", "", "18446744073709551615"}) {
    const Nanos delay = stagger_delay(100s, {}, job, 0);
    CHECK(delay >= 0s);
    CHECK(delay < 100s);
    CHECK(stagger_delay(0s, ArrayPlace{3, 7}, job, 0) == 0s);
  }
}

TEST_CASE("the largest window and array are no overflow") {
  const Nanos ten_years = std::chrono::hours(24 * 3650);
  const std::int64_t count = std::int64_t{1} << 40;
  CHECK(stagger_delay(ten_years, ArrayPlace{count - 1, count}, "812", 0) <= ten_years);
  CHECK(stagger_delay(ten_years, ArrayPlace{count - 1, count}, "812", 0) > ten_years / 2);
}

// Published vectors of FNV-1a are not ours, since a finaliser follows; these were computed by hand
// with both (a Python of four lines), so that no later version gives tasks another place.
TEST_CASE("the hash is the same in every version") {
  CHECK(hash_of("") == 0xf52a15e9a9b5e89b);
  CHECK(hash_of("812/16/0") == 0x6311fdf9c793da6a);
}

TEST_CASE("rates") {
  struct Row {
    const char* text;
    std::optional<Nanos> spacing;
  };
  const Row rows[] = {
      {"5/s", 200ms},
      {"200/min", 300ms},
      {"90/h", 40s},
      {"0.5/s", 2s},
      {"1/s", 1s},
      {"0.1/s", 10s},
      {"1000000/s", 1us},
      {"1/h", 1h},
      {"3/s", 333333333ns},
      {"0", {}},
      {"", {}},
      {"/", {}},
      {"/s", {}},
      {"5", {}},
      {"5/", {}},
      {"0/s", {}},
      {"0.0/s", {}},
      {"-1/s", {}},
      {"+1/s", {}},
      {"5/parsec", {}},
      {"5/S", {}},
      {"5/s ", {}},
      {" 5/s", {}},
      {"5 /s", {}},
      {"1e3/s", {}},
      {"inf/s", {}},
      {"nan/s", {}},
      {"0x5/s", {}},
      {"5//s", {}},
      {"5/s/s", {}},
      {"2000000/s", {}},
      {"0.01/h", {}},
      {"1,5/s", {}},
      {"9999999999999999999999999/s", {}},
      {"0.0000000000000000000000001/s", {}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto spacing = parse_start_rate(row.text);
    CHECK(spacing.has_value() == row.spacing.has_value());
    if (spacing && row.spacing) CHECK(*spacing == *row.spacing);
  }
}
