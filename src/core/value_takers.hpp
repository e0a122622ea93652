#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "core/duration.hpp"
#include "core/number.hpp"
#include "core/settings.hpp"

namespace pw {

/// What the tables of option values are made of: each takes an option's text into its setting and
/// returns what is wrong with it, empty if nothing is. For core/option_values and its neighbours.

inline std::string bad_duration(std::string_view text, std::string_view also = "") {
  return "\"" + std::string(text) + "\" is no duration (250ms, 30s, 5m, 1h30m" + std::string(also) +
         ")";
}

inline std::string no_time(std::string_view text) {
  return "\"" + std::string(text) + "\" is no time at all (more than 0)";
}

template <class Enum, std::size_t N>
std::string take_word(std::string_view text, Enum& target,
                      const std::array<std::pair<std::string_view, Enum>, N>& words) {
  std::string list;
  for (const auto& [word, value] : words) {
    if (word == text) {
      target = value;
      return "";
    }
    list += (list.empty() ? "" : ", ") + std::string(word);
  }
  return "\"" + std::string(text) + "\" is none of " + list;
}

template <Nanos Settings::*Member>
std::string take_duration(std::string_view text, Settings& settings) {
  const auto duration = parse_duration(text);
  if (!duration) return bad_duration(text);
  settings.*Member = *duration;
  return "";
}

/// Of an option that is off by default.
template <std::optional<Nanos> Settings::*Member>
std::string take_some_duration(std::string_view text, Settings& settings) {
  settings.*Member = parse_duration(text);
  return settings.*Member ? "" : bad_duration(text);
}

template <std::optional<Nanos> Settings::*Member>
std::string take_positive_duration(std::string_view text, Settings& settings) {
  settings.*Member = parse_duration(text);
  if (settings.*Member == Nanos(0)) return no_time(text);
  return settings.*Member ? "" : bad_duration(text);
}

inline std::string take_in_range(std::string_view text, std::int64_t least, std::int64_t most,
                                 const char* what, std::int64_t& target) {
  const auto number = parse_number(text);
  if (!number || *number < least || *number > most) {
    return "\"" + std::string(text) + "\" is no " + what + " from " + std::to_string(least) +
           " to " + std::to_string(most);
  }
  target = *number;
  return "";
}

template <std::string Settings::*Member>
std::string take_text(std::string_view text, Settings& settings) {
  if (text.empty()) return "an empty value";
  if (text.find('\0') != std::string_view::npos) return "a NUL byte";
  settings.*Member = text;
  return "";
}

/// A file or a folder. `--gate=~/g` is a folder "~" here: after = the shell leaves it alone.
template <std::string Settings::*Member>
std::string take_path(std::string_view text, Settings& settings) {
  if (text == "~" || text.starts_with("~/")) {
    return "\"" + std::string(text) + "\" begins with a ~ that no shell has replaced ($HOME)";
  }
  return take_text<Member>(text, settings);
}

}  // namespace pw
