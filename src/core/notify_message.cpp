#include "core/notify_message.hpp"

#include <algorithm>
#include <array>

#include "core/number.hpp"
#include "core/text.hpp"

namespace pw {
namespace {

constexpr Nanos kLongest = std::chrono::hours(24 * 366);

constexpr auto kUpwards = std::to_array<std::string_view>(
    {"READY", "RELOADING", "MONOTONIC_USEC", "STOPPING", "STATUS", "ERRNO", "BUSERROR", "WATCHDOG",
     "WATCHDOG_USEC", "EXTEND_TIMEOUT_USEC"});

std::string_view without_end(std::string_view datagram) {
  if (datagram.ends_with('\0')) datagram.remove_suffix(1);
  return datagram;
}

std::string_view name_of(std::string_view line) { return line.substr(0, line.find('=')); }

// Digits only; more microseconds than there is time are the most there are.
std::optional<Nanos> microseconds(std::string_view text) {
  const bool digits = !text.empty() && text.find_first_not_of("0123456789") == text.npos;
  if (!digits) return {};
  constexpr std::int64_t kMost = kLongest.count() / 1000;
  return Nanos(1000 * std::min(parse_number(text).value_or(kMost), kMost));
}

void take(std::string_view name, std::string_view value, NotifyMessage& message) {
  if (name == "READY") message.ready = message.ready || value == "1";
  if (name == "STOPPING") message.stopping = message.stopping || value == "1";
  if (name == "STATUS") message.status = value;
  if (name == "EXTEND_TIMEOUT_USEC") message.extend = microseconds(value);
  if (name == "WATCHDOG" && value == "trigger") message.watchdog = NotifyMessage::Watchdog::trigger;
  if (name == "WATCHDOG" && value == "1") message.watchdog = NotifyMessage::Watchdog::alive;
}

}  // namespace

std::optional<NotifyMessage> parse_notify_message(std::string_view datagram) {
  datagram = without_end(datagram);
  if (datagram.find('\0') != datagram.npos) return {};
  NotifyMessage message;
  for (const std::string_view line : split(datagram, '\n')) {
    const auto equals = line.find('=');
    if (equals != line.npos) take(line.substr(0, equals), line.substr(equals + 1), message);
  }
  return message;
}

std::string passed_upwards(std::string_view datagram, HangEndedBy hang) {
  std::string text;
  for (const std::string_view line : split(without_end(datagram), '\n')) {
    const std::string_view name = name_of(line);
    const bool known = std::find(kUpwards.begin(), kUpwards.end(), name) != kUpwards.end();
    if (hang == HangEndedBy::us && line == "WATCHDOG=trigger") continue;
    if (known && name.size() < line.size()) text += std::string(line) + "\n";
  }
  return text;
}

std::string merged_upwards(std::string_view older, std::string_view newer) {
  std::string text;
  const auto replaced = split(newer, '\n');
  for (const std::string_view line : split(older, '\n')) {
    const bool again = std::any_of(replaced.begin(), replaced.end(), [&](std::string_view later) {
      return name_of(later) == name_of(line);
    });
    if (!line.empty() && !again) text += std::string(line) + "\n";
  }
  return text + std::string(newer);
}

}  // namespace pw
