#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <set>

#include "gate_fixture.hpp"
#include "os/clock.hpp"
#include "os/ledger.hpp"

using namespace pw;

namespace {

// Stamped so long ago, as the filesystem would have.
void make_older(const GateFixture& fixture, std::uint64_t first, std::uint64_t last, int seconds) {
  for (std::uint64_t number = first; number <= last; ++number) {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    const timespec then[2] = {{now.tv_sec - seconds, 0}, {now.tv_sec - seconds, 0}};
    REQUIRE(utimensat(AT_FDCWD, fixture.entry(number).c_str(), then, AT_SYMLINK_NOFOLLOW) == 0);
  }
}

int count(Ledger& ledger) { return static_cast<int>(texts(ledger).size()); }

void work(const std::string& gate, const std::string& name, int commits) {
  auto ledger = Ledger::open(gate);
  if (!ledger) _exit(1);
  for (int made = 0; made < commits;) {
    const auto head = ledger->head();
    if (!head) _exit(2);
    const auto outcome = ledger->commit(*head, name + "." + std::to_string(made));
    if (!outcome) _exit(3);
    if (*outcome == Ledger::Outcome::done) ++made;
  }
}

}  // namespace

TEST_CASE("eight processes: every number once, every commit in the chain") {
  constexpr int kProcesses = 8;
  constexpr int kCommits = 200;
  for (const char* kind : {"", "fstatfs:1-:nfs"}) {
    const GateFixture fixture;
    std::vector<pid_t> children;
    for (int i = 0; i < kProcesses; ++i) {
      const pid_t child = fork();
      if (child == 0) {
        faulty::set(kind);
        work(fixture.gate(), std::to_string(i), kCommits);
        _exit(0);
      }
      children.push_back(child);
    }
    for (const pid_t child : children) {
      int status = -1;
      waitpid(child, &status, 0);
      CHECK(status == 0);
    }
    auto ledger = Ledger::open(fixture.gate());
    CHECK(ledger->head()->number == kProcesses * kCommits);
    const auto found = texts(*ledger);
    CHECK(found.size() == kProcesses * kCommits);
    CHECK(std::set<std::string>(found.begin(), found.end()).size() == found.size());
  }
}

TEST_CASE("killed before and after each call: the next gets on, nothing is lost or doubled") {
  for (const char* when : {"kill-before", "kill-after"}) {
    int call = 1;
    for (bool ended = false; !ended; ++call) {
      REQUIRE(call < 200);
      const GateFixture fixture;
      const int status = in_child([&] {
        faulty::set("any:" + std::to_string(call) + ":" + when);
        work(fixture.gate(), "a", 3);
      });
      REQUIRE((status == 0 || status == -SIGKILL));
      ended = status == 0;
      auto ledger = Ledger::open(fixture.gate());
      REQUIRE(ledger.has_value());
      const auto before = texts(*ledger);
      for (std::size_t i = 0; i < before.size(); ++i) CHECK(before[i] == "a." + std::to_string(i));
      put(*ledger, "b");
      auto after = texts(*ledger);
      REQUIRE(after.size() == before.size() + 1);
      CHECK(after.back() == "b");
      CHECK(ledger->head()->unreadable == 0);
      CHECK(ledger->head()->number == after.size());
      CHECK(set_control(*ledger, "pause").has_value());
      CHECK(*ledger->control() == "pause");
      if (ended) CHECK(before.size() == 3);
    }
    CHECK(call > 20);  // that many calls there were
  }
}

TEST_CASE("pruned: old ones beyond the newest 256, upwards") {
  const GateFixture fixture;
  auto ledger = Ledger::open(fixture.gate());
  fill(*ledger, 320);
  CHECK(count(*ledger) == 320);  // all are young
  fill(*ledger, 63);
  make_older(fixture, 1, 128, 600);
  make_older(fixture, 129, 130, 200);  // among the newest 256, so they stay
  put(*ledger, "384th");
  CHECK_FALSE(fixture.has(128));
  CHECK(fixture.has(129));
  CHECK(count(*ledger) == 256);
  fill(*ledger, 64);
  CHECK_FALSE(fixture.has(130));
  make_older(fixture, 131, 448, 400);
  fill(*ledger, 192);  // the oldest that stays is as old as the others
  CHECK(fixture.has(131));
  fill(*ledger, 64);  // 318 are old now, and 256 are removed at a time
  CHECK_FALSE(fixture.has(386));
  CHECK(fixture.has(387));
  fill(*ledger, 64);
  CHECK_FALSE(fixture.has(448));
  CHECK(fixture.has(449));
  CHECK(count(*ledger) == 320);
  CHECK(ledger->head()->number == 768);
}

