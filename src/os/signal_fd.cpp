#include "os/signal_fd.hpp"

#include <sys/signalfd.h>

#include <array>

#include "os/os_error.hpp"

namespace pw {
namespace {

// Faults must act at once on whoever made them, and nobody can block KILL and STOP.
constexpr SignalSet kLeftAlone{SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS};

constexpr std::array<Signal, 3> kJobControl{SIGTSTP, SIGTTIN, SIGTTOU};

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

// Only these codes come with a sender and, queued, a value; the union holds other things for
// others.
CaughtSignal caught(const siginfo_t& info) {
  const bool queued = info.si_code == SI_QUEUE;
  const bool by_process = queued || info.si_code == SI_USER || info.si_code == SI_TKILL;
  CaughtSignal result{.signal = info.si_signo, .code = info.si_code};
  if (by_process) result.sender = info.si_pid;
  if (by_process) result.uid = info.si_uid;
  if (queued) result.payload = {true, reinterpret_cast<std::int64_t>(info.si_value.sival_ptr)};
  return result;
}

}  // namespace

InheritedSignals block_handled_signals() {
  InheritedSignals inherited;
  const sigset_t handled = handled_signals();
  sigprocmask(SIG_BLOCK, &handled, &inherited.mask);
  for (const Signal signal : {SIGHUP, SIGINT, SIGQUIT}) {
    if (is_ignored(signal)) inherited.ignored.insert(signal);
  }
  inherited.child_ignored = is_ignored(SIGCHLD);
  if (inherited.child_ignored) {
    struct sigaction by_default {};
    by_default.sa_handler = SIG_DFL;
    sigaction(SIGCHLD, &by_default, nullptr);
  }
  return inherited;
}

void leave_job_control_signals(const InheritedSignals& inherited) {
  sigset_t ours;
  sigemptyset(&ours);
  for (const Signal signal : kJobControl) {
    if (sigismember(&inherited.mask, signal) == 0) sigaddset(&ours, signal);
  }
  sigprocmask(SIG_UNBLOCK, &ours, nullptr);
}

Result<SignalFd> SignalFd::open(JobControl job_control) {
  sigset_t handled = handled_signals();
  if (job_control == JobControl::terminal) {
    // sigtimedwait would take them also unblocked, and Ctrl-Z stop the trainer but not us.
    for (const Signal signal : kJobControl) sigdelset(&handled, signal);
  }
  Fd fd(signalfd(-1, &handled, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!fd) return os_error("signalfd");
  return SignalFd(std::move(fd), handled);
}

std::optional<CaughtSignal> SignalFd::next() const { return wait(timespec{}); }

std::optional<CaughtSignal> SignalFd::wait(const std::optional<timespec>& timeout) const {
  siginfo_t info{};
  if (sigtimedwait(&handled_, &info, timeout ? &*timeout : nullptr) <= 0) return {};
  return caught(info);
}

}  // namespace pw
