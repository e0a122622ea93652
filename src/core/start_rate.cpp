#include "core/start_rate.hpp"

#include <array>
#include <charconv>
#include <string>
#include <utility>

namespace pw {
namespace {

constexpr std::array kUnits = std::to_array<std::pair<std::string_view, Nanos>>(
    {{"s", Seconds(1)}, {"min", std::chrono::minutes(1)}, {"h", std::chrono::hours(1)}});
constexpr Nanos kShortest = std::chrono::microseconds(1);
constexpr Nanos kLongest = std::chrono::hours(24);

Error no_rate(std::string_view text) {
  return {"\"" + std::string(text) + "\" is no rate (5/s, 200/min, 90/h)", {}};
}

}  // namespace

Result<Nanos> parse_start_rate(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos || text[0] < '0' || text[0] > '9') return no_rate(text);
  double amount = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + slash, amount, std::chars_format::fixed);
  if (error != std::errc{} || end != text.data() + slash) return no_rate(text);
  for (const auto& [unit, length] : kUnits) {
    if (unit != text.substr(slash + 1)) continue;
    const double spacing = static_cast<double>(length.count()) / amount;
    const bool fits = spacing >= static_cast<double>(kShortest.count()) &&
                      spacing <= static_cast<double>(kLongest.count());
    if (!fits) return no_rate(text);
    return Nanos(static_cast<std::int64_t>(spacing + 0.5));
  }
  return no_rate(text);
}

}  // namespace pw
