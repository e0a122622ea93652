#include "os/requeue_keeper.hpp"

#include <signal.h>

#include <fstream>

#include "os/clock.hpp"
#include "os/progress_file.hpp"
#include "os/requeue_history.hpp"
#include "state_fixture.hpp"

using namespace pw;

namespace {

using Order = RequeueKeeper::Order;

RequeueKeeper::Place place(const StateFixture& fixture) {
  return {.state = fixture.state(),
          .run = {"main", "812_17", 2},
          .host = "n1",
          .progress_file = fixture.root() + "/progress",
          .kill_switch = fixture.root() + "/stop"};
}

RequeueKeeper started(const RequeueKeeper::Place& place) {
  auto keeper = RequeueKeeper::start(place);
  REQUIRE(keeper.has_value());
  return std::move(*keeper);
}

RequeueKeeper::Answer answered(RequeueKeeper& keeper, Order to) {
  const auto answer = keeper.answer(monotonic_now() + Seconds(20));
  REQUIRE(answer.has_value());
  CHECK(answer->to == to);
  return *answer;
}

void write_text(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

}  // namespace

TEST_CASE("the whole way: look, note, claim, done, and the next run's look") {
  const StateFixture fixture;
  write_text(fixture.root() + "/progress", "1200\n");
  RequeueKeeper keeper = started(place(fixture));
  keeper.look();
  const auto looked = answered(keeper, Order::look);
  CHECK(looked.trouble == "");
  CHECK_FALSE(looked.history);
  CHECK(looked.progress == Progress{.number = 1200});
  CHECK(looked.kill_switch == KillSwitch::absent);
  const RequeueHistory history{.restarts = 2, .progressed_at = 2, .progress = looked.progress};
  keeper.note(history);
  keeper.claim({});
  keeper.done();
  CHECK(answered(keeper, Order::note).trouble == "");
  const auto claimed = answered(keeper, Order::claim);
  CHECK(claimed.claimed == RequeueMarker::Claimed::ours);
  CHECK(answered(keeper, Order::done).trouble == "");
  keeper.close(monotonic_now() + Seconds(20));
  CHECK(keeper.over());

  write_text(fixture.root() + "/stop", "");
  RequeueKeeper second = started(place(fixture));
  second.look();
  second.claim({});
  const auto found = answered(second, Order::look);
  CHECK(found.history == history);
  CHECK(found.kill_switch == KillSwitch::there);
  const auto refused = answered(second, Order::claim);
  CHECK(refused.claimed == RequeueMarker::Claimed::done_already);
  CHECK(refused.owner == "pid " + std::to_string(getpid()) + " on n1");
}

TEST_CASE("withdrawn, another may; without a claim there is nothing to withdraw") {
  const StateFixture fixture;
  RequeueKeeper first = started(place(fixture));
  first.withdraw();
  CHECK(answered(first, Order::withdraw).trouble != "");
  first.claim({});
  CHECK(answered(first, Order::claim).claimed == RequeueMarker::Claimed::ours);
  CHECK(done_by_child([&] {
          RequeueKeeper other = started(place(fixture));
          other.claim({});
          const auto answer = other.answer(monotonic_now() + Seconds(20));
          const bool held = answer->claimed == RequeueMarker::Claimed::another_trying;
          other.close(monotonic_now() + Seconds(20));
          _exit(held ? 0 : 1);
        }) == 0);
  first.withdraw();
  CHECK(answered(first, Order::withdraw).trouble == "");
  first.claim({});
  CHECK(answered(first, Order::claim).claimed == RequeueMarker::Claimed::ours);
}

TEST_CASE("a disk that fails is told of, and the rest is answered all the same") {
  for (const char* fault : {"mkdir:1-:EROFS", "mkdir:1-:ENOSPC", "mkdir:1-:EACCES"}) {
    CAPTURE(fault);
    const StateFixture fixture;
    write_text(fixture.root() + "/progress", "5\n");
    faulty::set(fault);
    RequeueKeeper keeper = started(place(fixture));
    keeper.look();
    keeper.claim({});
    keeper.note({});
    const auto looked = answered(keeper, Order::look);
    CHECK(looked.trouble.starts_with(fixture.state() + " cannot be made: "));
    CHECK(looked.progress == Progress{.number = 5});
    const auto claimed = answered(keeper, Order::claim);
    CHECK(claimed.trouble.starts_with(fixture.state() + " cannot be made: "));
    CHECK_FALSE(claimed.claimed);
    CHECK(answered(keeper, Order::note).trouble != "");
  }
}

TEST_CASE("one that hangs costs no more than we give it") {
  const StateFixture fixture;
  faulty::set("symlinkat:1:hang");
  RequeueKeeper keeper = started(place(fixture));
  keeper.look();
  keeper.claim({});
  answered(keeper, Order::look);
  const Instant begin = monotonic_now();
  CHECK_FALSE(keeper.answer(begin + Millis(50)));
  keeper.close(begin + Millis(100));
  CHECK(monotonic_now() - begin >= Millis(100));
  CHECK_FALSE(keeper.over());
}

TEST_CASE("what a progress file says") {
  const StateFixture fixture;
  const std::string path = fixture.root() + "/progress";
  CHECK(*read_progress(path) == std::nullopt);
  write_text(path, "17\nmore\n");
  CHECK(*read_progress(path) == Progress{.number = 17});
  write_text(path, std::string(200, '1') + "\n");
  CHECK((*read_progress(path))->size == 201);
  write_text(path, std::string(64, '0'));
  CHECK((*read_progress(path))->size == 64);
  write_text(path, "step 17\n");
  const auto first = *read_progress(path);
  CHECK_FALSE(first->number);
  const timespec times[2] = {{1'700'000'000, 5}, {1'700'000'000, 5}};
  REQUIRE(utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
  CHECK(*read_progress(path) == Progress{.written = 1'700'000'000'000'000'005, .size = 8});
  CHECK(read_progress(fixture.root()).error().text() == fixture.root() + " is a directory");
  REQUIRE(mkfifo((path + ".fifo").c_str(), 0600) == 0);
  CHECK(read_progress(path + ".fifo").error().text() == path + ".fifo is a FIFO");
}

TEST_CASE("a history is kept, replaced, and none when garbled") {
  const StateFixture fixture;
  auto note = RequeueHistoryNote::open(fixture.state(), {"main", "812_17", 2});
  REQUIRE(note.has_value());
  CHECK_FALSE(note->read());
  CHECK(note->write({.restarts = 1}).has_value());
  CHECK(note->write({.restarts = 2}).has_value());
  CHECK(note->read() == RequeueHistory{.restarts = 2});
  CHECK(fixture.names("history") == std::vector<std::string>{"main.812_17"});
  auto folder = NoteFolder::open(fixture.state(), "history");
  REQUIRE(folder->replace("main.812_17", "pw1 r=x").has_value());
  CHECK_FALSE(note->read());
}
