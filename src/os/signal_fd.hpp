#pragma once
#include <signal.h>
#include <sys/types.h>

#include <array>
#include <cstdint>

#include "core/result.hpp"
#include "core/signal.hpp"
#include "os/fd.hpp"

namespace pw {

/// The signal state that we were started with, so that the trainer can be given it back.
struct InheritedSignals {
  sigset_t mask{};
  SignalSet ignored;  ///< of HUP, INT, QUIT: what nohup and a shell's `&` set
};

/// The first act of main: blocks every signal that we handle, so that one in the first millisecond
/// is kept, not deadly. Faults stay as they are; SIGCHLD found ignored becomes default, else the
/// kernel would reap for us. Async-signal-safe, allocates nothing.
InheritedSignals block_handled_signals();

/// Gives TSTP, TTIN and TTOU back to the terminal's job control (design section 4.3).
void leave_job_control_signals(const InheritedSignals& inherited);

/// One signal as signalfd(2) tells it: who sent it is kept, which no handler API of Asio does.
struct CaughtSignal {
  Signal signal = 0;
  int code = 0;      ///< si_code: SI_USER, SI_QUEUE, SI_KERNEL, ...
  pid_t sender = 0;  ///< 0: the kernel, or a process outside our PID namespace
  uid_t uid = 0;
  Payload payload;
};

class SignalFd {
 public:
  static Result<SignalFd> open();
  int fd() const { return fd_.get(); }

  /// The next pending signals, without blocking; `count` of them are valid, none when nothing is
  /// pending.
  struct Batch {
    std::array<CaughtSignal, 16> signals;
    std::size_t count = 0;
  };
  Batch read();

 private:
  explicit SignalFd(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace pw
