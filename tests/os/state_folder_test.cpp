#include "os/state_folder.hpp"

#include "os/note_folder.hpp"
#include "state_fixture.hpp"

using namespace pw;

TEST_CASE("where the state folder is") {
  struct Row {
    StateFolderWords words;
    const char* want;  // null: nowhere
  };
  const Row rows[] = {
      {{"/o", "/s", "/x", "/h"}, "/o"},
      {{"o/", "/s", "/x", "/h"}, "o"},
      {{"", "/s", "/x", "/h"}, "/s"},
      {{"", "/s:/t", "/x", "/h"}, "/s"},
      {{"", "s", "/x", "/h"}, "/x/preempt-wrap"},
      {{"", ":/t", "", "/h"}, "/h/.local/state/preempt-wrap"},
      {{"", "", "/x/", "/h"}, "/x/preempt-wrap"},
      {{"", "", "x", "/h/"}, "/h/.local/state/preempt-wrap"},
      {{"", "", "", ""}, nullptr},
      {{"", "", "", "/"}, nullptr},
      {{"", "", "", "h"}, nullptr},
  };
  for (const Row& row : rows) {
    const auto folder = state_folder(row.words);
    CHECK(folder.has_value() == (row.want != nullptr));
    if (folder) CHECK(*folder == row.want);
  }
}

TEST_CASE("it is made with its parents, for nobody else") {
  const StateFixture fixture;
  REQUIRE(NoteFolder::open(fixture.state(), "requeue").has_value());
  struct stat found {};
  for (const char* part :
       {"/home", "/home/.local/state/preempt-wrap", "/home/.local/state/preempt-wrap/requeue"}) {
    REQUIRE(stat((fixture.root() + part).c_str(), &found) == 0);
    CHECK((found.st_mode & 07777) == 0700);
  }
}

TEST_CASE("one that others can write, or that is another's, is refused") {
  const auto refusal = [](const StateFixture& fixture) {
    const auto opened = NoteFolder::open(fixture.state(), "requeue");
    return opened ? "" : opened.error().text().substr(fixture.state().size());
  };
  const StateFixture writable;
  REQUIRE(NoteFolder::open(writable.state(), "requeue").has_value());
  REQUIRE(chmod(writable.state().c_str(), 0770) == 0);
  CHECK(refusal(writable) == " can be written by others");
  const StateFixture parent;
  REQUIRE(NoteFolder::open(parent.state(), "requeue").has_value());
  REQUIRE(chmod((parent.root() + "/home").c_str(), 0777) == 0);
  CHECK(refusal(parent) == " lies in " + parent.root() + "/home, where others can write");
  const StateFixture file;
  std::filesystem::create_directories(std::filesystem::path(file.state()).parent_path());
  REQUIRE(Fd(open(file.state().c_str(), O_CREAT | O_WRONLY, 0600)));
  CHECK(refusal(file) == " is not a directory");
  if (geteuid() != 0) return;  // only root can give a folder away
  const StateFixture anothers;
  REQUIRE(NoteFolder::open(anothers.state(), "requeue").has_value());
  REQUIRE(chown(anothers.state().c_str(), 1234, 1234) == 0);
  CHECK(refusal(anothers) == " belongs to user 1234");
}

TEST_CASE("what a disk says against it is told with the path") {
  struct Row {
    const char* fault;
    const char* why;
  };
  const Row rows[] = {{"mkdir:1-:EROFS", "Read-only file system"},
                      {"mkdir:1-:ENOSPC", "No space left on device"},
                      {"mkdir:1-:EACCES", "Permission denied"}};
  for (const Row& row : rows) {
    const StateFixture fixture;
    faulty::set(row.fault);
    const auto opened = NoteFolder::open(fixture.state(), "requeue");
    REQUIRE_FALSE(opened.has_value());
    CHECK(opened.error().text() == fixture.state() + " cannot be made: " + row.why);
  }
}
