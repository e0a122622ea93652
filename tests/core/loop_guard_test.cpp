#include "core/loop_guard.hpp"

#include <doctest/doctest.h>

using namespace pw;

namespace {

constexpr Nanos kLong = Seconds(3600);
constexpr Nanos kShort = Seconds(59);

std::optional<Progress> at(std::int64_t step) { return Progress{.number = step}; }

LoopLimits with_progress() { return {.counts_progress = true}; }

// One run of a job after the other, each with the history of the one before.
class Job {
 public:
  explicit Job(LoopLimits limits) : limits_(std::move(limits)) {}
  std::string run(GuardedRun facts) {
    facts.restarts = restarts_++;
    return judge(facts);
  }
  std::string again(GuardedRun facts) {
    facts.restarts = restarts_ - 1;
    return judge(facts);
  }
  void forget() { kept_.reset(); }

 private:
  std::string judge(const GuardedRun& facts) {
    const LoopVerdict verdict = judge_loop(kept_, facts, limits_);
    kept_ = decode_requeue_history(encode(verdict.history));
    CHECK(kept_ == verdict.history);
    return (verdict.allowed ? "yes: " : "no: ") + verdict.text;
  }
  LoopLimits limits_;
  std::int64_t restarts_ = 0;
  std::optional<RequeueHistory> kept_;
};

}  // namespace

TEST_CASE("without a progress file restarts count, and --max-requeues ends them") {
  Job job({.max_requeues = 3});
  CHECK(job.run({.ran = kLong}) == "yes: 1 of 3");
  CHECK(job.run({.ran = kLong, .progress = at(7)}) == "yes: 2 of 3");
  CHECK(job.run({.ran = kLong}) == "yes: 3 of 3");
  CHECK(job.run({.ran = kLong}) == "no: it was restarted 3 times already (--max-requeues 3)");
  Job never({.max_requeues = 0});
  CHECK(never.run({.ran = kLong}) == "no: it was restarted 0 times already (--max-requeues 0)");
}

TEST_CASE("with one, restarts since the last progress count") {
  LoopLimits limits = with_progress();
  limits.max_requeues = 2;
  Job job(limits);
  CHECK(job.run({.ran = kLong, .progress = at(10)}) == "yes: 1 of 2");
  CHECK(job.run({.ran = kLong, .progress = at(20)}) == "yes: 1 of 2");
  CHECK(job.run({.ran = kLong, .progress = at(20)}) == "yes: 2 of 2");
  CHECK(job.run({.ran = kLong, .progress = at(15)}) ==
        "no: it was restarted 2 times without progress (--max-requeues 2)");
  CHECK(job.run({.ran = kLong, .progress = at(21)}) == "yes: 1 of 2");
  CHECK(job.run({.ran = kLong}) == "yes: 2 of 2");
  CHECK(job.run({.ran = kLong, .progress = at(21)}).starts_with("no: "));
}

TEST_CASE("five short runs in a row are borne, a sixth is not") {
  Job job({});
  for (int i = 0; i < 5; ++i) CHECK(job.run({.ran = kShort}).starts_with("yes: "));
  CHECK(job.run({.ran = kShort}) ==
        "no: each of its last 6 runs was shorter than 1m (--min-runtime; 0 to try things out)");
  CHECK(job.run({.ran = Seconds(60)}) == "yes: 7 of 50");
  CHECK(job.run({.ran = kShort}) == "yes: 8 of 50");
}

TEST_CASE("a short run with progress, or one that never started, is not held against it") {
  Job progressing(with_progress());
  for (int i = 0; i < 20; ++i) {
    CHECK(progressing.run({.ran = kShort, .progress = at(i)}) == "yes: 1 of 50");
  }
  for (int i = 0; i < 5; ++i) CHECK(progressing.run({.ran = kShort}).starts_with("yes: "));
  CHECK(progressing.run({.ran = kShort}) ==
        "no: each of its last 6 runs was shorter than 1m and made no progress "
        "(--min-runtime; 0 to try things out)");
  Job gated({});
  for (int i = 0; i < 20; ++i) CHECK(gated.run({}).starts_with("yes: "));
  for (int i = 0; i < 5; ++i) CHECK(gated.run({.ran = kShort}).starts_with("yes: "));
  CHECK(gated.run({}).starts_with("yes: "));
  CHECK(gated.run({.ran = kShort}).starts_with("no: "));
}

TEST_CASE("a second wrapper in the same run is not a second run") {
  Job job({});
  for (int i = 0; i < 5; ++i) {
    CHECK(job.run({.ran = kShort}).starts_with("yes: "));
    CHECK(job.again({.ran = kShort}).starts_with("yes: "));
  }
  CHECK(job.again({.ran = kLong}) == "yes: 5 of 50");
  CHECK(job.run({.ran = kShort}) == "yes: 6 of 50");
}

TEST_CASE("a final exit code and the kill switch end it, whatever else is so") {
  Job job({.final_exits = {12, 13}, .kill_switch = "/home/ada/stop"});
  CHECK(job.run({.ran = kLong, .exit_code = 0}) == "yes: 1 of 50");
  CHECK(job.run({.ran = kLong, .exit_code = 13}) ==
        "no: the trainer exited 13, which --final-exit names");
  CHECK(job.run({.ran = kLong, .exit_code = 14}) == "yes: 3 of 50");
  CHECK(job.run({.ran = kLong, .exit_code = 0, .kill_switch = KillSwitch::there}) ==
        "no: the kill switch /home/ada/stop is there");
  CHECK(job.run({.kill_switch = KillSwitch::there}).starts_with("no: "));
}

TEST_CASE("a history that is lost, or of another job of that number, counts for nothing") {
  Job job(with_progress());
  for (int i = 0; i < 5; ++i) job.run({.ran = kShort});
  job.forget();
  CHECK(job.run({.ran = kShort}) == "yes: 6 of 50");
  const RequeueHistory other{.restarts = 9, .progressed_at = 8, .short_runs = 6, .progress = at(9)};
  const auto verdict =
      judge_loop(other, {.restarts = 2, .ran = kShort, .progress = at(1)}, with_progress());
  CHECK(verdict.allowed);
  CHECK(verdict.history ==
        RequeueHistory{.restarts = 2, .progressed_at = 2, .short_runs = 0, .progress = at(1)});
}

TEST_CASE("a garbled history is none") {
  CHECK(decode_requeue_history("pw1 r=3 p=1 s=2 f=n:5") ==
        RequeueHistory{.restarts = 3, .progressed_at = 1, .short_runs = 2, .progress = at(5)});
  const char* const rows[] = {"",
                              "pw1",
                              "pw2 r=3 p=1 s=2 f=-",
                              "pw1 r=3 p=1 s=2",
                              "pw1 r=3 p=1 s=2 f=",
                              "pw1 r=3 p=4 s=2 f=-",
                              "pw1 r=3 p=1 s=5 f=-",
                              "pw1 r=-3 p=1 s=2 f=-",
                              "pw1 r=99999999999 p=1 s=2 f=-",
                              "pw1 p=1 r=3 s=2 f=-",
                              "pw1 r=3 p=1 s=2 f=- more"};
  for (const char* row : rows) {
    CAPTURE(row);
    CHECK_FALSE(decode_requeue_history(row));
  }
}
