#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "core/gate_policy.hpp"

namespace pw {

/// What an array will do behind a gate, by the same rules and the same courses as the real thing,
/// with all tasks there at once, a ledger that answers at once, and start-ups of one length.
struct GatePlan {
  std::vector<Nanos> starts;      ///< since the first one came, rising
  std::uint64_t requests = 0;     ///< to the ledger's server, without the looks at `ctl`
  std::size_t most_starting = 0;  ///< in start-up at the same time
  Nanos makespan() const { return starts.empty() ? Nanos(0) : starts.back(); }
};

GatePlan plan_gate(std::size_t tasks, const GateLimits& limits, Nanos start_up);

/// A curve of the starts over the time as text, and the figures below it.
std::string plan_text(const GatePlan& plan);

}  // namespace pw
