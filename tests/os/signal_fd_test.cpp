#include "os/signal_fd.hpp"

#include <doctest/doctest.h>
#include <sys/time.h>
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
  auto signals = SignalFd::open(JobControl::ours);
  REQUIRE(signals.has_value());
  CHECK_FALSE(signals->next().has_value());
  kill(getpid(), SIGUSR1);
  sigval value{};
  value.sival_int = 42;
  for (int i = 0; i < 3; ++i) sigqueue(getpid(), SIGRTMIN + 3, value);
  const auto plain = signals->next();
  REQUIRE(plain.has_value());
  CHECK(plain->signal == SIGUSR1);
  CHECK(plain->sender == getpid());
  CHECK(plain->uid == getuid());
  CHECK(plain->code == SI_USER);
  CHECK_FALSE(plain->payload.queued);
  for (int i = 0; i < 3; ++i) {
    const auto queued = signals->next();
    REQUIRE(queued.has_value());
    CHECK(queued->signal == kRtMin + 3);
    CHECK(queued->code == SI_QUEUE);
    CHECK(static_cast<int>(queued->payload.value) == 42);
  }
  CHECK_FALSE(signals->next().has_value());
}

TEST_CASE("what is left to the terminal's job control is not taken from it") {
  const Blocked blocked;
  kill(getpid(), SIGTSTP);
  auto left_alone = SignalFd::open(JobControl::terminal);
  REQUIRE(left_alone.has_value());
  CHECK_FALSE(left_alone->next().has_value());
  auto ours = SignalFd::open(JobControl::ours);
  REQUIRE(ours.has_value());
  CHECK(ours->next()->signal == SIGTSTP);
}

TEST_CASE("the kernel's own signals have no sender") {
  const Blocked blocked;
  auto signals = SignalFd::open(JobControl::ours);
  REQUIRE(signals.has_value());
  itimerval soon{.it_interval = {}, .it_value = {.tv_sec = 0, .tv_usec = 1}};
  setitimer(ITIMER_REAL, &soon, nullptr);
  const auto alarm = signals->wait({});
  REQUIRE(alarm.has_value());
  CHECK(alarm->signal == SIGALRM);
  CHECK(alarm->code == SI_KERNEL);
  CHECK(alarm->sender == 0);
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
