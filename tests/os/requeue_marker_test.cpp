#include "os/requeue_marker.hpp"

#include <signal.h>

#include "os/claimant.hpp"
#include "os/clock.hpp"
#include "os/process_table.hpp"
#include "state_fixture.hpp"

using namespace pw;

namespace {

using Claimed = RequeueMarker::Claimed;

const RunKey kRun{"main", "812_17", 2};

RequeueMarker marker(const StateFixture& fixture, const RunKey& run = kRun) {
  auto opened = RequeueMarker::open(fixture.state(), run, claimant_here("n1"));
  REQUIRE(opened.has_value());
  return std::move(*opened);
}

Claimed claimed(RequeueMarker& by, std::optional<Nanos> job_began = {}) {
  const auto answer = by.claim(job_began);
  REQUIRE(answer.has_value());
  return answer->claimed;
}

// Claims in a child that then ends, however it does; as if the wrapper had been killed.
int claim_and_die(const StateFixture& fixture, const char* faults = "",
                  Claimed want = Claimed::ours) {
  return done_by_child([&] {
    auto dying = RequeueMarker::open(fixture.state(), kRun, claimant_here("n1"));
    if (!dying) _exit(2);
    faulty::set(faults);
    const auto answer = dying->claim({});
    if (!answer || answer->claimed != want) _exit(1);
    if (want == Claimed::ours && !dying->done()) _exit(3);
  });
}

}  // namespace

TEST_CASE("a run is claimed once; done and withdrawn are what they say") {
  const StateFixture fixture;
  RequeueMarker first = marker(fixture);
  CHECK(claimed(first) == Claimed::ours);
  CHECK(done_by_child([&] {
          auto second = RequeueMarker::open(fixture.state(), kRun, claimant_here("n1"));
          const auto answer = second->claim({});
          const std::string owner = "pid " + std::to_string(getppid()) + " on n1";
          _exit(answer->claimed == Claimed::another_trying && answer->owner == owner ? 0 : 1);
        }) == 0);
  CHECK(first.withdraw().has_value());
  RequeueMarker second = marker(fixture);
  CHECK(claimed(second) == Claimed::ours);
  CHECK(second.done().has_value());
  CHECK(claimed(first) == Claimed::done_already);
  RequeueMarker next = marker(fixture, {"main", "812_17", 3});
  CHECK(claimed(next) == Claimed::ours);
}

TEST_CASE("only its owner says that it is done") {
  const StateFixture fixture;
  RequeueMarker first = marker(fixture);
  CHECK_FALSE(first.done().has_value());
  CHECK(claim_and_die(fixture) == 0);
  CHECK(claimed(first) == Claimed::done_already);
  CHECK_FALSE(first.withdraw().has_value());
}

TEST_CASE("an owner that lives, or of which nothing can be proven, is left alone") {
  const Claimant us = claimant_here("n1");
  struct Row {
    const char* name;
    void (*change)(Claimant&);
    Claimed want;
  };
  const Row rows[] = {
      {"gone", [](Claimant& c) { c.process.start += 1; }, Claimed::ours},
      {"alive", [](Claimant&) {}, Claimed::ours},  // it is we
      {"alive, another", [](Claimant& c) { c.process = read_process(getppid())->id; },
       Claimed::another_trying},
      {"another host",
       [](Claimant& c) {
         c.host = "n2";
         c.process.start += 1;
       },
       Claimed::another_trying},
      {"before a reboot",
       [](Claimant& c) {
         c.boot = "b";
         c.process.start += 1;
       },
       Claimed::another_trying},
      {"another PID namespace",
       [](Claimant& c) {
         c.space += 1;
         c.process.start += 1;
       },
       Claimed::another_trying},
      {"namespace not known", [](Claimant& c) { c.space = 0; }, Claimed::another_trying},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const StateFixture fixture;
    RequeueMarker ours = marker(fixture);
    Claimant owner = us;
    row.change(owner);
    auto folder = NoteFolder::open(fixture.state(), "requeue");
    REQUIRE(*folder->make(run_name(kRun), encode({Claim::State::trying, owner})));
    CHECK(claimed(ours) == row.want);
  }
}

TEST_CASE("a garbled marker is somebody's") {
  const StateFixture fixture;
  RequeueMarker ours = marker(fixture);
  auto folder = NoteFolder::open(fixture.state(), "requeue");
  REQUIRE(*folder->make(run_name(kRun), "whatever"));
  CHECK(claimed(ours) == Claimed::another_trying);
}

