#include "os/terminal.hpp"

#include <fcntl.h>

#include "os/fd.hpp"

namespace pw {

bool has_controlling_terminal() {
  return static_cast<bool>(Fd(::open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)));
}

}  // namespace pw
