#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/process_tree.hpp"

namespace pw {

/// A process that nobody on any host takes for another: a PID means something only in its own PID
/// namespace, on its own host, until that boots again.
struct Claimant {
  std::string host;
  std::string boot;         ///< /proc/sys/kernel/random/boot_id, "-" where it cannot be known
  std::uint64_t space = 0;  ///< the inode of its PID namespace; 0: not known
  ProcessId process;
  friend bool operator==(const Claimant&, const Claimant&) = default;
};

/// What one process says of something that only one may do, as one line:
/// "trying HOST PID START-TIME BOOT-ID PID-NAMESPACE".
struct Claim {
  enum class State {
    trying,
    done,
    withdrawn,  ///< as if it had never been made
  };
  State state = State::trying;
  Claimant owner;
  friend bool operator==(const Claim&, const Claim&) = default;
};

std::string encode(const Claim& claim);
/// Nothing if it is not exactly such a line.
std::optional<Claim> parse_claim(std::string_view text);

/// Whether `asker` could see that the process lives: same host, boot and PID namespace, all known.
/// Of any other nothing can be proven.
bool within_sight(const Claimant& owner, const Claimant& asker);

/// "pid 4711 on n1", for a sentence.
std::string claimant_text(const Claimant& claimant);

}  // namespace pw
