#pragma once
#include <sys/types.h>

#include "core/signal.hpp"

namespace pw {

/// A pidfd, close-on-exec, or -1 with errno (ENOSYS before Linux 5.3, EPERM under seccomp).
int open_pidfd(pid_t pid);

/// Both send a signal with its sigqueue() value, if it had one; they return 0 or errno.
/// A PID may be used only for a process that nobody else can reap: a child of ours.
int send_by_pidfd(int pidfd, Signal signal, const Payload& payload);
int send_by_pid(pid_t pid, Signal signal, const Payload& payload);

}  // namespace pw
