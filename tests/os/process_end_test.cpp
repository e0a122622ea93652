#include "os/process_end.hpp"

#include <doctest/doctest.h>
#include <poll.h>
#include <signal.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "os/process_table.hpp"

using namespace pw;

namespace {

// A child that waits for a signal, and exits 7 at USR1.
pid_t start_child() {
  const pid_t pid = fork();
  if (pid == 0) {
    signal(SIGUSR1, [](int) { _exit(7); });
    for (;;) pause();
  }
  while (true) {
    const auto entry = read_process(pid);
    REQUIRE(entry);
    if (entry->state == 'S') return pid;
  }
}

ProcessEnd end_of(pid_t pid) {
  const auto entry = read_process(pid);
  REQUIRE(entry);
  auto end = ProcessEnd::of(entry->id);
  REQUIRE(end);
  return std::move(*end);
}

// Linux 6.15 and later keep it as long as somebody has a pidfd.
bool kernel_keeps_status() {
  utsname name{};
  uname(&name);
  int major = 0;
  int minor = 0;
  REQUIRE(std::sscanf(name.release, "%d.%d", &major, &minor) == 2);
  return major > 6 || (major == 6 && minor >= 15);
}

void wait_for(const ProcessEnd& end) {
  pollfd polled{.fd = end.fd(), .events = POLLIN, .revents = 0};
  REQUIRE(poll(&polled, 1, 20000) == 1);
}

}  // namespace

TEST_CASE("how somebody's child has ended, also when it is reaped where the kernel knows") {
  struct Row {
    int signal;
    bool exited;
    int status;
  };
  for (const Row& row : {Row{SIGUSR1, true, 7}, Row{SIGKILL, false, SIGKILL}}) {
    const pid_t pid = start_child();
    const ProcessEnd end = end_of(pid);
    CHECK_FALSE(end.has_come());
    CHECK_FALSE(end.wait_status());
    kill(pid, row.signal);
    wait_for(end);
    CHECK(end.has_come());
    const auto status = end.wait_status();
    REQUIRE(status);
    CHECK(WIFEXITED(*status) == row.exited);
    CHECK((row.exited ? WEXITSTATUS(*status) : WTERMSIG(*status)) == row.status);
    REQUIRE(waitpid(pid, nullptr, 0) == pid);
    CHECK(end.has_come());
    CHECK(end.wait_status() == (kernel_keeps_status() ? status : std::nullopt));
  }
}

TEST_CASE("a process that is gone, or was replaced, has no end to come") {
  const pid_t pid = start_child();
  const auto entry = read_process(pid);
  REQUIRE(entry);
  CHECK_FALSE(ProcessEnd::of({pid, entry->id.start + 1}));
  kill(pid, SIGKILL);
  REQUIRE(waitpid(pid, nullptr, 0) == pid);
  CHECK_FALSE(ProcessEnd::of(entry->id));
}
