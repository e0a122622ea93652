#include "os/rank_wait.hpp"

#include <poll.h>
#include <signal.h>

#include <array>
#include <cstdlib>

#include "core/run_key.hpp"
#include "os/clock.hpp"
#include "os/process_environment.hpp"
#include "os/process_table.hpp"
#include "os/rank_book.hpp"
#include "state_fixture.hpp"

using namespace pw;

namespace {

using Verdict = RankRoll::Verdict;

const std::string kStep = step_name({"main", "812", 0}, "0");

Instant in(Nanos time) { return monotonic_now() + time; }

// By default of another node each, with nobody else there to be seen.
RankWait::Plan plan(const StateFixture& fixture, int rank, int count) {
  return {.ranks = {.rank = rank, .count = count},
          .state = fixture.state(),
          .step = kStep,
          .limit = in(Seconds(60))};
}

RankWait::Plan of_node(RankWait::Plan plan, std::vector<int> here) {
  plan.ranks.here = std::move(here);
  plan.slurmstepd = getpid();
  return plan;
}

// Until there is no more to wait for, or only for `missing`.
Verdict wait_for(RankWait& wait, const std::string& missing = "") {
  for (;;) {
    const Verdict verdict = wait.advance();
    const bool less = !missing.empty() && wait.text().starts_with("waiting for " + missing + ",");
    if (verdict != Verdict::waiting || less) return verdict;
    pollfd polled{.fd = wait.fd(), .events = POLLIN, .revents = 0};
    const auto timeout = timeout_until(wait.wake());
    ppoll(&polled, 1, &*timeout, nullptr);
  }
}

// A task of slurmstepd, which the test is: called as we are, with a trainer below it, and waiting
// when that has ended.
class Task {
 public:
  explicit Task(const std::string& rank) {
    std::array<int, 2> said{};
    REQUIRE(pipe2(said.data(), O_CLOEXEC) == 0);
    const std::string name = "NAME=" + read_process(getpid())->name;
    const std::string variable = "SLURM_PROCID=" + rank;
    constexpr const char* kScript =
        "exec 2>/dev/null; printf %s \"$NAME\" > /proc/$$/comm; sleep 600 & echo $!; wait $!; kill "
        "-STOP $$";
    pid_ = fork();
    if (pid_ == 0) {
      dup2(said[1], STDOUT_FILENO);
      const std::array<const char*, 3> environment{variable.c_str(), name.c_str(), nullptr};
      execle("/bin/sh", "sh", "-c", kScript, nullptr, environment.data());
      _exit(127);
    }
    close(said[1]);
    std::array<char, 32> pid{};
    REQUIRE(read(said[0], pid.data(), pid.size() - 1) > 0);
    close(said[0]);
    auto trainer = read_process(std::atoi(pid.data()));
    while (trainer && trainer->name != "sleep") trainer = read_process(trainer->id.pid);
    REQUIRE(trainer.has_value());
    trainer_ = trainer->id;
  }
  Task(const Task&) = delete;
  ~Task() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    end_trainer();
  }
  void end_trainer() const { send_to_process(trainer_, SIGKILL); }
  void die() const { kill(pid_, SIGKILL); }
  int pid() const { return pid_; }

 private:
  pid_t pid_ = 0;
  ProcessId trainer_;
};

}  // namespace

TEST_CASE("on one node: who works is seen, and no disk is touched") {
  const StateFixture fixture;
  const Task first("1");
  const Task second("2");
  CHECK(started_with(first.pid(), "SLURM_PROCID") == "1");
  CHECK_FALSE(started_with(first.pid(), "PROCID"));
  RankWait wait(of_node(plan(fixture, 0, 3), {0, 1, 2}));
  wait.open();
  CHECK(wait.advance() == Verdict::waiting);
  CHECK(wait.text() == "waiting for ranks 1, 2 of 3, at most 1m");
  first.end_trainer();
  CHECK(wait_for(wait, "rank 2 of 3") == Verdict::waiting);
  second.die();
  CHECK(wait_for(wait) == Verdict::all_ended);
  wait.close(in(Seconds(20)));
  CHECK(wait.troubles().empty());
  CHECK_FALSE(std::filesystem::exists(fixture.root() + "/home"));
}

TEST_CASE("a task that does not tell its rank may be any, until it has ended") {
  const StateFixture fixture;
  const Task unknown("x");
  RankWait::Plan all = of_node(plan(fixture, 0, 3), {0, 1, 2});
  all.limit = in(Millis(300));
  RankWait first(std::move(all));
  first.open();
  CHECK(wait_for(first) == Verdict::limit);
  CHECK(first.text().starts_with("waiting for ranks 1, 2 of 3,"));
  RankWait second(of_node(plan(fixture, 0, 3), {0, 1, 2}));
  second.open();
  unknown.end_trainer();
  CHECK(wait_for(second) == Verdict::all_ended);
}

