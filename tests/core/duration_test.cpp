#include "core/duration.hpp"

#include <doctest/doctest.h>

using namespace pw;
using namespace std::chrono_literals;

TEST_CASE("a duration is digits with units, largest first") {
  struct Row {
    const char* text;
    std::optional<Nanos> want;
  };
  const Row rows[] = {
      {"250ms", 250ms},
      {"30s", 30s},
      {"1.5s", 1500ms},
      {"5m", 5min},
      {"1h30m", 90min},
      {"2d", 48h},
      {"30", 30s},
      {"0.5", 500ms},
      {"0", 0s},
      {"0s", 0s},
      {"1h2m3s4ms", 3723004ms},
      {"", {}},
      {"-1s", {}},
      {"+1s", {}},
      {" 1s", {}},
      {"1s ", {}},
      {"1", 1s},
      {"s", {}},
      {"1x", {}},
      {"1m1m", {}},
      {"1s1m", {}},
      {"1m30", {}},
      {"1.", {}},
      {".5", {}},
      {"1.2.3", {}},
      {"99999999999s", {}},
      {"99999999999999999999999", {}},
      {"1e3", {}},
      {"3651d", {}},
      {"9m59s", 599s},
      {"0x10", {}},
      {"5 m", {}},
      {"5M", {}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(parse_duration(row.text) == row.want);
  }
}

TEST_CASE("what duration_text writes, parse_duration reads back") {
  for (const Nanos duration : {Nanos(0s), Nanos(1ms), Nanos(1500ms), Nanos(30s), Nanos(90s),
                               Nanos(5min), Nanos(90min), Nanos(25h), Nanos(86'399'999ms)}) {
    CAPTURE(duration.count());
    CHECK(parse_duration(duration_text(duration)) == duration);
  }
  CHECK(duration_text(90s) == "1m30s");
  CHECK(duration_text(90min) == "1h30m");
}

TEST_CASE("spoken durations are short and never negative") {
  struct Row {
    Nanos duration;
    const char* want;
  };
  const Row rows[] = {{-5s, "0 ms"},     {250ms, "250 ms"}, {999ms, "999 ms"}, {1s, "1 s"},
                      {1500ms, "1.5 s"}, {9940ms, "9.9 s"}, {9960ms, "10 s"},  {44s, "44 s"},
                      {60s, "1m"},       {139s, "2m19s"},   {119s, "1m59s"},   {65s, "1m05s"},
                      {90min, "1h30m"},  {1h, "1h"}};
  for (const Row& row : rows) CHECK(spoken(row.duration) == row.want);
}
