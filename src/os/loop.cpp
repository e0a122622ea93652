#include "os/loop.hpp"

#include <poll.h>

#include "os/clock.hpp"

namespace pw {

std::vector<bool> wait_for(const std::vector<int>& readable, std::optional<Instant> wake) {
  std::vector<pollfd> polled;
  polled.reserve(readable.size());
  for (const int fd : readable) polled.push_back({.fd = fd, .events = POLLIN, .revents = 0});
  const std::optional<timespec> timeout = timeout_until(wake);
  // All signals that we handle are blocked and come by signalfd, so nothing interrupts this.
  const int ready = ppoll(polled.data(), polled.size(), timeout ? &*timeout : nullptr, nullptr);
  std::vector<bool> result(readable.size(), false);
  if (ready <= 0) return result;
  for (std::size_t i = 0; i < polled.size(); ++i) result[i] = polled[i].revents != 0;
  return result;
}

}  // namespace pw
