#include "os/proc_tree.hpp"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "os/clock.hpp"
#include "os/process_table.hpp"
#include "os/signal_state.hpp"

using namespace pw;
using namespace std::chrono_literals;

namespace {

// A child that does `what`, says so, and sleeps until it is ended.
class Forked {
 public:
  template <class What>
  explicit Forked(What what) {
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    pid_ = fork();
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      what();
      if (write(ends[1], "r", 1) != 1) _exit(1);
      for (;;) pause();
    }
    char ready = 0;
    REQUIRE(read(ends[0], &ready, 1) == 1);
    close(ends[0]);
    close(ends[1]);
  }
  ~Forked() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
};

void block(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) sigaddset(&set, signal);
  sigprocmask(SIG_BLOCK, &set, nullptr);
}

void wait_for(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) sigaddset(&set, signal);
  int got = 0;
  sigwait(&set, &got);
}

Handling handling(pid_t pid, Signal signal) {
  const auto state = read_signal_state(pid, signal);
  REQUIRE(state);
  return handling_of(*state, signal, {});
}

// What it comes to: a child needs a moment to fall asleep in sigwait.
bool becomes(pid_t pid, Signal signal, Handling wanted) {
  const Instant limit = monotonic_now() + Seconds(10);
  while (handling(pid, signal) != wanted && monotonic_now() < limit) std::this_thread::yield();
  return handling(pid, signal) == wanted;
}

}  // namespace

TEST_CASE("what a process does with a signal") {
  const Forked plain([] {});
  CHECK(handling(plain.pid(), SIGUSR1) == Handling::deadly);

  const Forked handler([] { signal(SIGUSR1, [](int) {}); });
  CHECK(handling(handler.pid(), SIGUSR1) == Handling::caught);
  CHECK(handling(handler.pid(), SIGUSR2) == Handling::deadly);

  const Forked ignores([] { signal(SIGUSR1, SIG_IGN); });
  CHECK(handling(ignores.pid(), SIGUSR1) == Handling::ignored);

  const Forked blocks([] { block({SIGUSR1}); });
  CHECK(handling(blocks.pid(), SIGUSR1) == Handling::blocked);
}

TEST_CASE("a thread that waits for a signal takes it; one that waits for another does not") {
  const Forked waits([] {
    block({SIGUSR1, SIGUSR2});
    std::thread([] { wait_for({SIGUSR1}); }).detach();
  });
  CHECK(becomes(waits.pid(), SIGUSR1, Handling::blocked));

  const Forked other([] { std::thread([] { wait_for({SIGUSR2}); }).detach(); });
  CHECK(becomes(other.pid(), SIGUSR1, Handling::deadly));

  // The only thread waits: what it waits for is not blocked meanwhile.
  const Forked alone([] {
    block({SIGUSR1});
    if (fork() == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      wait_for({SIGUSR1});
    }
  });
  ProcTree tree({});
  const auto children = tree.children(alone.pid());
  REQUIRE(children.size() == 1);
  CHECK(becomes(children[0].id.pid, SIGUSR1, Handling::blocked));
}

TEST_CASE("one thread that would die of it decides") {
  const Forked threads([] {
    std::thread([] {
      for (;;) pause();
    }).detach();
    block({SIGUSR1});
  });
  // glibc starts a thread with everything blocked.
  CHECK(becomes(threads.pid(), SIGUSR1, Handling::deadly));
}

TEST_CASE("the children of a process, without those that are excluded") {
  const Forked one([] {});
  const Forked two([] {});
  const auto excluded = read_process(two.pid());
  REQUIRE(excluded);
  ProcTree tree({excluded->id});
  std::vector<int> found;
  for (const ProcessEntry& child : tree.children(getpid())) found.push_back(child.id.pid);
  CHECK(std::find(found.begin(), found.end(), one.pid()) != found.end());
  CHECK(std::find(found.begin(), found.end(), two.pid()) == found.end());
}

TEST_CASE("who is gone has no state") { CHECK_FALSE(read_signal_state(0x3fffffff, SIGUSR1)); }

// How long it takes is measured in tests/bench/tree.py.
TEST_CASE("a table of 2,000 processes is read whole") {
  std::vector<pid_t> many;
  for (int i = 0; i < 2000; ++i) {
    const pid_t pid = vfork();
    if (pid == 0) _exit(0);  // zombies: rows of the table like any other, and cheap
    many.push_back(pid);
  }
  const auto table = read_process_table();
  REQUIRE(table.has_value());
  std::vector<pid_t> seen;
  CHECK(table->whole);
  for (const ProcessEntry& entry : table->entries) seen.push_back(entry.id.pid);
  std::sort(seen.begin(), seen.end());
  for (const pid_t pid : many) {
    CHECK(std::binary_search(seen.begin(), seen.end(), pid));
    waitpid(pid, nullptr, 0);
  }
}
