#pragma once
#include <sys/types.h>

#include <memory>
#include <optional>

#include "core/exit_status.hpp"
#include "core/signal.hpp"

namespace pw {

/// A started child of ours: signals it without a doubt whom they reach, and reaps it once.
/// The handle is Boost.Process v2's; where the kernel has no pidfd (before 5.3, or forbidden by
/// seccomp) it is waitpid on SIGCHLD, safe for a direct child because only we reap it.
class Child {
 public:
  explicit Child(pid_t pid);
  Child(Child&&) noexcept;
  Child& operator=(Child&&) noexcept;
  ~Child();  ///< leaves the process alone: an error of ours must not kill a training

  pid_t pid() const { return pid_; }

  /// Readable when the process has ended; -1 where SIGCHLD has to tell.
  int end_fd() const;

  /// How it ended, if it has; nothing while it runs. After the first answer always the same.
  std::optional<Ending> reap();

  bool reaped() const { return ending_.has_value(); }

  /// 0, or errno; ESRCH once it was reaped.
  int send(Signal signal, const Payload& payload = {});

 private:
  struct Handle;
  pid_t pid_;
  std::unique_ptr<Handle> handle_;
  std::optional<Ending> ending_;
};

}  // namespace pw
