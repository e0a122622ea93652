#include "os/loop.hpp"

#include <poll.h>

#include <vector>

#include "os/clock.hpp"

namespace pw {

std::optional<CaughtSignal> wait_for(const SignalFd& signals, std::span<const int> readable,
                                     std::optional<Instant> wake) {
  const std::optional<timespec> timeout = timeout_until(wake);
  // Nearly always there are only signals and a timer to wait for: one system call does it.
  if (readable.empty()) return signals.wait(timeout);
  std::vector<pollfd> polled{{.fd = signals.fd(), .events = POLLIN, .revents = 0}};
  for (const int fd : readable) polled.push_back({.fd = fd, .events = POLLIN, .revents = 0});
  // All signals that we handle are blocked, so nothing interrupts this.
  ppoll(polled.data(), polled.size(), timeout ? &*timeout : nullptr, nullptr);
  return signals.next();
}

}  // namespace pw
