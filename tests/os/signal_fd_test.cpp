#include "os/signal_fd.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

using namespace pw;

namespace {

// Blocks the signals for one test, and gives the mask back.
struct Blocked {
  InheritedSignals inherited = block_handled_signals();
  ~Blocked() { sigprocmask(SIG_SETMASK, &inherited.mask, nullptr); }
};

}  // namespace

TEST_CASE("a signal is read with its sender, its code and its value") {
  const Blocked blocked;
  auto signals = SignalFd::open();
  REQUIRE(signals.has_value());
  CHECK(signals->read().count == 0);
  kill(getpid(), SIGUSR1);
  sigval value{};
  value.sival_int = 42;
  for (int i = 0; i < 3; ++i) sigqueue(getpid(), SIGRTMIN + 3, value);
  const SignalFd::Batch batch = signals->read();
  REQUIRE(batch.count == 4);
  CHECK(batch.signals[0].signal == SIGUSR1);
  CHECK(batch.signals[0].sender == getpid());
  CHECK(batch.signals[0].uid == getuid());
  CHECK(batch.signals[0].code == SI_USER);
  CHECK_FALSE(batch.signals[0].payload.queued);
  CHECK(batch.signals[1].signal == kRtMin + 3);
  CHECK(batch.signals[1].code == SI_QUEUE);
  CHECK(static_cast<int>(batch.signals[3].payload.value) == 42);
}

TEST_CASE("what nohup and & ignored is known; SIGCHLD becomes default") {
  signal(SIGHUP, SIG_IGN);
  signal(SIGCHLD, SIG_IGN);
  {
    const Blocked blocked;
    CHECK(blocked.inherited.ignored == SignalSet{SIGHUP});
    struct sigaction found {};
    sigaction(SIGCHLD, nullptr, &found);
    CHECK((found.sa_handler == SIG_DFL));
  }
  signal(SIGHUP, SIG_DFL);
}

TEST_CASE("faults, KILL and STOP are not ours") {
  const Blocked blocked;
  sigset_t mask;
  sigprocmask(SIG_BLOCK, nullptr, &mask);
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGKILL, SIGSTOP}) {
    CHECK(sigismember(&mask, signal) == 0);
  }
  for (const int signal :
       {SIGHUP, SIGTERM, SIGUSR1, SIGCHLD, SIGTSTP, SIGABRT, SIGRTMIN, SIGRTMAX}) {
    CHECK(sigismember(&mask, signal) == 1);
  }
}
