#pragma once
#include <optional>
#include <string_view>

#include "core/time.hpp"

namespace pw {

/// A moment as the clouds write it, since 1970: RFC 3339 ("2017-09-18T08:22:00Z", also with a
/// fraction or an offset; EC2) and RFC 1123 ("Mon, 19 Sep 2016 18:29:47 GMT"; Azure). Nothing for
/// what is no such time, of whatever length, and for years before 1970 and after 9999.
std::optional<Nanos> parse_utc_time(std::string_view text);

}  // namespace pw
