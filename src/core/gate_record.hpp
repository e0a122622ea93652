#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/gate_clock.hpp"

namespace pw {

/// The right to be in start-up, for some time.
struct Lease {
  std::uint64_t ticket = 0;
  GateTime start{};      ///< when its owner may start, or did
  GateTime until{};      ///< then it is over, if it has not been renewed
  bool started = false;  ///< its owner has said that it starts
  friend bool operator==(const Lease&, const Lease&) = default;
};

/// The state of a start gate, as one record of the ledger holds it. Changed by core/gate_policy
/// only.
struct GateRecord {
  std::uint64_t generation = 0;  ///< another one: a new gate, old tickets and places are void
  GateTime next{};               ///< the earliest start that is not given away (GCRA's TAT)
  GateTime busy_since{};         ///< when somebody last found nothing reserved
  GateTime clock{};              ///< of the writer
  GateTime blocked_until{};      ///< nobody is admitted before: leases may have been lost
  std::uint64_t tickets = 0;     ///< given so far
  std::uint64_t admitted = 0;    ///< up to this one they have been let in
  Nanos start_up{0};             ///< how long one takes, a moving average; 0: not known yet
  Nanos spacing{0};              ///< of the last writer, for those who look
  int max_starting = 0;          ///< likewise; 0: no limit
  std::uint64_t reserved = 0;    ///< starts given to those who take no ticket
  std::uint64_t by = 0;          ///< the ticket of which this record tells
  bool amended = false;          ///< never stored: to be written down, or it begins anew each look
  std::vector<Lease> leases;
  std::vector<GateTime> freed;      ///< starts that were given back
  std::vector<std::uint64_t> gone;  ///< tickets that were given back, in ascending order

  friend bool operator==(const GateRecord&, const GateRecord&) = default;
};

/// The limits keep the longest record below the 900 bytes that the ledger takes. Of the tickets
/// that were given back those are written that find room.
inline constexpr std::size_t kRecordMost = 900;
inline constexpr std::size_t kMostLeases = 40;
inline constexpr std::size_t kMostFreed = 8;
inline constexpr std::size_t kMostGone = 4096;

/// One line of printable ASCII; times of leases are rounded up: to the
/// second once it has started, else to the millisecond.
std::string encode(const GateRecord& record);

/// Nothing unless it is what encode() writes: a record that is not understood is never "empty".
std::optional<GateRecord> decode_gate_record(std::string_view text);

}  // namespace pw
