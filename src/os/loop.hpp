#pragma once
#include <optional>
#include <vector>

#include "core/time.hpp"

namespace pw {

/// The one place that blocks. Waits until one of the descriptors is readable (or has hung up) or
/// `wake` has come; sleeps for ever, without a wake-up, if there is no `wake`.
/// Returns, for each descriptor, whether it is readable; negative ones are passed over.
std::vector<bool> wait_for(const std::vector<int>& readable, std::optional<Instant> wake);

}  // namespace pw
