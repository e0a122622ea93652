#include "os/process_signal.hpp"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace pw {
namespace {

siginfo_t queued_info(Signal signal, const Payload& payload) {
  siginfo_t info{};
  info.si_signo = signal;
  info.si_code = SI_QUEUE;
  info.si_pid = getpid();
  info.si_uid = getuid();
  // The kernel reads the pointer, the wider half of the union, whatever the sender meant.
  info.si_value.sival_ptr = reinterpret_cast<void*>(payload.value);
  return info;
}

int outcome(long result) { return result == 0 ? 0 : errno; }

}  // namespace

int open_pidfd(pid_t pid) { return static_cast<int>(syscall(SYS_pidfd_open, pid, 0)); }

int send_by_pidfd(int pidfd, Signal signal, const Payload& payload) {
  if (!payload.queued) {
    return outcome(syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0));
  }
  siginfo_t info = queued_info(signal, payload);
  return outcome(syscall(SYS_pidfd_send_signal, pidfd, signal, &info, 0));
}

int send_by_pid(pid_t pid, Signal signal, const Payload& payload) {
  if (!payload.queued) return outcome(kill(pid, signal));
  siginfo_t info = queued_info(signal, payload);
  return outcome(syscall(SYS_rt_sigqueueinfo, pid, signal, &info));
}

}  // namespace pw
