#include "os/launch.hpp"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>

namespace pw {
namespace {

// Prepared by the parent: after the clone the child shares our memory and may not allocate.
struct Prepared {
  const Launch& plan;
  std::vector<char*> argv;
  std::vector<char*> envp;
  pid_t parent;
  int exec_error = 0;  // written by the child, in our memory
};

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (const std::string& text : texts) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

void set_disposition(Signal signal, sighandler_t disposition) {
  struct sigaction action {};
  action.sa_handler = disposition;
  sigaction(signal, &action, nullptr);
}

void take_on(const Launch& plan, pid_t parent) {
  for (Signal signal = 1; signal <= kRtMax; ++signal) {
    if (plan.defaults.contains(signal)) set_disposition(signal, SIG_DFL);
    if (plan.ignores.contains(signal)) set_disposition(signal, SIG_IGN);
  }
  if (plan.group == ProcessGroup::own) setpgid(0, 0);
  if (plan.parent_death != 0) {
    prctl(PR_SET_PDEATHSIG, plan.parent_death);
    // The saved PID, not 1: our parent may itself be PID 1 or a subreaper (coreutils e644eea12).
    if (getppid() != parent) raise(plan.parent_death);
  }
  if (plan.stdin_fd >= 0) dup2(plan.stdin_fd, STDIN_FILENO);
  if (plan.stdout_fd >= 0) dup2(plan.stdout_fd, STDOUT_FILENO);
  for (int fd = 0; fd < 3; ++fd) {
    if (plan.close_standard[static_cast<std::size_t>(fd)]) close(fd);
  }
}

// Not instrumented: ASan would take the foreign stack for its own.
[[gnu::no_sanitize_address]] int run_child(void* argument) {
  auto& prepared = *static_cast<Prepared*>(argument);
  take_on(prepared.plan, prepared.parent);
  sigprocmask(SIG_SETMASK, &prepared.plan.mask, nullptr);
  execvpe(prepared.argv[0], prepared.argv.data(), prepared.envp.data());
  prepared.exec_error = errno;
  _exit(127);
}

// The child's stack: execvpe copies argv onto it to run a script without #!.
std::size_t stack_size(std::size_t arguments) {
  return (64 * 1024 + 2 * arguments * sizeof(char*)) & ~std::size_t{15};
}

LaunchFailure failure(LaunchStage stage, int error) { return {stage, error}; }

}  // namespace

boost::system::result<pid_t, LaunchFailure> launch(const Launch& plan) {
  // On our own stack, whose upper pages are there already: no page is touched for the first time.
  const std::size_t size = stack_size(plan.command.size());
  char* const stack = static_cast<char*>(__builtin_alloca_with_align(size, 16 * CHAR_BIT));
  Prepared prepared{plan, pointers(plan.command), pointers(plan.environment), getpid()};
  // Signals stay blocked in the child until it has taken on its own state. We go on when it has
  // executed the command or has ended, as posix_spawn does.
  const pid_t pid = clone(run_child, stack + size, CLONE_VM | CLONE_VFORK | SIGCHLD, &prepared);
  if (pid < 0) return failure(LaunchStage::spawn, errno);
  if (prepared.exec_error == 0) return pid;
  waitpid(pid, nullptr, 0);
  return failure(LaunchStage::exec, prepared.exec_error);
}

int exec_in_place(const Launch& plan) {
  const auto argv = pointers(plan.command);
  const auto envp = pointers(plan.environment);
  for (int fd = 0; fd < 3; ++fd) {
    if (plan.close_standard[static_cast<std::size_t>(fd)]) close(fd);
  }
  for (Signal signal = 1; signal <= kRtMax; ++signal) {
    if (plan.ignores.contains(signal)) set_disposition(signal, SIG_IGN);
  }
  // What we made of this process goes: it is the bare command's now. A PIPE of our own making is
  // taken away, it would end the command at once.
  prctl(PR_SET_CHILD_SUBREAPER, 0);
  sigset_t pipe_only;
  sigemptyset(&pipe_only);
  sigaddset(&pipe_only, SIGPIPE);
  const timespec no_wait{};
  sigtimedwait(&pipe_only, nullptr, &no_wait);
  sigprocmask(SIG_SETMASK, &plan.mask, nullptr);
  execvpe(argv[0], argv.data(), envp.data());
  return errno;
}

}  // namespace pw
