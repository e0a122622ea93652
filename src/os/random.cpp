#include "os/random.hpp"

#include <sys/random.h>
#include <unistd.h>

namespace pw {

std::uint64_t random_bits() {
  std::uint64_t bits = 0;
  // Early at boot the kernel may have no chance yet: the address space has a little.
  if (getrandom(&bits, sizeof bits, GRND_NONBLOCK) != sizeof bits) {
    bits = reinterpret_cast<std::uintptr_t>(&bits) * 0x9E3779B97F4A7C15U +
           static_cast<std::uint64_t>(getpid());
  }
  return bits;
}

}  // namespace pw
