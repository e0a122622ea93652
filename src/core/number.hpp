#pragma once
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

namespace pw {

/// A whole decimal number of digits only: no sign, no blanks, no octal; nothing when it overflows.
inline std::optional<std::int64_t> parse_number(std::string_view text) {
  std::int64_t value = 0;
  if (text.empty() || text[0] < '0' || text[0] > '9') return {};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return {};
  return value;
}

}  // namespace pw
