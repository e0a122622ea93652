#include "os/standard_fds.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace pw {

ClosedStandardFds fill_closed_standard_fds() {
  ClosedStandardFds closed{};
  pollfd standard[] = {{0, 0, 0}, {1, 0, 0}, {2, 0, 0}};
  poll(standard, 3, 0);
  for (int fd = 0; fd < 3; ++fd) {
    if ((standard[fd].revents & POLLNVAL) == 0) continue;
    closed[static_cast<std::size_t>(fd)] = true;
    // open() takes the lowest free number: this one, the lower ones are taken by now.
    if (::open("/dev/null", O_RDWR) != fd) break;
  }
  return closed;
}

}  // namespace pw
