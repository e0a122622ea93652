#pragma once
#include <bit>
#include <csignal>
#include <cstdint>
#include <initializer_list>
#include <map>

namespace pw {

/// A signal's number as the kernel knows it (signal(7)); 0 is no signal.
using Signal = int;

/// glibc keeps 32 and 33 for itself, so RT signals are 34 to 64 for every program (signal(7)).
inline constexpr Signal kRtMin = 34;
inline constexpr Signal kRtMax = 64;

constexpr bool is_realtime(Signal signal) { return signal >= kRtMin && signal <= kRtMax; }

/// A set of signal numbers 1 to 64, one bit each.
class SignalSet {
 public:
  constexpr SignalSet() = default;
  /// As the kernel prints them (SigCgt, SigBlk, ... of proc(5) status): bit 0 is signal 1.
  static constexpr SignalSet from_bits(std::uint64_t bits) {
    SignalSet set;
    set.bits_ = bits;
    return set;
  }
  constexpr SignalSet(std::initializer_list<Signal> signals) {
    for (Signal signal : signals) insert(signal);
  }

  constexpr void insert(Signal signal) { bits_ |= bit(signal); }
  constexpr void erase(Signal signal) { bits_ &= ~bit(signal); }
  constexpr bool contains(Signal signal) const { return (bits_ & bit(signal)) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr int size() const { return std::popcount(bits_); }
  friend constexpr bool operator==(const SignalSet&, const SignalSet&) = default;
  friend constexpr SignalSet operator|(const SignalSet& one, const SignalSet& other) {
    return from_bits(one.bits_ | other.bits_);
  }

 private:
  static constexpr std::uint64_t bit(Signal signal) {
    return signal < 1 || signal > kRtMax ? 0 : std::uint64_t{1} << (signal - 1);
  }
  std::uint64_t bits_ = 0;
};

/// By default, that is (signal(7)); STOP and what stops or continues do not.
constexpr bool ends_a_process(Signal signal) {
  constexpr SignalSet kHarmless{SIGCHLD, SIGCONT, SIGURG,  SIGWINCH,
                                SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU};
  return !kHarmless.contains(signal);
}

/// What the trainer gets for a signal that we get; 0 drops it, a signal not named passes as it is.
using SignalMap = std::map<Signal, Signal>;

/// What came with a signal: a sigqueue() value is passed on, a plain kill() stays one.
struct Payload {
  bool queued = false;
  std::int64_t value = 0;
  friend bool operator==(const Payload&, const Payload&) = default;
};

}  // namespace pw
