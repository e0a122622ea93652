#pragma once
#include <cstdint>

namespace pw {

/// 64 bits of the kernel's chance; getrandom(2), never blocks.
std::uint64_t random_bits();

}  // namespace pw
