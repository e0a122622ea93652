#include "core/end_approach.hpp"

#include <doctest/doctest.h>

using namespace pw;
using namespace std::chrono_literals;

namespace {

Instant at(Nanos since) { return Instant(1000h) + since; }

// How often it asks, and when it gives the notice, where each answer comes at once.
struct Course {
  int questions = 0;
  Nanos given{-1};
  Nanos last_question{-1};
};

Course course(Nanos before, Nanos (*end_at)(Nanos)) {
  EndApproach approach(before, at(0s));
  Course course;
  for (Nanos now{0}; course.given < 0s;) {
    if (approach.wants_to_ask(at(now))) {
      approach.asked();
      ++course.questions;
      course.last_question = now;
      approach.learn(at(end_at(now)), at(now));
    }
    if (approach.take_due(at(now))) course.given = now;
    const auto wake = approach.wake();
    if (!wake) break;
    now = std::max(now, *wake - at(0s));
  }
  return course;
}

}  // namespace

TEST_CASE("the notice comes exactly so long before the end, after a last question") {
  const Course day = course(90s, [](Nanos) { return Nanos(24h); });
  CHECK(day.given == 24h - 90s);
  CHECK(day.last_question == 24h - 100s);
  CHECK(day.questions <= 15);
  const Course minute = course(50s, [](Nanos) { return Nanos(60s); });
  CHECK(minute.given == 10s);
  CHECK(minute.questions == 1);
}

TEST_CASE("a limit that moves is seen before it acts") {
  const Course extended =
      course(90s, [](Nanos now) { return now < 50min ? Nanos(1h) : Nanos(2h); });
  CHECK(extended.given == 2h - 90s);
  const Course always =  // a minute more at each question, up to three hours
      course(90s, [](Nanos now) { return std::min<Nanos>(now + 5min, 3h); });
  CHECK(always.given == 3h - 90s);
  const Course shortened =
      course(90s, [](Nanos now) { return now < 10min ? Nanos(10h) : Nanos(6h); });
  CHECK(shortened.given == 6h - 90s);
}

TEST_CASE("no time is left: at once") {
  CHECK(course(90s, [](Nanos) { return Nanos(60s); }).given == 0s);
  CHECK(course(90s, [](Nanos) { return Nanos(90s); }).given == 0s);
}

TEST_CASE("a question that fails") {
  EndApproach unknown(90s, at(0s));
  unknown.asked();
  unknown.failed(at(1s));
  CHECK_FALSE(unknown.take_due(at(20s)));
  CHECK(unknown.wants_to_ask(at(31s)));
  EndApproach known(90s, at(0s));
  known.learn(at(10min), at(0s));
  known.asked();
  known.failed(at(8min + 25s));  // the last one
  CHECK_FALSE(known.take_due(at(8min + 29s)));
  CHECK(known.take_due(at(8min + 30s)));  // the end as last known
  CHECK_FALSE(known.take_due(at(9min)));
  CHECK_FALSE(known.wake());
}

TEST_CASE("who was suspended asks before it acts: resume has moved the end") {
  EndApproach approach(90s, at(0s));
  approach.learn(at(10min), at(0s));
  CHECK_FALSE(approach.take_due(at(20min)));
  CHECK(approach.wants_to_ask(at(20min)));
  approach.asked();
  CHECK_FALSE(approach.take_due(at(20min + 1s)));
  CHECK_FALSE(approach.wake());  // but the answer's
  approach.learn(at(25min), at(20min + 2s));
  CHECK(approach.wake() == at(20min + 2s + 104s));
  EndApproach deaf(90s, at(0s));
  deaf.learn(at(10min), at(0s));
  CHECK_FALSE(deaf.take_due(at(20min)));
  deaf.asked();
  deaf.failed(at(20min + 8s));
  CHECK(deaf.take_due(at(20min + 8s)));
}

TEST_CASE("a notice that was advice after all comes again") {
  EndApproach approach(90s, at(0s));
  approach.learn(at(60s), at(0s));
  CHECK(approach.take_due(at(0s)));
  approach.learn(at(3h), at(1s));  // an answer that comes late
  CHECK_FALSE(approach.wake());
  approach.again(at(2s));
  CHECK(approach.wants_to_ask(at(2s)));
  approach.learn(at(3h), at(3s));
  CHECK_FALSE(approach.take_due(at(2h)));
  CHECK(approach.take_due(at(3h - 90s)));
}

TEST_CASE("a job without an end is asked about now and then, since it may get one") {
  EndApproach approach(90s, at(0s));
  approach.learn({}, at(0s));
  CHECK_FALSE(approach.wants_to_ask(at(29min)));
  CHECK(approach.wants_to_ask(at(30min)));
  CHECK_FALSE(approach.take_due(at(30min)));
}
