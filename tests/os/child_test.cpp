#include "os/child.hpp"

#include <doctest/doctest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "os/launch.hpp"
#include "os/process_table.hpp"
#include "os/signal_state.hpp"

using namespace pw;

namespace {

Child start(const char* script) {
  Launch plan;
  plan.command = {"/bin/sh", "-c", script};
  plan.environment = {"PATH=/usr/bin:/bin"};
  sigemptyset(&plan.mask);
  const auto pid = launch(plan);
  REQUIRE(pid.has_value());
  return Child(*pid);
}

Ending end_of(Child& child) {
  siginfo_t info{};
  REQUIRE(waitid(P_PID, static_cast<id_t>(child.pid()), &info, WEXITED | WNOWAIT) == 0);
  const auto ending = child.reap();
  REQUIRE(ending.has_value());
  return *ending;
}

}  // namespace

TEST_CASE("how a child ended, exit code and signal apart") {
  Child nine = start("exit 9");
  CHECK(end_of(nine) == Ending{Ending::Kind::exited, 9});
  Child killed = start("kill -9 $$");
  CHECK(end_of(killed) == Ending{Ending::Kind::signalled, SIGKILL});
  CHECK(killed.reap() == Ending{Ending::Kind::signalled, SIGKILL});  // the same ever after
  CHECK(killed.send(SIGTERM) == ESRCH);
}

TEST_CASE("a running child has not ended, and takes signals") {
  Child child = start("sleep 100");
  CHECK_FALSE(child.reap().has_value());
  CHECK_FALSE(child.reaped());
  CHECK(child.send(SIGTERM) == 0);
  CHECK(end_of(child) == Ending{Ending::Kind::signalled, SIGTERM});
}

TEST_CASE("a handle that goes does not take the process along") {
  pid_t pid = 0;
  {
    const Child child = start("sleep 100");
    pid = child.pid();
  }
  const auto entry = read_process(pid);
  REQUIRE(entry.has_value());
  CHECK(entry->alive());
  CHECK(send_to_process(entry->id, SIGKILL) == 0);
  waitpid(pid, nullptr, 0);
}

TEST_CASE("a PID that belongs to another process by now is not signalled") {
  Child child = start("sleep 100");
  const auto entry = read_process(child.pid());
  REQUIRE(entry.has_value());
  CHECK(send_to_process({entry->id.pid, entry->id.start + 1}, SIGKILL) == ESRCH);
  CHECK_FALSE(child.reap().has_value());
  CHECK(send_to_process(entry->id, SIGKILL) == 0);
  CHECK(end_of(child) == Ending{Ending::Kind::signalled, SIGKILL});
}

TEST_CASE("the process table has us, our parent, and names with blanks and parentheses") {
  const auto table = read_process_table();
  REQUIRE(table.has_value());
  const auto self = read_process(getpid());
  REQUIRE(self.has_value());
  CHECK(self->parent == getppid());
  CHECK(self->group == getpgrp());
  Child odd =
      start("exec -a ') (x' sleep 100 2>/dev/null || { echo ') R 1 1' >/proc/$$/comm; read x; }");
  const auto entry = read_process(odd.pid());
  REQUIRE(entry.has_value());
  CHECK(entry->parent == getpid());
  odd.send(SIGKILL);
  end_of(odd);
}

TEST_CASE("who ignores a signal is known") {
  Child child = start("trap '' USR1; echo $$ >/dev/null; exec sleep 100");
  const auto sleeping = [&] {
    const auto entry = read_process(child.pid());
    return entry && entry->name == "sleep";
  };
  while (!sleeping()) poll(nullptr, 0, 1);
  CHECK(ignores_signal(child.pid(), SIGUSR1));
  CHECK_FALSE(ignores_signal(child.pid(), SIGUSR2));
  child.send(SIGKILL);
  end_of(child);
}
