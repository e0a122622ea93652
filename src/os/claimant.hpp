#pragma once
#include <string>

#include "core/claim.hpp"

namespace pw {

/// This process, as others shall know it. To be asked before a fork: the child is another one.
Claimant claimant_here(const std::string& host);

/// True only if it is proven: the process was in our own sight, and is gone or a zombie. Where
/// /proc is not ours or hides it, and of another host or PID namespace, nothing is proven.
bool proven_dead(const Claimant& owner, const Claimant& asker);

}  // namespace pw
