#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/signal.hpp"

namespace pw {

/// USR1, SIGUSR1, usr1, 10, RTMIN+3, RTMAX-1, 37: names and numbers of signal(7) on Linux x86-64.
/// Nothing for anything else; 0, 32 and 33 are no signals a user can mean.
std::optional<Signal> parse_signal(std::string_view text);

/// USR1, RTMIN+3; for a number without a name, the number.
std::string signal_name(Signal signal);

/// Every name that parse_signal knows, for "did you mean".
std::vector<std::string> known_signal_names();

}  // namespace pw
