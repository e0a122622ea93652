#include "os/reaper.hpp"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "os/process_table.hpp"

namespace pw {

void become_subreaper() { prctl(PR_SET_CHILD_SUBREAPER, 1); }

pid_t next_ended_child() {
  siginfo_t info{};
  // WNOWAIT: whose child it is decides who reaps it.
  if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0) return info.si_pid;
  return errno == ECHILD ? -1 : 0;
}

void reap_orphan(pid_t pid) { waitpid(pid, nullptr, WNOHANG); }

std::vector<ProcessId> children_before_start() {
  std::vector<ProcessId> children;
  if (next_ended_child() == -1) return children;
  if (const auto table = read_process_table()) {
    for (const ProcessEntry& entry : table->entries) {
      if (entry.parent == getpid()) children.push_back(entry.id);
    }
  }
  return children;
}

}  // namespace pw
