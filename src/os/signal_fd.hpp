#pragma once
#include <signal.h>
#include <sys/types.h>

#include <optional>

#include "core/result.hpp"
#include "core/signal.hpp"
#include "os/fd.hpp"

namespace pw {

/// The signal state that we were started with, so that the trainer can be given it back.
struct InheritedSignals {
  sigset_t mask{};
  SignalSet ignored;           ///< of HUP, INT, QUIT: what nohup and a shell's `&` set
  bool child_ignored = false;  ///< SIGCHLD was
};

/// The first act of main: blocks every signal that we handle, so that one in the first millisecond
/// is kept, not deadly. Faults stay as they are; SIGCHLD found ignored becomes default, else the
/// kernel would reap for us. Async-signal-safe, allocates nothing.
InheritedSignals block_handled_signals();

/// Who deals with TSTP, TTIN and TTOU: the terminal's job control stops us together with the
/// trainer, or we pass them on like any other signal.
enum class JobControl { terminal, ours };

/// Gives those three back to the terminal's job control.
void leave_job_control_signals(const InheritedSignals& inherited);

/// One signal, with who sent it: no handler API of Asio keeps that.
struct CaughtSignal {
  Signal signal = 0;
  int code = 0;      ///< si_code: SI_USER, SI_QUEUE, SI_KERNEL, ...
  pid_t sender = 0;  ///< 0: the kernel, or a process outside our PID namespace
  uid_t uid = 0;
  Payload payload;
};

/// The blocked signals: as a descriptor for the loop to wait on beside others, and one by one.
class SignalFd {
 public:
  static Result<SignalFd> open(JobControl job_control);
  int fd() const { return fd_.get(); }

  /// The next pending signal, the lowest number first; nothing if none is pending.
  std::optional<CaughtSignal> next() const;

  /// The same, but waits until `timeout` (relative; nothing: for ever). One system call where
  /// poll and read are two: a relay through it is 1.03 x, not 1.15 x, of a bare sigwaitinfo().
  std::optional<CaughtSignal> wait(const std::optional<timespec>& timeout) const;

 private:
  SignalFd(Fd fd, const sigset_t& handled) : fd_(std::move(fd)), handled_(handled) {}
  Fd fd_;
  sigset_t handled_;
};

}  // namespace pw
