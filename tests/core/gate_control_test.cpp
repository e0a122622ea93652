#include "core/gate_control.hpp"

#include <doctest/doctest.h>

#include "core/gate_policy.hpp"

namespace pw {

TEST_CASE("the words of ctl") {
  struct Row {
    const char* text;
    std::optional<GateWord> word;
    const char* reason;
  };
  const Row rows[] = {{"run", GateWord::run, ""},
                      {"pause\n", GateWord::pause, ""},
                      {"stop enough of it", GateWord::stop, "enough of it"},
                      {"cancel z=5 s=7 g=2 wrong data", GateWord::cancel, "wrong data"},
                      {"pause z=x", GateWord::pause, "z=x"},
                      {"pause \x01s=3 ]", GateWord::pause, "s=3 ]"},
                      {"stop : : z=1", GateWord::stop, ": z=1"},
                      {"", {}, ""},
                      {"paused", {}, ""},
                      {"\x01\x02", {}, ""}};
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto control = parse_gate_control(row.text);
    REQUIRE(control.has_value() == row.word.has_value());
    if (!control) continue;
    CHECK(control->word == *row.word);
    CHECK(control->reason == row.reason);
    CHECK(parse_gate_control(encode(*control)) == control);
  }
}

TEST_CASE("whatever ctl says, the gate's clock shows what a record can hold") {
  const WallTime now{Seconds(1'764'000'000)};
  for (const char* text : {"pause s=9223372036854775807", "pause z=9223372036854775807 s=0",
                           "run z=9223372036854775807", "run s=9223372036854775807"}) {
    CAPTURE(text);
    const GateTime at = gate_time(*parse_gate_control(text), now);
    CHECK(at >= GateTime{});
    CHECK(decode_gate_record(encode(gate_rules::fresh(1, at))));
  }
}

TEST_CASE("a pause stops the gate's clock, a resume lets it go on when all have read it") {
  const WallTime begin{Seconds(1'764'000'000)};
  const GateControl runs;
  const GateControl paused = steered(runs, GateWord::pause, "", begin);
  CHECK(gate_time(paused, begin + Seconds(500)) == gate_time(runs, begin));
  const GateControl again = steered(paused, GateWord::pause, "still", begin + Seconds(50));
  CHECK(gate_time(again, begin + Seconds(500)) == gate_time(runs, begin));
  const GateControl resumed = steered(paused, GateWord::run, "", begin + Seconds(100));
  CHECK(gate_time(resumed, begin + Seconds(100)) == gate_time(runs, begin));
  CHECK(stands_for(resumed, begin + Seconds(100)) == kResumeAfter);
  CHECK(gate_time(resumed, begin + Seconds(100) + kResumeAfter + Seconds(7)) ==
        gate_time(runs, begin + Seconds(7)));
  CHECK(steered(resumed, GateWord::run, "", begin + Seconds(300)).paused == resumed.paused);
}

}  // namespace pw
