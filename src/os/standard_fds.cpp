#include "os/standard_fds.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace pw {

ClosedStandardFds fill_closed_standard_fds() {
  ClosedStandardFds closed{};
  for (int fd = 0; fd < 3; ++fd) {
    if (fcntl(fd, F_GETFD) != -1) continue;
    closed[static_cast<std::size_t>(fd)] = true;
    // open() takes the lowest free number: this one, the lower ones are taken by now.
    if (::open("/dev/null", O_RDWR) != fd) break;
  }
  return closed;
}

}  // namespace pw
