#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "core/relay_course.hpp"
#include "core/relay_settings.hpp"

using namespace pw;

namespace {

const char* name_of(RelayStep step) {
  switch (step) {
    case RelayStep::wait: return "wait";
    case RelayStep::send: return "send";
    case RelayStep::send_term: return "term";
    case RelayStep::skip: return "skip";
    case RelayStep::last_term: return "last";
    case RelayStep::kill: return "kill";
    case RelayStep::gone: return "gone";
    case RelayStep::killed: return "killed";
    case RelayStep::still_there: return "still";
  }
  return "?";
}

bool last(RelayStep step) {
  return step == RelayStep::gone || step == RelayStep::killed || step == RelayStep::still_there;
}

struct World {
  Nanos able = Seconds(1000);  ///< has a handler from then on
  Nanos blocked_from = Seconds(1000);
  Nanos blocked_for = Nanos(0);
  Nanos ends = Seconds(1000);  ///< or SIGKILL ends it
  bool killable = true;
};

// "send@0 gone@5": what is done, at which second (rounded down), until it is over.
std::string course(const RelayPlan& plan, const World& world) {
  const Instant begin{Seconds(50)};
  RelayCourse course(plan, begin);
  std::string text;
  bool killed = false;
  for (Instant now = begin; text.size() < 500;) {
    const Nanos age = now - begin;
    const bool alive = age < world.ends && !(killed && world.killable);
    Handling handling = age >= world.able ? Handling::caught : Handling::deadly;
    const Nanos blocked = age - world.blocked_from;
    if (blocked >= Nanos(0) && blocked < world.blocked_for) handling = Handling::blocked;
    const RelayStep step = course.step(now, alive, handling);
    if (step != RelayStep::wait) {
      const auto second = std::chrono::duration_cast<Seconds>(age).count();
      text += (text.empty() ? "" : " ") + std::string(name_of(step)) + "@" + std::to_string(second);
    }
    if (last(step)) return text;
    killed = killed || step == RelayStep::kill;
    // Its end is seen at once, by the pidfd.
    if (step == RelayStep::wait) now = std::min(course.next_wake(), begin + world.ends);
    if (step == RelayStep::wait && age >= world.ends) return text + " stuck";
  }
  return text;
}

}  // namespace

TEST_CASE("the course of a relay") {
  struct Row {
    const char* fact;
    RelayPlan plan;
    World world;
    const char* want;
  };
  const Seconds s1(1);
  const RelayPlan usr1{.signal = SIGUSR1};
  const RelayPlan usr1_grace{.signal = SIGUSR1, .grace = Seconds(40)};
  const Row rows[] = {
      {"TERM is never held", {}, {.ends = 5 * s1}, "send@0 gone@5"},
      {"INT neither", {.signal = SIGINT}, {.ends = 5 * s1}, "send@0 gone@5"},
      {"no KILL without a grace", {}, {}, "send@0 still@60"},
      {"KILL when the grace is over", {.grace = 9 * s1}, {}, "send@0 kill@9 killed@9"},
      {"in the grace", {.grace = 9 * s1}, {.ends = 8 * s1}, "send@0 gone@8"},
      {"a grace longer than the wait", {.grace = 90 * s1}, {}, "send@0 kill@90 killed@90"},
      {"SIGKILL in vain", {.grace = 9 * s1}, {.killable = false}, "send@0 kill@9 still@60"},
      {"SIGKILL in vain, late",
       {.grace = 90 * s1},
       {.killable = false},
       "send@0 kill@90 still@100"},
      {"a handler from the begin", usr1, {.able = 0 * s1, .ends = 5 * s1}, "send@0 gone@5"},
      {"held", usr1, {.able = 3 * s1, .ends = 9 * s1}, "send@3 gone@9"},
      {"RT too", {.signal = kRtMin + 2}, {.able = 3 * s1, .ends = 9 * s1}, "send@3 gone@9"},
      {"a short wait cuts no hold off",
       {.signal = SIGUSR1, .wait = s1},
       {.able = 3 * s1},
       "send@3 still@4"},
      {"held in vain", usr1, {}, "term@20 still@80"},
      {"held in vain: send",
       {.signal = SIGUSR1, .no_handler = NoHandler::send},
       {},
       "send@20 still@80"},
      {"held in vain: skip",
       {.signal = SIGUSR1, .no_handler = NoHandler::skip},
       {},
       "skip@20 still@80"},
      {"it ends meanwhile", usr1, {.ends = 7 * s1}, "gone@7"},
      {"a quarter of the grace", usr1_grace, {}, "term@10 kill@40 killed@40"},
      {"blocked for a moment",
       usr1,
       {.able = 8 * s1, .blocked_from = 0 * s1, .blocked_for = Millis(45), .ends = 9 * s1},
       "send@8 gone@9"},
      {"blocked to fetch it",
       usr1,
       {.blocked_from = Millis(0), .blocked_for = 99 * s1, .ends = 9 * s1},
       "send@0 gone@9"},
      {"TERM before the end, 10 s",
       {.signal = SIGUSR1, .grace = 118 * s1, .term_before_kill = true},
       {.able = 0 * s1},
       "send@0 last@108 kill@118 killed@118"},
      {"or a quarter of the grace",
       {.signal = SIGUSR1, .grace = 28 * s1, .term_before_kill = true},
       {.able = 0 * s1},
       "send@0 last@21 kill@28 killed@28"},
      {"not twice",
       {.signal = SIGUSR1, .grace = 40 * s1, .term_before_kill = true},
       {},
       "term@10 kill@40 killed@40"},
      {"not after TERM",
       {.signal = SIGTERM, .grace = 40 * s1, .term_before_kill = true},
       {},
       "send@0 kill@40 killed@40"},
      {"no hold", {.signal = SIGUSR2, .hold = Nanos(0)}, {}, "term@0 still@60"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.fact);
    CHECK(course(row.plan, row.world) == row.want);
  }
}

