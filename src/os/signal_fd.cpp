#include "os/signal_fd.hpp"

#include <sys/signalfd.h>

#include "os/os_error.hpp"

namespace pw {
namespace {

// Faults must act at once on whoever made them, and nobody can block KILL and STOP.
constexpr SignalSet kLeftAlone{SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS};

sigset_t handled_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (Signal signal = 1; signal <= kRtMax; ++signal) {
    // sigaddset refuses 32 and 33, which are glibc's own.
    if (!kLeftAlone.contains(signal)) sigaddset(&set, signal);
  }
  return set;
}

bool is_ignored(Signal signal) {
  struct sigaction found {};
  return sigaction(signal, nullptr, &found) == 0 && found.sa_handler == SIG_IGN;
}

CaughtSignal caught(const signalfd_siginfo& info) {
  const bool queued = info.ssi_code == SI_QUEUE;
  return {.signal = static_cast<Signal>(info.ssi_signo),
          .code = info.ssi_code,
          .sender = static_cast<pid_t>(info.ssi_pid),
          .uid = info.ssi_uid,
          .payload = {queued, queued ? static_cast<std::int64_t>(info.ssi_ptr) : 0}};
}

}  // namespace

InheritedSignals block_handled_signals() {
  InheritedSignals inherited;
  const sigset_t handled = handled_signals();
  sigprocmask(SIG_BLOCK, &handled, &inherited.mask);
  for (const Signal signal : {SIGHUP, SIGINT, SIGQUIT}) {
    if (is_ignored(signal)) inherited.ignored.insert(signal);
  }
  struct sigaction by_default {};
  by_default.sa_handler = SIG_DFL;
  sigaction(SIGCHLD, &by_default, nullptr);
  return inherited;
}

void leave_job_control_signals(const InheritedSignals& inherited) {
  sigset_t ours;
  sigemptyset(&ours);
  for (const Signal signal : {SIGTSTP, SIGTTIN, SIGTTOU}) {
    if (sigismember(&inherited.mask, signal) == 0) sigaddset(&ours, signal);
  }
  sigprocmask(SIG_UNBLOCK, &ours, nullptr);
}

Result<SignalFd> SignalFd::open() {
  const sigset_t handled = handled_signals();
  Fd fd(signalfd(-1, &handled, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!fd) return os_error("signalfd");
  return SignalFd(std::move(fd));
}

SignalFd::Batch SignalFd::read() {
  std::array<signalfd_siginfo, 16> infos;
  Batch batch;
  const ssize_t bytes = ::read(fd_.get(), infos.data(), sizeof infos);
  if (bytes <= 0) return batch;
  batch.count = static_cast<std::size_t>(bytes) / sizeof infos[0];
  for (std::size_t i = 0; i < batch.count; ++i) batch.signals[i] = caught(infos[i]);
  return batch;
}

}  // namespace pw
