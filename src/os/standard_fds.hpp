#pragma once
#include <array>

namespace pw {

/// Which of descriptors 0 to 2 were closed when we were started. They are filled with /dev/null
/// for us, lest a descriptor of ours be taken for stderr, and closed again for the trainer.
using ClosedStandardFds = std::array<bool, 3>;

ClosedStandardFds fill_closed_standard_fds();

}  // namespace pw
