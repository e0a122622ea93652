#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "core/time.hpp"

namespace pw {

/// 250ms, 30s, 1.5s, 5m, 1h30m, 2d; a bare number is seconds. Nothing for a sign, blanks, an
/// unknown unit, a unit twice or out of order, or more than ten years.
std::optional<Nanos> parse_duration(std::string_view text);

/// The shortest text that parse_duration reads back: 1h30m, 90s is 1m30s, 1500ms.
std::string duration_text(Nanos duration);

/// For a sentence: "250 ms", "1.5 s", "44 s", "2m19s", "1h30m"; never negative.
std::string spoken(Nanos duration);

}  // namespace pw
