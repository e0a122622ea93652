#include "os/ledger.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>

#include "gate_fixture.hpp"

using namespace pw;

namespace {

std::string refusal(const std::string& path) {
  const auto ledger = Ledger::open(path);
  return ledger ? "" : ledger.error().text();
}

// Where the table has them, on what looks like a network.
const char* const kKinds[] = {"", "fstatfs:1-:nfs"};

}  // namespace

TEST_CASE("a line is read again, and no other") {
  const LedgerLine line{"pw1 t=1 w=x s=2", "n1.42.0badcafe"};
  const std::string target = encode(line);
  REQUIRE(decode(target));
  CHECK(decode(target)->text == line.text);
  CHECK(decode(target)->writer == line.writer);
  CHECK(process_of(line.writer) == "n1.42");
  for (std::size_t cut = 0; cut < target.size(); ++cut) {
    CHECK_FALSE(decode(target.substr(0, cut)));
  }
  for (std::size_t at = 0; at < target.size(); ++at) {
    std::string garbled = target;
    garbled[at] = garbled[at] == 'z' ? 'y' : 'z';
    CHECK_FALSE(decode(garbled));
  }
  CHECK(encode({std::string(Ledger::kTextMax, 'x'), unique_writer()}).size() <= 1000);
}

TEST_CASE("names of entries") {
  CHECK(entry_name(7) == "q.000000000007");
  CHECK(entry_number("q.000000000007") == 7U);
  CHECK(entry_number(entry_name(1'000'000'000'000)) == 1'000'000'000'000U);
  for (const char* name : {"q.7", "q.0000000000007", "q.000000000000", "q.00000000000x", "ctl",
                           "q.", "q.-00000000007", "q.9999999999999999999"}) {
    CHECK_MESSAGE(!entry_number(name), name);
  }
}

TEST_CASE("made with its parents, for us alone") {
  const GateFixture fixture;
  const std::string deep = fixture.root() + "/a/b/gate";
  REQUIRE(Ledger::open(deep).has_value());
  for (const std::string& path : {deep, fixture.root() + "/a/b", fixture.root() + "/a"}) {
    struct stat found {};
    REQUIRE(stat(path.c_str(), &found) == 0);
    CHECK((found.st_mode & 0777) == 0700);
  }
  CHECK(std::filesystem::is_regular_file(deep + "/ctl"));
  CHECK(std::filesystem::is_regular_file(deep + "/lock"));
  CHECK(std::distance(std::filesystem::directory_iterator(deep), {}) == 3);  // and go
}

TEST_CASE("no gate") {
  const GateFixture fixture;
  const std::string& root = fixture.root();
  std::ofstream(root + "/file") << "x";
  const auto folder = [&](const std::string& name, mode_t mode, uid_t owner = 0) {
    const std::string path = root + "/" + name;
    REQUIRE(mkdir(path.c_str(), 0700) == 0);
    REQUIRE(chown(path.c_str(), owner == 0 ? geteuid() : owner, 0) == 0);
    REQUIRE(chmod(path.c_str(), mode) == 0);
    return path;
  };
  const std::string shared = folder("shared", 0775);
  CHECK(refusal("") == "is no folder's name");
  CHECK(refusal(root + "/file") == "is not a directory");
  CHECK(refusal(root + "/file/gate") == "is not a directory");
  CHECK(refusal(folder("group", 0770)) == "can be written by others");
  CHECK(refusal(folder("all", 01777)) == "can be written by others");
  CHECK(refusal(shared + "/gate") == "lies in " + shared + ", where others can write");
  CHECK(refusal(shared + "/own/gate") == "lies in " + shared + ", where others can write");
  CHECK(refusal(folder("sticky", 01777) + "/gate").empty());
  if (geteuid() == 0) {
    CHECK(refusal(folder("alien", 0755, 4711)) == "belongs to user 4711");
    const std::string theirs = folder("theirs", 01777, 4711);
    CHECK(refusal(theirs + "/gate") == "lies in " + theirs + ", where others can write");
  }
}