TEST_CASE("killed while pruning: no hole, and the next prunes on") {
  for (const char* when : {"kill-before", "kill-after"}) {
    for (int call : {1, 2, 20, 127, 128}) {
      const GateFixture fixture;
      auto ledger = Ledger::open(fixture.gate());
      fill(*ledger, 383);
      make_older(fixture, 1, 128, 200);
      const int status = in_child([&] {
        auto own = Ledger::open(fixture.gate());
        faulty::set("unlinkat:" + std::to_string(call) + ":" + when);
        work(fixture.gate(), "x", 1);
      });
      CHECK(status == -SIGKILL);
      const auto entries = *ledger->entries();
      REQUIRE(!entries.empty());
      CHECK(entries.back().number - entries.front().number + 1 == entries.size());
      fill(*ledger, 64);
      CHECK_FALSE(fixture.has(128));
      CHECK(fixture.has(129));
    }
  }
}

TEST_CASE("a base that was pruned meanwhile") {
  struct Row {
    const char* kind;
    std::uint64_t base;
    int slept;
    std::uint64_t removed;  // up to here
    Ledger::Outcome outcome;
  };
  using enum Ledger::Outcome;
  const Row rows[] = {
      {"", 3, 0, 10, stale},
      {"", 3, 100, 10, stale},
      {"", 0, 0, 10, stale},
      {"", 0, 100, 10, stale},
      {"fstatfs:1-:nfs", 3, 6, 10, stale},
      {"fstatfs:1-:nfs", 0, 0, 10, stale},
      {"fstatfs:1-:nfs", 3, 6, 3, stale},
  };
  for (const Row& row : rows) {
    const GateFixture fixture;
    faulty::set(row.kind);
    auto slow = Ledger::open(fixture.gate());
    auto fast = Ledger::open(fixture.gate());
    fill(*slow, static_cast<int>(row.base));
    const auto base = *slow->head();
    REQUIRE(base.number == row.base);
    fill(*fast, 300);
    for (std::uint64_t number = 1; number <= row.removed; ++number) {
      unlink(fixture.entry(number).c_str());
    }
    // The newest goes on counting, whatever was put far below it.
    unlink(fixture.entry(row.base + 1).c_str());
    faulty::set(faulty::Clocks{.monotonic = row.slept});
    CHECK(*slow->commit(base, "late") == row.outcome);
    CHECK_FALSE(fixture.has(row.base + 1));
    put(*slow, "again");
    CHECK(fast->head()->text == "again");
  }
}

TEST_CASE("suspended between look and commit, where clients remember what is gone") {
  for (const faulty::Clocks slept : {faulty::Clocks{.real = 61}, faulty::Clocks{.monotonic = 61}}) {
    const GateFixture fixture;
    faulty::set("fstatfs:1-:nfs");
    auto ledger = Ledger::open(fixture.gate());
    fill(*ledger, 2);
    const auto base = *ledger->head();
    faulty::set(slept);
    CHECK(*ledger->commit(base, "late") == Ledger::Outcome::stale);
    put(*ledger, "again");
    CHECK(ledger->head()->text == "again");
  }
}

TEST_CASE("the folder is deleted, moved or emptied") {
  for (const char* kind : {"", "fstatfs:1-:nfs"}) {
    for (const char* how : {"deleted", "moved", "emptied"}) {
      CAPTURE(kind);
      CAPTURE(how);
      const GateFixture fixture;
      faulty::set(kind);
      auto ledger = Ledger::open(fixture.gate());
      fill(*ledger, 5);
      const auto base = *ledger->head();
      if (*how == 'm') {
        std::filesystem::rename(fixture.gate(), fixture.gate() + ".old");
      } else {
        std::filesystem::remove_all(fixture.gate());
      }
      if (*how == 'e') mkdir(fixture.gate().c_str(), 0700);
      if (*how == 'd') CHECK(*ledger->commit(base, "x") == Ledger::Outcome::stale);
      faulty::set(faulty::Clocks{.monotonic = 31});  // clients look at what they know
      CHECK(ledger->head()->number == 0);
      put(*ledger, "anew");
      auto other = Ledger::open(fixture.gate());
      CHECK(other->head()->text == "anew");
      CHECK(other->head()->number == 1);
      CHECK(*ledger->control() == "run");
    }
  }
}

