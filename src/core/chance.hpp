#pragma once
#include <cstdint>

namespace pw {

/// Chance that a seed repeats. The finaliser of splitmix64 (Steele, Lea, Flood 2014): each bit of
/// the argument changes half of the result's.
constexpr std::uint64_t mixed(std::uint64_t bits) {
  bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9;
  bits = (bits ^ (bits >> 27)) * 0x94d049bb133111eb;
  return bits ^ (bits >> 31);
}

/// In [0, 1), of 53 of the bits.
constexpr double share_of(std::uint64_t bits) {
  return static_cast<double>(bits >> 11) * 0x1.0p-53;
}

}  // namespace pw
