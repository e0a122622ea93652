#include "os/terminal.hpp"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>

#include "os/fd.hpp"

namespace pw {

bool has_controlling_terminal() {
  const Fd tty(::open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
  if (tty || errno == ENXIO) return static_cast<bool>(tty);
  // No /dev/tty to ask (a minimal /dev, no descriptor left): ours would be one of these.
  for (int fd = 0; fd < 3; ++fd) {
    if (tcgetsid(fd) == getsid(0)) return true;
  }
  return false;
}

}  // namespace pw
