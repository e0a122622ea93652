#pragma once
#include <optional>

#include "os/ledger.hpp"
#include "verbs/gate_keeper.hpp"

namespace pw {

/// The gate's ledger, for its keeper: what may pass (a full disk, one out of order) is tried again
/// until --max-delay is over, and told to the run by the words of verbs/gate_keeper. Nothing: the
/// run knows why, or has gone.
std::optional<Ledger> open_patiently(const GateKeeping& keeping, int socket);

}  // namespace pw