TEST_CASE("ctl: the first line, made again when it is gone") {
  const GateFixture fixture;
  auto ledger = Ledger::open(fixture.gate());
  auto other = Ledger::open(fixture.gate());
  CHECK(*ledger->control() == "run");
  for (const char* text : {"pause z=1 a long reason", "run", "cancel", "stop x"}) {
    CHECK(set_control(*ledger, text).has_value());
    CHECK(*other->control() == text);
  }
  unlink((fixture.gate() + "/ctl").c_str());
  CHECK(*other->control() == "run");
  CHECK_FALSE(set_control(*ledger, std::string(400, 'x')).has_value());
  faulty::set("pwrite:1-:ENOSPC");
  CHECK(set_control(*ledger, "stop").error().why == std::errc::no_space_on_device);
  CHECK(other->lock().try_lock() == FileLock::Try::taken);  // let go of
}

TEST_CASE("cut off while ctl is written: the old line or the new one") {
  for (const char* fault : {"pwrite:1:kill-before", "ftruncate:1:kill-before"}) {
    const GateFixture fixture;
    auto ledger = Ledger::open(fixture.gate());
    REQUIRE(set_control(*ledger, "pause for a long reason").has_value());
    CHECK(in_child([&] {
            auto own = Ledger::open(fixture.gate());
            faulty::set(fault);
            (void)set_control(*own, "run");
          }) == -SIGKILL);
    CHECK(*ledger->control() == (*fault == 'p' ? "pause for a long reason" : "run"));
  }
}

TEST_CASE("announcements: the newest of a key, old ones removed") {
  const GateFixture fixture;
  auto ledger = Ledger::open(fixture.gate());
  CHECK_FALSE(ledger->announced("abc")->has_value());
  CHECK(ledger->announce("abc", 1000, "one").has_value());
  CHECK(ledger->announce("abcd", 9000, "other").has_value());
  CHECK_FALSE(ledger->announced("abc")->has_value());  // 8000 s old by the other
  CHECK(ledger->announce("abc", 9998, "two").has_value());
  CHECK(ledger->announce("abc", 10000, "three").has_value());
  CHECK(ledger->announce("abc", 9999, "two and a half").has_value());
  CHECK(**ledger->announced("abc") == "three");
  CHECK(ledger->announce("abc", 10000, "again").has_value());
  CHECK(**ledger->announced("abc") == "again");
  std::filesystem::remove_all(fixture.gate() + "/go");
  CHECK_FALSE(ledger->announced("abc")->has_value());
  CHECK(ledger->announce("abc", 10001, "back").has_value());
  CHECK(**ledger->announced("abc") == "back");
}

TEST_CASE("the clock of the filesystem, and what a commit costs") {
  for (const std::int64_t ahead : {0, 600, -600}) {
    const GateFixture fixture;
    faulty::set(faulty::Clocks{});
    const timespec real = wall_now();
    const WallTime true_now(Seconds(real.tv_sec) + Nanos(real.tv_nsec));
    faulty::set(faulty::Clocks{.real = ahead});
    auto ledger = Ledger::open(fixture.gate());
    CHECK(std::abs((ledger->now() - true_now) / Seconds(1)) <= 1);
  }
  for (const char* kind : {"", "fstatfs:1-:nfs"}) {
    const GateFixture fixture;
    faulty::set(kind);
    auto ledger = Ledger::open(fixture.gate());
    fill(*ledger, 2);
    const auto start = ledger->requests();
    const auto head = ledger->head();
    const auto looked = ledger->requests();
    CHECK(*ledger->commit(*head, "a") == Ledger::Outcome::done);
    MESSAGE(std::string(kind) << " head " << looked - start << ", commit "
                              << ledger->requests() - looked);
    CHECK(looked - start <= 3);
    CHECK(ledger->requests() - looked <= 2);
  }
}

TEST_CASE("backoff grows with losses and is put back by a commit") {
  const GateFixture fixture;
  auto ledger = Ledger::open(fixture.gate());
  Nanos longest{};
  for (int i = 0; i < 50; ++i) {
    const Nanos wait = ledger->backoff();
    CHECK(wait >= Millis(5));
    longest = std::max(longest, wait);
  }
  CHECK(longest > Millis(15));
  CHECK(longest <= Seconds(120));
  put(*ledger, "a");
  CHECK(ledger->backoff() <= std::max<Nanos>(Millis(15), 12 * ledger->round_trip()));
}
