#pragma once
#include <optional>

#include "core/process_tree.hpp"
#include "os/fd.hpp"

namespace pw {

/// Tells when a process ends that is somebody else's child: its descriptor becomes readable.
class ProcessEnd {
 public:
  /// Nothing if it has ended and was reaped, or where the kernel has no pidfds (before 5.3).
  static std::optional<ProcessEnd> of(const ProcessId& process);

  int fd() const { return pidfd_.get(); }
  const ProcessId& process() const { return process_; }
  bool has_come() const;

  /// The wait status (wait(2)). Once the parent has reaped it only Linux 6.15 and later know.
  std::optional<int> wait_status() const;

 private:
  ProcessEnd(const ProcessId& process, Fd pidfd) : process_(process), pidfd_(std::move(pidfd)) {}

  std::optional<int> unreaped_status() const;
  std::optional<int> reaped_status() const;

  ProcessId process_;
  Fd pidfd_;
};

}  // namespace pw
