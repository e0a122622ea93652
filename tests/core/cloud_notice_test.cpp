#include "core/cloud_notice.hpp"

#include <doctest/doctest.h>

#include "core/notice_watch.hpp"
#include "core/utc_time.hpp"

using namespace pw;
using namespace std::chrono_literals;
using Weight = CloudNotice::Weight;

namespace {

const Nanos kNow = *parse_utc_time("2026-11-28T12:00:00Z");

}  // namespace

TEST_CASE("EC2: what an action and its time come to") {
  struct Row {
    const char* action;
    const char* time;
    Weight weight;
    std::optional<Nanos> window;
    const char* remark;
  };
  const Row rows[] = {
      {"terminate", "2026-11-28T12:01:55Z", Weight::leave, 115s, ""},
      {"stop", "2026-11-28T12:02:00Z", Weight::leave, 120s, ""},
      {"terminate", "2026-11-28T12:00:01Z", Weight::leave, 1s, ""},
      {"terminate", "2026-11-28T12:00:00Z", Weight::leave, 120s, "its time is past"},
      {"terminate", "2015-01-05T18:02:00Z", Weight::leave, 120s, "its time is past"},
      {"stop", "2026-11-28T12:02:03Z", Weight::leave, 120s, ""},  // our clock is a little behind
      {"terminate", "2099-01-01T00:00:00Z", Weight::leave, 120s,
       "its time is further away than any notice of this cloud"},
      {"terminate", "not a time", Weight::leave, 120s, "its time is no time"},
      {"terminate", "", Weight::leave, 120s, "it names no time"},
      {"evaporate", "2026-11-28T12:01:00Z", Weight::leave, 60s, ""},
      {"hibernate", "2026-11-28T12:02:00Z", Weight::save, {}, ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.action);
    CAPTURE(row.time);
    const CloudNotice notice = judge_ec2_action({row.action, row.time}, kNow);
    CHECK(notice.weight == row.weight);
    CHECK(notice.window == row.window);
    CHECK(notice.remark == row.remark);
    CHECK(notice.kind == row.action);
  }
  CHECK(judge_ec2_rebalance("2026-11-28T12:00:00Z").weight == Weight::advice);
}

TEST_CASE("Google: two words each, and nothing else") {
  struct Row {
    const char* body;
    bool known;
    std::optional<Nanos> window;
  };
  const Row preempted[] = {{"FALSE", true, {}},   {"TRUE", true, 30s}, {"TRUE\n", true, 30s},
                           {"true", false, {}},   {"", false, {}},     {"1", false, {}},
                           {"<html>", false, {}}, {"NONE", false, {}}};
  for (const Row& row : preempted) {
    CAPTURE(row.body);
    const CloudAnswer answer = judge_gce_preempted(row.body, 30s);
    CHECK(answer.known() == row.known);
    CHECK(answer.notices.empty() == !row.window);
    if (row.window) CHECK(answer.notices.at(0).window == row.window);
  }
  CHECK(judge_gce_preempted("TRUE", 120s).notices.at(0).window == 120s);

  CHECK(judge_gce_maintenance("NONE").notices.empty());
  CHECK(judge_gce_maintenance("TERMINATE_ON_HOST_MAINTENANCE").notices.at(0).window == 60s);
  CHECK(judge_gce_maintenance("MIGRATE_ON_HOST_MAINTENANCE").notices.at(0).weight ==
        Weight::advice);
  CHECK_FALSE(judge_gce_maintenance("FALSE").known());
}

TEST_CASE("Azure: our own events only") {
  struct Row {
    AzureEvent event;
    std::optional<Weight> weight;
    std::optional<Nanos> window;
  };
  const std::string soon = "Sat, 28 Nov 2026 12:00:25 GMT";
  const Row rows[] = {
      {{"a", "Preempt", "Scheduled", soon, {"vm1"}}, Weight::leave, 25s},
      {{"a", "Preempt", "Scheduled", soon, {"VM1"}}, Weight::leave, 25s},
      {{"a", "Preempt", "Scheduled", soon, {"vm2", "vm1"}}, Weight::leave, 25s},
      {{"a", "Preempt", "Scheduled", soon, {"vm2"}}, {}, {}},
      {{"a", "Preempt", "Scheduled", soon, {}}, {}, {}},
      {{"a", "Preempt", "Started", "", {"vm1"}}, Weight::leave, 30s},
      {{"a", "Preempt", "Scheduled", "", {"vm1"}}, Weight::leave, 30s},
      {{"a", "Preempt", "Canceled", soon, {"vm1"}}, {}, {}},
      {{"a", "Preempt", "Completed", "", {"vm1"}}, {}, {}},
      {{"a", "Reboot", "Scheduled", "Sat, 28 Nov 2026 12:14:00 GMT", {"vm1"}},
       Weight::leave,
       14min},
      {{"a", "Redeploy", "Scheduled", "Sat, 28 Nov 2026 13:00:00 GMT", {"vm1"}},
       Weight::leave,
       30s},
      {{"a", "Preempt", "Scheduled", "Thu, 01 Jan 2099 00:00:00 GMT", {"vm1"}}, Weight::leave, 30s},
      {{"a", "Terminate", "Scheduled", soon, {"vm1"}}, Weight::leave, 25s},
      {{"a", "Freeze", "Scheduled", soon, {"vm1"}}, Weight::advice, {}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.event.type);
    CAPTURE(row.event.status);
    const CloudAnswer answer = judge_azure({row.event}, "vm1", kNow);
    CHECK(answer.known());
    REQUIRE(answer.notices.size() == (row.weight ? 1 : 0));
    if (row.weight) CHECK(answer.notices[0].weight == *row.weight);
    if (row.weight) CHECK(answer.notices[0].window == row.window);
  }
  CHECK(judge_azure({{"a", "Preempt", "Scheduled", soon, {""}}}, "", kNow).notices.empty());
}

TEST_CASE("a file") {
  CHECK(judge_document({.action = "terminate", .time = "2026-11-28T12:05:00Z"}, kNow).window ==
        5min);
  CHECK(judge_document({.action = "terminate"}, kNow).window == 30s);
  CHECK(judge_document({.action = "hibernate"}, kNow).weight == Weight::save);
  CHECK(judge_document({.action = "rebalance", .advice = true}, kNow).weight == Weight::advice);
}

TEST_CASE("a clock that is stepped in the window moves no end") {
  const Ec2Action action{"terminate", "2026-11-28T12:02:00Z"};
  for (const Nanos step : {Nanos(1h), Nanos(-1h), Nanos(10s), Nanos(-10s)}) {
    NoticeWatch watch(5s, 5s);
    const Instant begin = Instant(1000h);
    const auto first = watch.take({{judge_ec2_action(action, kNow)}, ""}, begin, begin);
    REQUIRE(first.notices.size() == 1);
    CHECK(first.notices[0].end == begin + 120s);
    for (int poll = 1; poll < 24; ++poll) {
      const Instant now = begin + poll * 5s;
      const CloudNotice again = judge_ec2_action(action, kNow + poll * 5s + step);
      const auto news = watch.take({{again}, ""}, now, now);
      // Ten seconds ahead it looks ten seconds nearer; nothing makes it later.
      for (const auto& told : news.notices) CHECK(told.end == begin + 110s);
      CHECK((news.notices.empty() || step == 10s));
    }
  }
}
