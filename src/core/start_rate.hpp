#pragma once
#include <string_view>

#include "core/result.hpp"
#include "core/time.hpp"

namespace pw {

/// `5/s`, `200/min`, `90/h`, `0.5/s`: the time between two starts. An Error for none at all, a
/// sign, an unknown unit, more than a million a second or less than one a day.
Result<Nanos> parse_start_rate(std::string_view text);

}  // namespace pw
