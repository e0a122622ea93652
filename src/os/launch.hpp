#pragma once
#include <signal.h>
#include <sys/types.h>

#include <string>
#include <vector>

#include "core/result.hpp"
#include "core/signal.hpp"
#include "os/standard_fds.hpp"

namespace pw {

enum class ProcessGroup { shared, own };

/// What a new process starts with. The mask is what it runs with; `defaults` are reset to SIG_DFL
/// (each is a system call at every start), `ignores` to SIG_IGN, the others are inherited.
struct Launch {
  std::vector<std::string> command;      ///< execvp semantics: PATH, scripts without #!
  std::vector<std::string> environment;  ///< NAME=value
  sigset_t mask{};
  SignalSet defaults;
  SignalSet ignores;
  ProcessGroup group = ProcessGroup::own;
  Signal parent_death = 0;  ///< PR_SET_PDEATHSIG; 0: none
  ClosedStandardFds close_standard{};
  int stdout_fd = -1;  ///< instead of ours
  int stdin_fd = -1;
};

enum class LaunchStage { spawn, exec };

struct LaunchFailure {
  LaunchStage stage = LaunchStage::spawn;  ///< spawn: no process could be made (EAGAIN, ENOMEM)
  int error = 0;
};

/// Starts a process by a vfork-class clone: no page tables are copied, so its cost does not grow
/// with us, and when it returns the exec has succeeded or failed. Own process group and
/// parent-death signal are set before exec: nobody can see the process without them. Boost.Process
/// v2's launchers of 1.81 cannot do this (docs/architecture.md).
boost::system::result<pid_t, LaunchFailure> launch(const Launch& plan);

/// Replaces this process by the command; returns errno only if that failed.
int exec_in_place(const Launch& plan);

}  // namespace pw
