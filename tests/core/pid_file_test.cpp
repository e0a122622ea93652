#include "core/pid_file.hpp"

#include <doctest/doctest.h>

using namespace pw;
using namespace std::string_view_literals;

namespace {

constexpr Nanos kNow = Seconds(1'800'000'000);

PidFileFacts file_of(int pid, Storage storage = Storage::local) {
  return {.path = "/run/t.pid", .pid = pid, .owner = 1000, .written = kNow, .storage = storage};
}

Asker asker(HostRule rule = HostRule::this_host) {
  return {.pid = 99, .host = "n1.cluster", .now = kNow, .host_rule = rule};
}

}  // namespace

TEST_CASE("one decimal number that a process can have") {
  const std::pair<std::string, int> rows[] = {
      {"4711\n", 4711},     {"4711", 4711}, {"2", 2},           {"4194304\n", 4194304},
      {"  4711  \n", 4711}, {"0042\n", 42}, {"4711\r\n", 4711},
  };
  for (const auto& [text, pid] : rows) {
    CAPTURE(text);
    const auto parsed = parse_pid(text);
    REQUIRE(parsed.has_value());
    CHECK(*parsed == pid);
  }
}

TEST_CASE("everything else is refused, and says what it is") {
  const std::pair<std::string, const char*> rows[] = {
      {"", "is empty"},
      {"\n \n", "holds blanks only"},
      {"trainer", "holds no decimal number"},
      {"-1\n", "holds no decimal number"},
      {"+4711", "holds no decimal number"},
      {"0x10", "holds no decimal number"},
      {"4711.0", "holds no decimal number"},
      {"0\n", "holds 0, which is nobody's to end"},
      {"1\n", "holds 1, which is nobody's to end"},
      {"4194305", "holds a number that no process can have"},
      {"2147483648", "holds a number that no process can have"},
      {"4294972007", "holds a number that no process can have"},  // 2^32 + 4711
      {"18446744073709556327", "holds a number that no process can have"},
      {"4711 4711", "holds more than one word"},
      {"4711\n4712\n", "holds more than one word"},
      {std::string("4711\0", 5), "holds NUL bytes"},
      {std::string(64, '\0'), "holds NUL bytes"},
      {"4711" + std::string(61, '\n'), "is too long for a PID file"},
  };
  for (const auto& [text, why] : rows) {
    CAPTURE(text);
    const auto parsed = parse_pid(text);
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error().text() == why);
  }
}

TEST_CASE("words are somebody's work, numbers and what is left of them are not") {
  for (const char* text : {"lr=3e-4\n", "trainer", "0x10", "hello 1 2", "4711.0"}) {
    CHECK(holds_words(text));
  }
  for (const std::string_view text :
       {""sv, "\n"sv, "-1\n"sv, "4711\n4712\n"sv, "47\0"sv, " 12\r\n"sv}) {
    CHECK_FALSE(holds_words(text));
  }
}

TEST_CASE("a path carries the host's name as a word of its own") {
  struct Row {
    const char* path;
    const char* host;
    bool want;
  };
  const Row rows[] = {
      {"/gpfs/run/n1.pid", "n1", true},
      {"/gpfs/n1/t.pid", "n1", true},
      {"/gpfs/run/n1.pid", "n1.cluster", true},
      {"/gpfs/run/t-n1-3.pid", "n1", true},
      {"/gpfs/n1.cluster/t.pid", "n1.cluster", true},
      {"/gpfs/run/n10.pid", "n1", false},
      {"/gpfs/run/gn1.pid", "n1", false},
      {"/gpfs/run/t.pid", "n1", false},
      {"/gpfs/n10/n1.pid", "n1", true},
      {"/gpfs/run/t.pid", "", false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.path);
    CAPTURE(row.host);
    CHECK(carries_host(row.path, row.host) == row.want);
  }
}

TEST_CASE("why a file can name no process") {
  CHECK_FALSE(why_file_refused(file_of(4711), asker()));
  CHECK(why_file_refused(file_of(99), asker()));
  PidFileFacts far = file_of(4711, Storage::network);
  CHECK(why_file_refused(far, asker()));
  CHECK_FALSE(why_file_refused(far, asker(HostRule::any_host)));
  far.path = "/gpfs/n1/t.pid";
  CHECK_FALSE(why_file_refused(far, asker()));
}

TEST_CASE("a file that was written in the future proves nothing") {
  struct Row {
    Storage storage;
    Seconds ahead;
    bool refused;
  };
  const Row rows[] = {{Storage::local, Seconds(2), false},
                      {Storage::local, Seconds(3), true},
                      {Storage::network, Seconds(300), false},
                      {Storage::network, Seconds(301), true}};
  for (const Row& row : rows) {
    PidFileFacts file = file_of(4711, row.storage);
    file.written = kNow + row.ahead;
    CAPTURE(row.ahead.count());
    CHECK(why_file_refused(file, asker(HostRule::any_host)).has_value() == row.refused);
  }
}

TEST_CASE("why a process is not the one that the file means") {
  struct Row {
    const char* fact;
    ProcessFacts process;
    long owner;
    Storage storage;
    bool refused;
  };
  const auto at = [](int seconds) { return kNow + Seconds(seconds); };
  using enum Storage;
  const Row rows[] = {
      {"its own user's file", {4711, {1000, 1000}, at(-9)}, 1000, local, false},
      {"root's file", {4711, {1000, 1000}, at(-9)}, 0, local, false},
      {"the effective user's file", {4711, {0, 1000}, at(-9)}, 1000, local, false},
      {"somebody else's file", {4711, {1000, 1000}, at(-9)}, 1001, local, true},
      {"a user's file, root's process", {4711, {0, 0}, at(-9)}, 1000, local, true},
      {"a thread", {4700, {1000, 1000}, at(-9)}, 1000, local, true},
      {"within the tolerance", {4711, {1000, 1000}, at(2)}, 1000, local, false},
      {"younger than the file", {4711, {1000, 1000}, at(3)}, 1000, local, true},
      {"a file server's clock", {4711, {1000, 1000}, at(300)}, 1000, network, false},
      {"younger all the same", {4711, {1000, 1000}, at(301)}, 1000, network, true},
  };
  for (const Row& row : rows) {
    CAPTURE(row.fact);
    PidFileFacts file = file_of(4711, row.storage);
    file.owner = row.owner;
    CHECK(why_process_refused(file, row.process).has_value() == row.refused);
  }
}
