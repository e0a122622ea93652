#pragma once
#include <sys/types.h>

#include <memory>
#include <optional>

#include "core/exit_status.hpp"
#include "core/signal.hpp"

namespace pw {

/// A started child of ours: signals it without a doubt whom they reach, and reaps it once.
/// The handle is Boost.Process v2's, over a pidfd; where the kernel has none (before 5.3, or
/// forbidden by seccomp) it is the PID, safe for a direct child because only we reap it. SIGCHLD
/// tells when to ask.
class Child {
 public:
  explicit Child(pid_t pid);
  Child(Child&&) noexcept;
  Child& operator=(Child&&) noexcept;
  ~Child();  ///< leaves the process alone: an error of ours must not kill a training

  pid_t pid() const { return pid_; }

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
