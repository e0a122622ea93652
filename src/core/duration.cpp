#include "core/duration.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>

namespace pw {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t millis;
};

// Largest first: the order in which a duration may name them.
constexpr std::array kUnits = std::to_array<Unit>(
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}});
constexpr std::int64_t kMaxMillis = 3'650LL * 86'400'000;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Thousandths of the number at the front of `text`, which is taken off it; -1 if there is none.
std::int64_t take_thousandths(std::string_view& text) {
  if (text.empty() || !is_digit(text[0])) return -1;
  std::int64_t value = 0;
  while (!text.empty() && is_digit(text[0])) {
    value = std::min(value * 10 + (text[0] - '0'), kMaxMillis);
    text.remove_prefix(1);
  }
  value *= 1000;
  if (!text.starts_with('.')) return value;
  text.remove_prefix(1);
  if (text.empty() || !is_digit(text[0])) return -1;
  for (std::int64_t place = 100; !text.empty() && is_digit(text[0]); place /= 10) {
    value += place * (text[0] - '0');
    text.remove_prefix(1);
  }
  return value;
}

const Unit* take_unit(std::string_view& text) {
  const auto end = std::find_if(text.begin(), text.end(), is_digit);
  const std::string_view name = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  const auto unit =
      std::find_if(kUnits.begin(), kUnits.end(), [&](const Unit& u) { return u.name == name; });
  if (unit == kUnits.end()) return nullptr;
  text.remove_prefix(name.size());
  return &*unit;
}

std::string two_units(std::int64_t seconds, std::int64_t large, std::string_view large_name,
                      std::int64_t small, std::string_view small_name) {
  std::string text = std::to_string(seconds / large) + std::string(large_name);
  const std::int64_t rest = seconds % large / small;
  if (rest != 0) text += (rest < 10 ? "0" : "") + std::to_string(rest) + std::string(small_name);
  return text;
}

}  // namespace

std::optional<Nanos> parse_duration(std::string_view text) {
  std::int64_t total = 0;
  std::int64_t unit_before = kMaxMillis;
  const bool bare = !text.empty() && std::all_of(text.begin(), text.end(),
                                                 [](char c) { return is_digit(c) || c == '.'; });
  if (text.empty()) return {};
  while (!text.empty()) {
    const std::int64_t thousandths = take_thousandths(text);
    if (thousandths < 0) return {};
    const Unit* unit = bare && text.empty() ? &kUnits[3] : take_unit(text);
    if (unit == nullptr || unit->millis >= unit_before) return {};
    if (thousandths / 1000 > kMaxMillis / unit->millis) return {};
    unit_before = unit->millis;
    total += thousandths * unit->millis / 1000;
  }
  if (total > kMaxMillis) return {};
  return Millis(total);
}

std::string duration_text(Nanos duration) {
  std::int64_t millis = std::chrono::duration_cast<Millis>(duration).count();
  if (millis == 0) return "0s";
  if (millis % 1000 != 0) return std::to_string(millis) + "ms";
  std::string text;
  for (const Unit& unit : kUnits) {
    if (millis < unit.millis) continue;
    text += std::to_string(millis / unit.millis) + std::string(unit.name);
    millis %= unit.millis;
  }
  return text;
}

std::string spoken(Nanos duration) {
  const std::int64_t millis =
      std::max<std::int64_t>(0, std::chrono::duration_cast<Millis>(duration).count());
  if (millis < 1'000) return std::to_string(millis) + " ms";
  if (millis < 9'950 && millis % 1'000 >= 50) {
    std::array<char, 16> text{};
    std::snprintf(text.data(), text.size(), "%.1f s", static_cast<double>(millis) / 1000);
    return text.data();
  }
  const std::int64_t seconds = (millis + 500) / 1'000;
  if (seconds < 60) return std::to_string(seconds) + " s";
  if (seconds < 3'600) return two_units(seconds, 60, "m", 1, "s");
  return two_units(seconds, 3'600, "h", 60, "m");
}

}  // namespace pw