TEST_CASE("on several nodes by the book, which rank 0 closes") {
  const StateFixture fixture;
  RankWait zero(plan(fixture, 0, 3));
  RankWait one(plan(fixture, 1, 3));
  zero.open();
  one.open();
  CHECK(wait_for(zero, "rank 2 of 3") == Verdict::waiting);
  CHECK(wait_for(one, "rank 2 of 3") == Verdict::waiting);
  RankWait two(plan(fixture, 2, 3));
  two.open();
  CHECK(wait_for(zero) == Verdict::all_ended);
  zero.close(in(Seconds(20)));
  CHECK(fixture.names("ranks/" + kStep) == std::vector<std::string>{"over"});
  CHECK(wait_for(one) == Verdict::all_ended);
  CHECK(wait_for(two) == Verdict::all_ended);
  RankWait late(plan(fixture, 1, 3));
  late.open();
  CHECK(wait_for(late) == Verdict::all_ended);
  for (RankWait* wait : {&zero, &one, &two, &late}) CHECK(wait->troubles().empty());
}

TEST_CASE("a rank that is killed is told of by its node") {
  const StateFixture fixture;
  const Task killed("1");
  RankWait here(of_node(plan(fixture, 2, 3), {1, 2}));
  RankWait elsewhere(plan(fixture, 0, 3));
  here.open();
  elsewhere.open();
  CHECK(wait_for(elsewhere, "rank 1 of 3") == Verdict::waiting);
  CHECK(wait_for(here, "rank 1 of 3") == Verdict::waiting);
  killed.die();
  CHECK(wait_for(elsewhere) == Verdict::all_ended);
  CHECK(wait_for(here) == Verdict::all_ended);
}

TEST_CASE("a book that is gone says that all have ended") {
  const StateFixture fixture;
  RankWait one(plan(fixture, 1, 3));
  RankWait two(plan(fixture, 2, 3));
  one.open();
  two.open();
  CHECK(wait_for(one, "rank 0 of 3") == Verdict::waiting);
  std::filesystem::remove_all(fixture.state());
  CHECK(wait_for(one) == Verdict::all_ended);
}

TEST_CASE("the limit ends it, and may come nearer") {
  const StateFixture fixture;
  RankWait wait(plan(fixture, 1, 2));
  wait.open();
  CHECK(wait.advance() == Verdict::waiting);
  const Instant limit = in(Millis(50));
  wait.limit_to(limit);
  CHECK(wait_for(wait) == Verdict::limit);
  CHECK(monotonic_now() >= limit);
  wait.close(in(Seconds(20)));
  CHECK(fixture.names("ranks/" + kStep) == std::vector<std::string>{"1"});
}

TEST_CASE("a disk that fails or hangs costs the sight of other nodes, never more than the limit") {
  struct Row {
    const char* fault;
    const char* trouble;  // its end
  };
  const Row rows[] = {{"mkdir:1-:EROFS", " cannot be made: Read-only file system"},
                      {"symlinkat:1-:ENOSPC", "/1: No space left on device"},
                      {"symlinkat:1-:hang", ""}};
  for (const Row& row : rows) {
    CAPTURE(row.fault);
    const StateFixture fixture;
    faulty::set(row.fault);
    RankWait wait(plan(fixture, 1, 2));
    wait.open();
    const std::string trouble = row.trouble;
    std::vector<std::string> told;
    while (!trouble.empty() && told.empty()) {
      pollfd polled{.fd = wait.fd(), .events = POLLIN, .revents = 0};
      REQUIRE(poll(&polled, 1, 20'000) == 1);
      CHECK(wait.advance() == Verdict::waiting);
      told = wait.troubles();
    }
    if (!trouble.empty()) {
      CHECK(told[0].starts_with("the ranks of other nodes are not seen: "));
      CHECK(told[0].ends_with(trouble));
    }
    wait.limit_to(in(Millis(20)));
    CHECK(wait_for(wait) == Verdict::limit);
    const Instant last = in(Millis(50));
    wait.close(trouble.empty() ? last : in(Seconds(20)));
    if (trouble.empty()) CHECK(monotonic_now() >= last);
  }
}

TEST_CASE("without a state folder only the node is seen, which is said") {
  const StateFixture fixture;
  RankWait::Plan stateless = plan(fixture, 1, 2);
  stateless.state.clear();
  RankWait wait(std::move(stateless));
  wait.open();
  pollfd polled{.fd = wait.fd(), .events = POLLIN, .revents = 0};
  REQUIRE(poll(&polled, 1, 20'000) == 1);
  CHECK(wait.advance() == Verdict::waiting);
  CHECK(wait.troubles() == std::vector<std::string>{
                               "the ranks of other nodes are not seen: no state folder is known"});
}

TEST_CASE("what a book of another job of that number says does not count; old books go") {
  const StateFixture fixture;
  REQUIRE(RankBook::open(fixture.state(), kStep, 0)->close().has_value());
  REQUIRE(RankBook::open(fixture.state(), kStep, 2).has_value());
  fixture.make_older("ranks/" + kStep + "/over", 2);
  fixture.make_older("ranks/" + kStep + "/2", 2);
  auto book = RankBook::open(fixture.state(), kStep, 1);
  REQUIRE(book.has_value());
  const auto page = book->read();
  CHECK_FALSE(page->over);
  CHECK(page->ended == std::set<int>{1});
  REQUIRE(RankBook::open(fixture.state(), "main.9.0.0", 0).has_value());
  fixture.make_older("ranks/" + kStep, 31);
  RankBook::prune(fixture.state());
  CHECK(fixture.names("ranks") == std::vector<std::string>{"main.9.0.0"});
}
