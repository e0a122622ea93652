#include "core/gate_course.hpp"

#include <doctest/doctest.h>

namespace pw {
namespace {

using What = GateCourse::Step::What;

constexpr GateTime kZero{Seconds(1'764'000'000)};
constexpr GateLimits kRate{.spacing = Seconds(1)};
constexpr GateLimits kOne{.max_starting = 1};

GateTime at(double seconds) { return kZero + Nanos(static_cast<std::int64_t>(seconds * 1e9)); }

// An ideal ledger: what is wanted is done at once.
bool commit(GateCourse& course, GateRecord& record, GateTime now) {
  auto changed = course.change(record, now);
  if (!changed) return false;
  record = *decode_gate_record(encode(*changed));
  course.committed(*changed, now);
  return true;
}

GateCourse reserved(GateRecord& record, GateTime now) {
  GateCourse course(kRate, 1);
  course.told({});
  REQUIRE(course.next(now).what == What::commit);
  REQUIRE(commit(course, record, now));
  return course;
}

// Goes on until it may start; the time of that, or `most`.
GateTime start_of(GateCourse& course, GateRecord& record, GateTime now, GateTime most) {
  while (now < most) {
    const GateCourse::Step step = course.next(now);
    if (step.what == What::start) return now;
    if (step.what == What::over) return most;
    if (step.what == What::commit) commit(course, record, now);
    if (step.what == What::look) course.saw(record, now);
    if (step.what == What::sleep) now = std::max(step.until, now + Millis(1));
  }
  return most;
}

}  // namespace

TEST_CASE("a start is slept to; who is late asks again") {
  GateRecord record = gate_rules::fresh(1, kZero);
  for (int n = 0; n < 3; ++n) gate_rules::reserve(record, kRate, at(0));
  GateCourse course = reserved(record, at(0));
  CHECK(course.next(at(0)).what == What::sleep);
  CHECK(course.next(at(0)).until == at(3));
  CHECK(course.outlook(at(0)).position == 4);
  CHECK(course.next(at(3)).what == What::start);
  CHECK(course.next(at(9)).what == What::commit);
}

TEST_CASE("a notice gives back the very start that was reserved, also when clocks differ") {
  GateRecord record = gate_rules::fresh(1, kZero);
  for (int n = 0; n < 3; ++n) gate_rules::reserve(record, kRate, at(1));  // a node 1 s ahead
  GateCourse course = reserved(record, at(0));
  CHECK(gate_rules::reserve(record, kRate, at(0)) == at(5));
  course.leave();
  REQUIRE(course.next(at(1.5)).what == What::commit);
  REQUIRE(commit(course, record, at(1.5)));
  CHECK(record.freed == std::vector<GateTime>{at(4)});
  CHECK_FALSE(course.holds_place());
  CHECK(course.next(at(1.5)).what == What::over);
}

TEST_CASE("what ctl says") {
  struct Row {
    GateWord word;
    What waits;
    What runs;
  };
  for (const Row& row :
       {Row{GateWord::run, What::sleep, What::over}, Row{GateWord::pause, What::sleep, What::over},
        Row{GateWord::stop, What::stopped, What::over},
        Row{GateWord::cancel, What::cancelled, What::cancelled}}) {
    CAPTURE(gate_word_text(row.word));
    GateRecord record = gate_rules::fresh(1, kZero);
    gate_rules::reserve(record, kRate, at(0));
    GateCourse course = reserved(record, at(0));
    course.told({.word = row.word});
    CHECK(course.next(at(0)).what == row.waits);
    course.told({});
    REQUIRE(course.next(at(1)).what == What::start);
    course.began(at(1));
    course.told({.word = row.word});
    CHECK(course.next(at(1)).what == row.runs);
  }
}

TEST_CASE("a reset lets who waits queue again") {
  GateRecord record = gate_rules::fresh(1, kZero);
  gate_rules::reserve(record, kRate, at(0));
  GateCourse course = reserved(record, at(0));
  record = gate_rules::fresh(2, at(0));
  course.told({.resets = 1});
  CHECK(course.next(at(0)).what == What::commit);
  REQUIRE(commit(course, record, at(0)));
  CHECK(course.next(at(0)).what == What::start);
}

TEST_CASE("a reset while a trainer starts leaves its keeper nothing to do") {
  GateRecord record = gate_rules::fresh(1, kZero);
  GateCourse course(kOne, 1);
  course.told({});
  REQUIRE(start_of(course, record, at(0), at(1)) < at(1));
  course.began(at(0));
  record = gate_rules::fresh(2, at(1));
  course.told({.resets = 1});
  REQUIRE(course.next(at(50)).what == What::commit);  // it would renew
  REQUIRE_FALSE(commit(course, record, at(50)));
  CHECK(course.next(at(50)).what == What::over);
  CHECK_FALSE(course.holds_place());
}

TEST_CASE("who died with a clock a day ahead holds nobody up for longer than a lease") {
  const GateTime ahead = kZero + std::chrono::hours(24);
  GateRecord record = gate_rules::fresh(1, kZero);
  gate_rules::join(record, kOne, ahead);
  gate_rules::advance(record, kOne, ahead);
  gate_rules::claim(record, kOne, 1, ahead);
  GateCourse course(kOne, 1, Millis(1));
  course.told({});
  REQUIRE(course.next(at(1)).what == What::commit);
  REQUIRE(commit(course, record, at(1)));
  gate_rules::renew(record, 1, ahead, ahead + Seconds(40));
  record = *decode_gate_record(encode(record));
  CHECK(start_of(course, record, at(41), at(3'600)) < at(150));
}

TEST_CASE("when all who start have died while everybody slept, it goes on") {
  GateRecord record = gate_rules::fresh(1, kZero);
  gate_rules::join(record, kOne, at(0));
  gate_rules::advance(record, kOne, at(0));
  gate_rules::claim(record, kOne, 1, at(0));
  GateCourse course(kOne, 1, Millis(1));
  course.told({});
  REQUIRE(course.next(at(1)).what == What::commit);
  REQUIRE(commit(course, record, at(1)));
  CHECK(start_of(course, record, at(5'000), at(9'000)) < at(5'400));
}

TEST_CASE("a place is kept as long as --ready D says, else ten minutes") {
  for (const Nanos most : {Nanos(kLongestStartUp), Nanos(std::chrono::minutes(20))}) {
    CAPTURE(most.count());
    GateLimits limits = kOne;
    limits.longest_start_up = most;
    GateRecord record = gate_rules::fresh(1, kZero);
    GateCourse course(limits, 1, Millis(1));
    course.told({});
    REQUIRE(start_of(course, record, at(0), at(9)) == at(0));
    course.began(at(0));
    const GateTime end = kZero + most;
    REQUIRE(start_of(course, record, at(0), end) == end);
    CHECK(gate_rules::lease_of(record, 1) != nullptr);
    start_of(course, record, end, end + kGateLease);
    CHECK(gate_rules::lease_of(record, 1) == nullptr);
  }
}

TEST_CASE("while nobody is let in, looks are rare") {
  GateRecord record = gate_rules::fresh(1, kZero);
  record.blocked_until = at(60);
  GateCourse course(kOne, 1, Millis(1));
  course.told({});
  REQUIRE(course.next(at(0)).what == What::commit);
  REQUIRE(commit(course, record, at(0)));
  const GateCourse::Step step = course.next(at(0));
  CHECK(step.what == What::sleep);
  CHECK(step.until >= at(10));
}

}  // namespace pw
