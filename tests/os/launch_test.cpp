#include "os/launch.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>

#include "os/fd.hpp"

using namespace pw;

namespace {

Launch plan_for(std::vector<std::string> command) {
  Launch plan;
  plan.command = std::move(command);
  plan.environment = {"PATH=/usr/bin:/bin", "MARK=yes"};
  sigemptyset(&plan.mask);
  return plan;
}

// The exit code of the command, or minus the signal that ended it.
int outcome(const Launch& plan) {
  const auto pid = launch(plan);
  REQUIRE(pid.has_value());
  int status = 0;
  waitpid(*pid, &status, 0);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

int failure(const Launch& plan) {
  const auto pid = launch(plan);
  REQUIRE_FALSE(pid.has_value());
  CHECK(pid.error().stage == LaunchStage::exec);
  CHECK(waitpid(-1, nullptr, WNOHANG) == -1);  // the failed child was reaped
  return pid.error().error;
}

struct TemporaryFile {
  std::string path = "/tmp/pw-launch-XXXXXX";
  TemporaryFile(const std::string& text, mode_t mode) {
    close(mkstemp(path.data()));
    std::ofstream(path) << text;
    chmod(path.c_str(), mode);
  }
  ~TemporaryFile() { unlink(path.c_str()); }
};

}  // namespace

TEST_CASE("execvp semantics: PATH, the environment given, scripts without #!") {
  CHECK(outcome(plan_for({"sh", "-c", "exit 7"})) == 7);
  CHECK(outcome(plan_for({"/bin/sh", "-c", "[ \"$MARK\" = yes ] && exit 3"})) == 3);
  const TemporaryFile script("exit $#\n", 0755);
  CHECK(outcome(plan_for({script.path, "a", "b"})) == 2);
}

TEST_CASE("a failed exec is told with its errno") {
  CHECK(failure(plan_for({"/no/such/command"})) == ENOENT);
  CHECK(failure(plan_for({"no-such-command"})) == ENOENT);
  CHECK(failure(plan_for({"/tmp"})) == EACCES);
  const TemporaryFile plain("exit 0\n", 0644);
  CHECK(failure(plan_for({plain.path})) == EACCES);
  const TemporaryFile missing("#!/no/such/interpreter\n", 0755);
  CHECK(failure(plan_for({missing.path})) == ENOENT);
}

TEST_CASE("mask, dispositions and process group are there before exec") {
  Launch plan = plan_for({"sh", "-c", "kill -TERM $$; exit 5"});
  CHECK(outcome(plan) == -SIGTERM);
  sigaddset(&plan.mask, SIGTERM);
  CHECK(outcome(plan) == 5);
  sigemptyset(&plan.mask);
  plan.ignores = {SIGTERM};
  CHECK(outcome(plan) == 5);
  plan = plan_for({"sh", "-c", "[ $(ps -o pgid= -p $$) = $$ ]"});
  plan.environment = {"PATH=/usr/bin:/bin"};
  CHECK(outcome(plan) == 0);
  plan.group = ProcessGroup::shared;
  CHECK(outcome(plan) == 1);
}

TEST_CASE("an inherited ignored signal is default where the plan says so") {
  signal(SIGUSR1, SIG_IGN);
  Launch plan = plan_for({"sh", "-c", "kill -USR1 $$; exit 5"});
  CHECK(outcome(plan) == 5);
  plan.defaults = {SIGUSR1};
  CHECK(outcome(plan) == -SIGUSR1);
  signal(SIGUSR1, SIG_DFL);
}

TEST_CASE("descriptors: ours pass through, closed ones stay closed, stdout can be another") {
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  const Fd read_end(ends[0]);
  Fd write_end(ends[1]);
  Launch plan = plan_for({"sh", "-c", "echo hello; [ -e /proc/self/fd/0 ] && exit 1; exit 0"});
  plan.stdout_fd = write_end.get();
  plan.close_standard = {true, false, false};
  CHECK(outcome(plan) == 0);
  write_end.reset();
  char text[16] = {};
  CHECK(read(read_end.get(), text, sizeof text) == 6);
  CHECK(std::string(text) == "hello\n");
}

TEST_CASE("the parent-death signal is set") {
  Launch plan = plan_for({"sleep", "100"});
  plan.parent_death = SIGKILL;
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t middle = fork();
  if (middle == 0) {
    const auto pid = launch(plan);
    const pid_t told = pid ? *pid : -1;
    _exit(write(ends[1], &told, sizeof told) == sizeof told ? 0 : 1);
  }
  pid_t grandchild = -1;
  REQUIRE(read(ends[0], &grandchild, sizeof grandchild) == sizeof grandchild);
  waitpid(middle, nullptr, 0);
  // The grandchild holds the write end, too: end of file comes when it has died.
  close(ends[1]);
  char byte = 0;
  CHECK(read(ends[0], &byte, 1) == 0);
  close(ends[0]);
}
