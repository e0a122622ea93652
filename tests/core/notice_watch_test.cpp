#include "core/notice_watch.hpp"

#include <doctest/doctest.h>

#include "core/cloud_message.hpp"

using namespace pw;
using namespace std::chrono_literals;

namespace {

const Instant kBegin = Instant(1000h);

CloudAnswer leaves(Nanos window, const char* id = "") {
  return {{{.kind = "terminate", .id = id, .window = window}}, ""};
}
CloudAnswer fails(const char* why = "refused") { return {{}, why}; }
CloudAnswer advises(const char* id) {
  return {{{.weight = CloudNotice::Weight::advice, .kind = "rebalance", .id = id}}, ""};
}

// A source that is asked when it is due, and answers 10 ms later.
struct Asked {
  NoticeWatch watch{5s, 5s};
  Instant now = kBegin;

  NoticeWatch::News answer(const CloudAnswer& answer) {
    const Instant asked = now;
    const auto news = watch.take(answer, asked, asked + 10ms);
    now = watch.next();
    return news;
  }
};

}  // namespace

TEST_CASE("a question every five seconds, from question to question") {
  Asked source;
  for (int i = 1; i <= 5; ++i) {
    source.answer({});
    CHECK(source.now - kBegin == i * 5s);
  }
}

TEST_CASE("no answer: asked again soon, then never later than the interval") {
  Asked source;
  source.answer({});
  std::vector<Nanos> pauses;
  for (int i = 0; i < 6; ++i) {
    const Instant before = source.now;
    source.answer(fails());
    pauses.push_back(std::chrono::duration_cast<Seconds>(source.now - before));
  }
  CHECK(pauses == std::vector<Nanos>{1s, 2s, 4s, 5s, 5s, 5s});
  source.answer({});
  const Instant before = source.now;
  source.answer(fails());
  CHECK(source.now - before == 1s);  // a failure of its own
}

TEST_CASE("trouble is told when it begins, and once when it is over") {
  Asked source;
  CHECK(source.answer({}).answers);
  CHECK(source.answer(fails("refused")).trouble == "refused");
  CHECK(source.answer(fails("refused")).trouble.empty());
  CHECK(source.answer(fails("status 503")).trouble.empty());
  CHECK_FALSE(source.answer({}).answers);
  CHECK(source.answer({}).answers);
  CHECK_FALSE(source.answer({}).answers);
}

TEST_CASE("one notice, however often it is said, whatever time slides") {
  Asked source;
  const Instant seen = source.now + 10ms;
  const auto news = source.answer(leaves(120s));
  REQUIRE(news.notices.size() == 1);
  CHECK(news.notices[0].end == seen + 120s);
  for (int i = 0; i < 30; ++i) CHECK(source.answer(leaves(120s)).notices.empty());
}

TEST_CASE("a nearer end is news, a later one is not") {
  Asked source;
  source.answer(leaves(120s, "a"));
  CHECK(source.answer(leaves(119s, "a")).notices.empty());
  CHECK(source.answer(leaves(60s, "a")).notices.size() == 1);
  CHECK(source.answer(leaves(110s, "a")).notices.empty());
  CHECK(source.answer(leaves(110s, "b")).notices.size() == 1);  // another event
}

TEST_CASE("an outage hides nothing and gives nothing") {
  Asked source;
  source.answer({});
  for (int i = 0; i < 100; ++i) CHECK(source.answer(fails()).notices.empty());
  CHECK(source.answer(leaves(100s)).notices.size() == 1);
  source.answer(fails());
  const auto news = source.answer(leaves(99s));
  CHECK(news.notices.empty());
  CHECK_FALSE(news.withdrawn);
}

TEST_CASE("withdrawn is told once") {
  Asked source;
  source.answer(leaves(120s, "a"));
  CHECK_FALSE(source.answer(fails()).withdrawn);
  CHECK(source.answer({}).withdrawn);
  CHECK_FALSE(source.answer({}).withdrawn);
}

TEST_CASE("one of two withdrawn: the other is said again, with the end that was seen first") {
  Asked source;
  CloudAnswer both = leaves(600s, "reboot");
  both.notices.push_back(leaves(30s, "preempt").notices[0]);
  const Instant seen = source.now + 10ms;
  CHECK(source.answer(both).notices.size() == 2);
  const auto news = source.answer(leaves(29s, "preempt"));
  CHECK((news.withdrawn && news.leaves));
  REQUIRE(news.notices.size() == 1);
  CHECK(news.notices[0].notice.id == "preempt");
  CHECK(news.notices[0].end == seen + 30s);
  CHECK(source.answer(leaves(25s, "preempt")).notices.empty());
}

TEST_CASE("withdrawn and said again is news, also with a later end") {
  Asked source;
  source.answer(leaves(120s));
  source.answer({});
  CHECK(source.answer(leaves(600s)).notices.size() == 1);
}

TEST_CASE("a service that answers every other time has not recovered") {
  Asked source;
  source.answer({});
  CHECK(source.answer(fails()).trouble == "refused");
  for (int i = 0; i < 20; ++i) {
    CHECK_FALSE(source.answer({}).answers);
    CHECK(source.answer(fails()).trouble.empty());
  }
  CHECK_FALSE(source.answer({}).answers);
  CHECK(source.answer({}).answers);
}

TEST_CASE("advice: each event once; the memory is bounded") {
  Asked source;
  CHECK(source.answer(advises("1")).notices.size() == 1);
  CHECK(source.answer(advises("1")).notices.empty());
  CHECK(source.answer(advises("2")).notices.size() == 1);
  for (int i = 0; i < 100'000; ++i) source.answer(advises(std::to_string(i).c_str()));
  CHECK(source.answer(leaves(10s)).notices.size() == 1);
}

TEST_CASE("a day of polls: as many questions as there are intervals") {
  Asked source;
  int questions = 0;
  while (source.now < kBegin + 24h) {
    source.answer(questions % 7 == 3 ? fails() : CloudAnswer{});
    ++questions;
  }
  CHECK(questions >= 24 * 720);
  CHECK(questions <= 24 * 720 * 5 / 4);
}

TEST_CASE("what is told travels as one line, whatever words a cloud uses") {
  NoticeWatch::News news{
      .notices = {{{.weight = CloudNotice::Weight::leave,
                    .kind = "terminate\nnow\t!",
                    .id = "\x1b[2J",
                    .remark = "its time is past"},
                   kBegin + 30s},
                  {{.weight = CloudNotice::Weight::save, .kind = "hibernate"}, {}}},
      .trouble = "a\tb",
      .answers = true,
      .leaves = true,
      .withdrawn = true,
      .known = true};
  const std::string line = encode(news);
  CHECK(line.find('\n') == std::string::npos);
  CHECK(line.find('\x1b') == std::string::npos);
  const auto read = parse_cloud_news(line);
  REQUIRE(read);
  REQUIRE(read->notices.size() == 2);
  CHECK(read->notices[0].notice.kind == "terminate now !");
  CHECK(read->notices[0].end == kBegin + 30s);
  CHECK(read->notices[1].notice.weight == CloudNotice::Weight::save);
  CHECK_FALSE(read->notices[1].end);
  CHECK(read->trouble == "a b");
  CHECK((read->answers && read->withdrawn && read->leaves && read->known));
  for (const char* bad : {"", "a", "--", "awlk\t\t1", "awlk\t\t9\t-\tk\ti\tr",
                          "awlk\t\tx\t-\tk\ti\tr", "awlk\t\t1\tx\tk\ti\tr", "awlk\t\t1\t-\tk\ti"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_cloud_news(bad));
  }
}
