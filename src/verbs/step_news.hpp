#pragma once
#include <optional>

#include "core/gate_clock.hpp"
#include "os/ledger.hpp"
#include "verbs/gate_keeper.hpp"

namespace pw {

/// What rank 0 of a step tells the other ranks, which do not pass the gate on their own: a task
/// takes one place, and its ranks start together.
struct StepNews {
  enum class What { waiting, start, stopped, cancelled };
  What what;
  WallTime at{};  ///< of the start, or when it was said that rank 0 waits
  friend bool operator==(const StepNews&, const StepNews&) = default;
};

/// Rank 0 says this often that it waits, and is not waited for when it has been silent for so long:
/// it has died, or its node does not reach the gate.
inline constexpr Nanos kLeaderSpeaks = Seconds(60);
inline constexpr Nanos kLeaderSilent = Seconds(150);

Result<void> announce(Ledger& ledger, const GateKeeping& keeping, const StepNews& news);

/// Nothing: rank 0 has not said anything yet.
Result<std::optional<StepNews>> heard_of(Ledger& ledger, const GateKeeping& keeping);

/// How often a rank asks: all of them together no more than some hundred times a second.
Nanos followers_poll(const GateKeeping& keeping);

/// How long before the start it is announced, so that all ranks know of it in time: NFS clients
/// see a new name after up to 4 s (measured).
Nanos followers_lead(const GateKeeping& keeping, const Ledger& ledger);

}  // namespace pw