TEST_CASE("what fails at the first contact") {
  struct Row {
    const char* faults;
    const char* what;
  };
  const Row rows[] = {
      {"symlinkat:1-:EPERM", "is on a filesystem without symbolic links"},
      {"symlinkat:1-:ENOSYS", "is on a filesystem without symbolic links"},
      {"symlinkat:1-:EOPNOTSUPP", "is on a filesystem without symbolic links"},
      {"symlinkat:1-:EROFS", "cannot be written: Read-only file system"},
      {"symlinkat:1-:EACCES", "cannot be written: Permission denied"},
      {"symlinkat:1-:ENOSPC", "cannot be written: No space left on device"},
      {"mkdir:1-:EACCES", "cannot be made: Permission denied"},
      {"mkdir:1-:EROFS", "cannot be made: Read-only file system"},
      {"openat:2:EDQUOT", "cannot be written: Disk quota exceeded"},
      {"pwrite:1:ENOSPC", "cannot be written: No space left on device"},
  };
  for (const Row& row : rows) {
    const GateFixture fixture;
    faulty::set(row.faults);
    CHECK(refusal(fixture.gate() + "/deep") == row.what);
    faulty::set("");
    CHECK_MESSAGE(refusal(fixture.gate() + "/deep").empty(), row.faults);
    CHECK(*Ledger::open(fixture.gate() + "/deep")->control() == "run");
  }
}

TEST_CASE("a chain: the newest counts, once") {
  for (const char* kind : kKinds) {
    const GateFixture fixture;
    faulty::set(kind);
    auto first = Ledger::open(fixture.gate());
    auto second = Ledger::open(fixture.gate());
    REQUIRE(first.has_value());
    REQUIRE(second.has_value());
    CHECK(first->reaches_other_nodes() == (*kind != 0));
    const auto none = first->head();
    REQUIRE(none.has_value());
    CHECK(none->number == 0);
    CHECK(*first->commit(*none, "a") == Ledger::Outcome::done);
    CHECK(*second->commit(*none, "b") == Ledger::Outcome::lost);
    CHECK(*first->commit(*none, "c") == Ledger::Outcome::lost);
    const auto head = second->head();
    REQUIRE(head.has_value());
    CHECK(head->number == 1);
    CHECK(head->text == "a");
    CHECK(head->unreadable == 0);
    fill(*first, 40);
    CHECK(second->head()->text == "t=40");
    CHECK(second->head()->number == 41);
    CHECK(texts(*second).size() == 41);
  }
}

TEST_CASE("what cannot be a record is refused") {
  const GateFixture fixture;
  auto ledger = Ledger::open(fixture.gate());
  for (const std::string& text : {std::string(), std::string(901, 'x'), std::string("a\nb")}) {
    CHECK_FALSE(ledger->commit(*ledger->head(), text).has_value());
  }
  CHECK(*ledger->commit(*ledger->head(), std::string(900, 'x')) == Ledger::Outcome::done);
}

TEST_CASE("commits that fail, and what comes of them") {
  struct Row {
    const char* faults;
    const char* outcome;
    bool there;
  };
  const Row rows[] = {
      {"symlinkat:1:ENOSPC", "No space left on device", false},
      {"symlinkat:1:EDQUOT", "Disk quota exceeded", false},
      {"symlinkat:1:EROFS", "Read-only file system", false},
      {"symlinkat:1:EACCES", "Permission denied", false},
      {"symlinkat:1:EIO", "Input/output error", false},
      {"symlinkat:1:ENOENT", "No such file or directory", false},
      {"symlinkat:1:EEXIST", "lost", false},
      {"symlinkat:1:exists-after", "done", true},
      {"symlinkat:1:exists-after,readlinkat:1-5:empty", "done", true},
      {"symlinkat:1:ESTALE", "stale", false},
  };
  for (const Row& row : rows) {
    const GateFixture fixture;
    auto ledger = Ledger::open(fixture.gate());
    put(*ledger, "first");
    const auto head = ledger->head();
    faulty::set(row.faults);
    const auto outcome = ledger->commit(*head, "second");
    faulty::set("");
    const char* const names[] = {"done", "lost", "stale"};
    CHECK((outcome ? names[static_cast<int>(*outcome)] : outcome.error().why.message()) ==
          row.outcome);
    CHECK_MESSAGE(fixture.has(2) == row.there, row.faults);
    put(*ledger, "third");
    CHECK(texts(*ledger).back() == "third");
  }
}

TEST_CASE("a stale handle for ever is an error") {
  const GateFixture fixture;
  auto ledger = Ledger::open(fixture.gate());
  const auto head = ledger->head();
  faulty::set("symlinkat:1-:ESTALE");
  CHECK(*ledger->commit(*head, "a") == Ledger::Outcome::stale);
  CHECK(ledger->commit(*head, "a").error().why == std::errc(ESTALE));
}

