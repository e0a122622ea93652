#include "os/note_folder.hpp"

#include "state_fixture.hpp"

using namespace pw;

namespace {

NoteFolder opened(const StateFixture& fixture) {
  auto folder = NoteFolder::open(fixture.state(), "notes");
  REQUIRE(folder.has_value());
  return std::move(*folder);
}

std::string text_of(NoteFolder& folder, const std::string& name) {
  const auto text = folder.read(name);
  REQUIRE(text.has_value());
  return text->value_or("(none)");
}

}  // namespace

TEST_CASE("made once, replaced, removed") {
  const StateFixture fixture;
  NoteFolder folder = opened(fixture);
  CHECK(text_of(folder, "a") == "(none)");
  CHECK(*folder.make("a", "first"));
  CHECK_FALSE(*folder.make("a", "second"));
  CHECK(text_of(folder, "a") == "first");
  CHECK(*folder.make("a", "first"));
  CHECK(folder.replace("a", "second").has_value());
  CHECK(folder.replace("b", "new").has_value());
  CHECK(text_of(folder, "a") == "second");
  CHECK(folder.names()->size() == 2);
  CHECK(folder.remove("a").has_value());
  CHECK(folder.remove("a").has_value());
  CHECK(text_of(folder, "a") == "(none)");
  CHECK(*folder.names() == std::vector<std::string>{"b"});
}

TEST_CASE("what is no link of ours is garbled, never absent") {
  const StateFixture fixture;
  NoteFolder folder = opened(fixture);
  const std::string path = fixture.state() + "/notes/a";
  REQUIRE(Fd(open(path.c_str(), O_CREAT | O_WRONLY, 0600)));
  CHECK(text_of(folder, "a") == "");
  CHECK_FALSE(*folder.make("a", "first"));
}

TEST_CASE("a server's lies after the deed are seen through, and its errors told") {
  struct Row {
    const char* fault;
    const char* want;  // of make and then replace
  };
  const Row rows[] = {{"symlinkat:1:exists-after", "made replaced"},
                      {"symlinkat:1:EIO", "failed replaced"},
                      {"symlinkat:2:ENOSPC", "made failed"},
                      {"renameat:1:exists-after", "made replaced"},
                      {"renameat:1:EIO", "made failed"},
                      {"readlinkat:1-3:empty,symlinkat:1:exists-after", "made replaced"},
                      {"symlinkat:1-:EROFS", "failed failed"}};
  for (const Row& row : rows) {
    CAPTURE(row.fault);
    const StateFixture fixture;
    NoteFolder folder = opened(fixture);
    faulty::set(row.fault);
    const auto made = folder.make("a", "first");
    const auto replaced = folder.replace("a", "second");
    faulty::set("");
    std::string got = made ? (*made ? "made" : "there") : "failed";
    got += replaced ? " replaced" : " failed";
    CHECK(got == row.want);
    CHECK(text_of(folder, "a") == (replaced ? "second" : made ? "first" : "(none)"));
    CHECK(fixture.names("notes").size() == (made || replaced ? 1 : 0));
  }
}

TEST_CASE("old notes are pruned, and no more at a time than promised") {
  const StateFixture fixture;
  NoteFolder folder = opened(fixture);
  REQUIRE(*folder.make("old", "x"));
  REQUIRE(*folder.make("young", "x"));
  REQUIRE(*folder.make("fresh", "x"));
  fixture.make_older("notes/old", 31);
  fixture.make_older("notes/young", 29);
  // The node's own clock says nothing.
  faulty::set(faulty::Clocks{.real = 90 * 86'400});
  folder.prune("fresh", std::chrono::hours(24 * 30));
  faulty::set(faulty::Clocks{});
  CHECK(text_of(folder, "old") == "(none)");
  CHECK(text_of(folder, "young") == "x");
  constexpr int kMany = NoteFolder::kPruned + 50;
  for (int i = 0; i < kMany; ++i) {
    const std::string name = "m" + std::to_string(i);
    REQUIRE(*folder.make(name, "x"));
    fixture.make_older("notes/" + name, 31);
  }
  folder.prune("fresh", std::chrono::hours(24 * 30));
  CHECK(folder.names()->size() >= 50);
  for (int i = 0; i < 3; ++i) folder.prune("fresh", std::chrono::hours(24 * 30));
  CHECK(folder.names()->size() == 2);
}

TEST_CASE("a folder that was removed is not there, and says so") {
  const StateFixture fixture;
  NoteFolder folder = opened(fixture);
  CHECK(folder.there());
  std::filesystem::remove_all(fixture.state());
  CHECK_FALSE(folder.there());
  CHECK_FALSE(folder.make("a", "x").has_value());
}
