#include "core/utc_time.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace pw;
using namespace std::chrono_literals;

TEST_CASE("moments as the clouds write them") {
  struct Row {
    const char* text;
    Nanos since_1970;
  };
  const Row rows[] = {
      {"1970-01-01T00:00:00Z", 0s},
      {"2017-09-18T08:22:00Z", 1505722920s},
      {"2017-09-18T08:22:00z", 1505722920s},
      {"2017-09-18 08:22:00Z", 1505722920s},
      {"2017-09-18T08:22:00.987654Z", 1505722920s},
      {"2017-09-18T10:22:00+02:00", 1505722920s},
      {"2017-09-18T03:52:00-04:30", 1505722920s},
      {" 2017-09-18T08:22:00Z\n", 1505722920s},
      {"2016-02-29T23:59:60Z", 1456790400s},
      {"Mon, 19 Sep 2016 18:29:47 GMT", 1474309787s},
      {"19 Sep 2016 18:29:47 GMT", 1474309787s},
      {"21 Jan 2019 09:00:43 GMT", 1548061243s},
      {"Thu, 1 Jan 1970 00:00:00 GMT", 0s},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(parse_utc_time(row.text) == row.since_1970);
  }
}

TEST_CASE("the far future is far away, not an overflow") {
  const auto time = parse_utc_time("9999-12-31T23:59:59Z");
  REQUIRE(time);
  CHECK(*time > parse_utc_time("2099-01-01T00:00:00Z"));
}

TEST_CASE("no moments") {
  for (const char* text : {"",
                           "soon",
                           "N/A",
                           "2017",
                           "2017-09-18",
                           "2017-09-18T08:22:00",
                           "2017-9-18T08:22:00Z",
                           "2017-13-18T08:22:00Z",
                           "2017-02-29T08:22:00Z",
                           "2017-09-18T24:00:00Z",
                           "2017-09-18T08:60:00Z",
                           "2017-09-18T08:22:61Z",
                           "2017-09-18T08:22:00.Z",
                           "2017-09-18T08:22:00+2",
                           "2017-09-18T08:22:00+24:00",
                           "1969-12-31T23:59:59Z",
                           "1970-01-01T00:00:00+01:00",
                           "-017-09-18T08:22:00Z",
                           "2017-09-18T08:22:00ZZ",
                           "Mon, 19 Sep 2016 18:29:47",
                           "Mon, 19 Sep 2016 18:29:47 CET",
                           "32 Sep 2016 18:29:47 GMT",
                           "31 Sep 2016 18:29:47 GMT",
                           "19 sep 2016 18:29:47 GMT",
                           "19 Sep 16 18:29:47 GMT",
                           "19 Sep 2016 18:29:4 GMT",
                           "19 Sep 2016 18-29-47 GMT"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_utc_time(text));
  }
  CHECK_FALSE(parse_utc_time(std::string(100'000, '2')));
}