TEST_CASE("blocked once is not enough: two looks at least 50 ms apart") {
  const Instant begin{Seconds(1)};
  RelayCourse course({.signal = SIGUSR1}, begin);
  CHECK(course.step(begin, true, Handling::blocked) == RelayStep::wait);
  CHECK(course.step(begin + Millis(49), true, Handling::blocked) == RelayStep::wait);
  CHECK(course.step(begin + Millis(60), true, Handling::deadly) == RelayStep::wait);
  CHECK(course.step(begin + Millis(70), true, Handling::blocked) == RelayStep::wait);
  CHECK(course.step(begin + Millis(119), true, Handling::blocked) == RelayStep::wait);
  CHECK(course.step(begin + Millis(120), true, Handling::blocked) == RelayStep::send);
}

TEST_CASE("what relay was asked to do, and all that is wrong with it") {
  using Words = std::vector<std::pair<std::string, std::string>>;
  const auto asked = [](const Words& words) {
    std::vector<Given> given;
    for (const auto& [name, text] : words) {
      given.push_back({name, text, {Layer::command_line, "command line"}});
    }
    return relay_settings(given);
  };
  const auto plain = asked({{"pid-file", "t.pid"}});
  CHECK(plain.errors.empty());
  CHECK(plain.pid_file == "t.pid");
  CHECK(plain.plan.signal == SIGTERM);
  CHECK_FALSE(plain.plan.grace.has_value());
  CHECK(plain.plan.hold == Seconds(20));
  CHECK(plain.plan.no_handler == NoHandler::term);
  CHECK(plain.plan.wait == Seconds(60));
  CHECK(plain.host_rule == HostRule::this_host);

  const auto full = asked({{"run-dir", "d"},
                           {"signal", "usr1"},
                           {"grace", "90"},
                           {"hold", "1s"},
                           {"no-handler", "skip"},
                           {"any-host", ""},
                           {"signal", "HUP"}});
  CHECK(full.errors.empty());
  CHECK(full.plan.signal == SIGUSR1);  // the first is the strongest
  CHECK(full.plan.grace == Seconds(90));
  CHECK(full.plan.no_handler == NoHandler::skip);
  CHECK(full.host_rule == HostRule::any_host);

  const auto wrong = asked({{"signal", "USR"},
                            {"grace", "-1"},
                            {"hold", ""},
                            {"wait", "x"},
                            {"no-handler", "kill"},
                            {"pid-file", ""},
                            {"run-dir", "d"}});
  CHECK(wrong.errors.size() == 7);
  CHECK(asked({}).errors.size() == 1);
  CHECK(asked({{"pid-file", "t"}, {"grace", "9"}, {"wait", "8"}}).errors.size() == 1);
  CHECK(asked({{"pid-file", "t"}, {"grace", "9"}, {"wait", "9"}}).errors.empty());
}

TEST_CASE("a nearer end brings SIGKILL nearer, never further away") {
  const Instant begin{Seconds(1)};
  RelayCourse course({.signal = SIGTERM, .grace = Seconds(100)}, begin);
  CHECK(course.step(begin, true, Handling::caught) == RelayStep::send);
  CHECK(course.step(begin, true, Handling::caught) == RelayStep::wait);
  course.end_by(begin + Seconds(200));
  CHECK(course.step(begin, true, Handling::caught) == RelayStep::wait);
  CHECK(course.next_wake() == begin + Seconds(100));
  course.end_by(begin + Seconds(30));
  CHECK(course.next_wake() == begin + Seconds(30));
  CHECK(course.step(begin + Seconds(30), true, Handling::caught) == RelayStep::kill);
}