TEST_CASE("a lock that cannot be had hinders nobody") {
  const GateFixture fixture;
  using Try = FileLock::Try;
  auto ledger = Ledger::open(fixture.gate());
  auto other = Ledger::open(fixture.gate());
  CHECK(ledger->lock().try_lock() == Try::taken);
  CHECK(other->lock().try_lock() == Try::busy);
  ledger->lock().unlock();
  CHECK(other->lock().try_lock() == Try::taken);
  other->lock().unlock();
  faulty::set("flock:1-:ENOLCK");
  CHECK(ledger->lock().try_lock() == Try::unsupported);
  put(*ledger, "a");
  CHECK(set_control(*ledger, "pause").has_value());
  faulty::set("");
  CHECK(ledger->lock().try_lock() == Try::taken);  // the lock server is back
  ledger->lock().unlock();
  faulty::set("flock:1:ENOSYS");
  CHECK(ledger->lock().try_lock() == Try::unsupported);
  CHECK(ledger->lock().try_lock() == Try::unsupported);  // for good
}

TEST_CASE("no lock file: open fails, or is MooseFS") {
  const GateFixture fixture;
  REQUIRE(Ledger::open(fixture.gate()).has_value());
  const Fd folder(open(fixture.gate().c_str(), O_RDONLY | O_DIRECTORY));
  faulty::set("openat:1-:EROFS");
  CHECK(FileLock::open(folder.get(), "lock").try_lock() == FileLock::Try::unsupported);
  faulty::set("openat:1:EEXIST");
  CHECK(FileLock::open(folder.get(), "lock").try_lock() == FileLock::Try::taken);
}

TEST_CASE("GPFS gets the other lock, which excludes too") {
  const GateFixture fixture;
  faulty::set("fstatfs:1-:gpfs,flock:1-:EIO");
  auto ledger = Ledger::open(fixture.gate());
  auto other = Ledger::open(fixture.gate());
  CHECK(ledger->lock().try_lock() == FileLock::Try::taken);
  CHECK(other->lock().try_lock() == FileLock::Try::busy);
  ledger->lock().unlock();
  CHECK(other->lock().try_lock() == FileLock::Try::taken);
}

TEST_CASE("a fresh link that looks empty for a while") {
  for (const char* kind : kKinds) {
    const GateFixture fixture;
    faulty::set(kind);
    auto writer = Ledger::open(fixture.gate());
    fill(*writer, 3);
    faulty::set(std::string("readlinkat:1-6:empty,") + kind);
    auto reader = Ledger::open(fixture.gate());
    const auto head = reader->head();
    REQUIRE(head.has_value());
    CHECK(head->text == "t=3");
    CHECK(head->unreadable == 0);
  }
}

TEST_CASE("records garbled by hand") {
  struct Row {
    std::vector<std::uint64_t> garbled;
    const char* target;
    const char* text;
    int unreadable;
  };
  const std::vector<std::uint64_t> all{1, 2, 3, 4, 5};
  const Row rows[] = {
      {{5}, "x", "t=4", 1},   {{4, 5}, "t=9 w=a s=00000000", "t=3", 2},
      {{3}, "x", "t=5", 0},   {{1}, "x", "t=5", 0},
      {{3, 5}, "", "t=4", 1}, {{2, 3, 4, 5}, "x", "t=1", 4},
      {all, "x", "", 5},
  };
  for (const Row& row : rows) {
    const GateFixture fixture;
    auto ledger = Ledger::open(fixture.gate());
    fill(*ledger, 5);
    for (const std::uint64_t number : row.garbled) {
      if (*row.target == 0) {  // a file where a link belongs
        unlink(fixture.entry(number).c_str());
        std::ofstream(fixture.entry(number)) << "x";
      } else {
        fixture.garble(number, row.target);
      }
    }
    auto fresh = Ledger::open(fixture.gate());
    for (Ledger* reader : {&*ledger, &*fresh}) {
      const auto head = reader->head();
      REQUIRE(head.has_value());
      CHECK(head->number == 5);
      CHECK(head->text == row.text);
      CHECK(head->unreadable == row.unreadable);
    }
    put(*fresh, "on");
    CHECK(ledger->head()->text == "on");
    CHECK(ledger->head()->number == 6);
  }
}

TEST_CASE("a chain that cannot be read at all is trouble, not empty") {
  const GateFixture fixture;
  auto ledger = Ledger::open(fixture.gate());
  fill(*ledger, 3);
  faulty::set("readlinkat:1-:EIO");
  CHECK(ledger->head().error().why == std::errc::io_error);
  faulty::set("readlinkat:1-:EACCES");
  CHECK(ledger->head().error().why == std::errc::permission_denied);
  faulty::set("openat:1-:EIO");
  auto fresh = Ledger::open(fixture.gate());
  CHECK_FALSE(fresh.has_value());
  faulty::set("");
  CHECK(ledger->head()->text == "t=3");
}