TEST_CASE("of eight that claim at once one wins, also after an owner that died") {
  constexpr int kClaimers = 8;
  constexpr int kRounds = 40;
  for (int round = 0; round < kRounds; ++round) {
    const StateFixture fixture;
    const bool after_dead = round % 2 == 1;
    if (after_dead) CHECK(claim_and_die(fixture, "renameat:1:kill-before") == -SIGKILL);
    int gun[2];
    REQUIRE(pipe2(gun, O_CLOEXEC) == 0);
    std::vector<pid_t> claimers;
    for (int i = 0; i < kClaimers; ++i) {
      const pid_t child = fork();
      if (child != 0) {
        claimers.push_back(child);
        continue;
      }
      close(gun[1]);
      auto by = RequeueMarker::open(fixture.state(), kRun, claimant_here("n1"));
      if (!by) _exit(9);
      char byte = 0;
      if (read(gun[0], &byte, 1) != 0) _exit(9);
      const auto answer = by->claim({});
      if (!answer) _exit(8);
      // It stays until all have asked, as one does that waits for scontrol.
      if (answer->claimed == Claimed::ours) {
        raise(SIGSTOP);
        _exit(1);
      }
      _exit(answer->claimed == Claimed::another_trying ? 0 : 7);
    }
    close(gun[0]);
    close(gun[1]);
    int winners = 0;
    int losers = 0;
    int strange = 0;
    std::vector<pid_t> stopped;
    for (const pid_t claimer : claimers) {
      int status = 0;
      REQUIRE(waitpid(claimer, &status, WUNTRACED) == claimer);
      if (WIFSTOPPED(status)) {
        ++winners;
        stopped.push_back(claimer);
      } else {
        (WEXITSTATUS(status) == 0 ? losers : strange) += 1;
      }
    }
    for (const pid_t winner : stopped) {
      kill(winner, SIGKILL);
      waitpid(winner, nullptr, 0);
    }
    CHECK(winners == 1);
    CHECK(losers == kClaimers - 1);
    CHECK(strange == 0);
  }
}

TEST_CASE("killed before and after each call: the next one takes over, or it is done") {
  for (const char* when : {"kill-before", "kill-after"}) {
    for (int call = 1;; ++call) {
      REQUIRE(call < 50);
      const StateFixture fixture;
      const std::string fault = "any:" + std::to_string(call) + ":" + when;
      const int status = claim_and_die(fixture, fault.c_str());
      RequeueMarker next = marker(fixture);
      const Claimed got = claimed(next);
      CAPTURE(fault);
      if (status == 0) {
        CHECK(call > 3);
        CHECK(got == Claimed::done_already);
        break;
      }
      CHECK(status == -SIGKILL);
      CHECK((got == Claimed::ours || got == Claimed::done_already));
      if (got == Claimed::ours) CHECK(next.done().has_value());
      RequeueMarker last = marker(fixture);
      CHECK(claimed(last) == Claimed::done_already);
    }
  }
}

TEST_CASE("a disk's errors are told, and leave no claim") {
  for (const char* error : {"EROFS", "ENOSPC", "EACCES", "EDQUOT", "EPERM", "EIO"}) {
    CAPTURE(error);
    const StateFixture fixture;
    RequeueMarker ours = marker(fixture);
    faulty::set("symlinkat:1:" + std::string(error));
    CHECK_FALSE(ours.claim({}).has_value());
    CHECK_FALSE(ours.done().has_value());
    CHECK(claimed(ours) == Claimed::ours);
    faulty::set("symlinkat:1:" + std::string(error));
    CHECK_FALSE(ours.done().has_value());
    CHECK(ours.done().has_value());
  }
}

TEST_CASE("what is older than the job by more than a day is another's with its number") {
  const StateFixture fixture;
  CHECK(claim_and_die(fixture) == 0);
  fixture.make_older("requeue/" + run_name(kRun), 3);
  const timespec now = wall_now();
  const auto days_ago = [&](int days) { return Nanos(Seconds(now.tv_sec - days * 86'400L)); };
  RequeueMarker later = marker(fixture);
  CHECK(claimed(later) == Claimed::done_already);
  CHECK(claimed(later, days_ago(3) + std::chrono::hours(23)) == Claimed::done_already);
  CHECK(claimed(later, days_ago(2) + std::chrono::hours(1)) == Claimed::ours);
}

TEST_CASE("markers of a month ago go when one is made") {
  const StateFixture fixture;
  CHECK(claim_and_die(fixture) == 0);
  fixture.make_older("requeue/" + run_name(kRun), 31);
  RequeueMarker other = marker(fixture, {"main", "9", 0});
  CHECK(claimed(other) == Claimed::ours);
  other.prune();
  CHECK(fixture.names("requeue") == std::vector<std::string>{"main.9.0"});
}
