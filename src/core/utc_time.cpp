#include "core/utc_time.hpp"

#include <algorithm>
#include <array>
#include <chrono>

#include "core/number.hpp"
#include "core/text.hpp"

namespace pw {
namespace {

constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct Clock {
  std::int64_t hour, minute, second;
};

// What std::chrono's own limits do not check.
std::optional<Nanos> moment(std::int64_t year, std::int64_t month, std::int64_t day, Clock clock) {
  namespace ch = std::chrono;
  if (year < 1970 || year > 9999) return {};
  if (clock.hour > 23 || clock.minute > 59 || clock.second > 60) return {};
  const ch::year_month_day date{ch::year(static_cast<int>(year)),
                                ch::month(static_cast<unsigned>(month)),
                                ch::day(static_cast<unsigned>(day))};
  if (!date.ok()) return {};
  const auto since = ch::sys_days(date).time_since_epoch() + ch::hours(clock.hour) +
                     ch::minutes(clock.minute) + ch::seconds(clock.second);
  // Nanoseconds since 1970 end in 2262; later is only "far away".
  constexpr auto kMost = ch::duration_cast<ch::seconds>(Nanos::max() / 2);
  return std::min<ch::seconds>(since, kMost);
}

// Exactly `digits` digits at `at`.
std::optional<std::int64_t> digits(std::string_view text, std::size_t at, std::size_t count) {
  if (at + count > text.size()) return {};
  return parse_number(text.substr(at, count));
}

std::optional<Clock> clock_at(std::string_view text, std::size_t at) {
  const auto hour = digits(text, at, 2);
  const auto minute = digits(text, at + 3, 2);
  const auto second = digits(text, at + 6, 2);
  if (!hour || !minute || !second || text[at + 2] != ':' || text[at + 5] != ':') return {};
  return Clock{*hour, *minute, *second};
}

// "Z", "+02:00"; how much the clock shows more than UTC.
std::optional<Nanos> offset(std::string_view text) {
  if (text == "Z" || text == "z") return Nanos(0);
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return {};
  const auto hours = digits(text, 1, 2);
  const auto minutes = digits(text, 4, 2);
  if (!hours || !minutes || *hours > 23 || *minutes > 59) return {};
  const Nanos size = std::chrono::hours(*hours) + std::chrono::minutes(*minutes);
  return text[0] == '+' ? size : -size;
}

std::optional<Nanos> rfc_3339(std::string_view text) {
  constexpr std::size_t kClock = 11;
  constexpr std::size_t kBehind = 19;
  if (text.size() <= kBehind || text[4] != '-' || text[7] != '-') return {};
  if (text[10] != 'T' && text[10] != 't' && text[10] != ' ') return {};
  const auto year = digits(text, 0, 4);
  const auto month = digits(text, 5, 2);
  const auto day = digits(text, 8, 2);
  const auto clock = clock_at(text, kClock);
  if (!year || !month || !day || !clock) return {};
  std::string_view rest = text.substr(kBehind);
  if (rest.starts_with('.')) {
    const auto end = rest.find_first_not_of("0123456789", 1);
    if (end == 1 || end == std::string_view::npos) return {};
    rest.remove_prefix(end);  // a fraction of a second decides nothing
  }
  const auto ahead = offset(rest);
  const auto shown = moment(*year, *month, *day, *clock);
  if (!ahead || !shown || *shown < *ahead) return {};
  return *shown - *ahead;
}

// The name of the day is not looked at; EC2's maintenance events come without it.
std::optional<Nanos> rfc_1123(std::string_view text) {
  if (const auto comma = text.find(','); comma != std::string_view::npos) {
    text = trimmed(text.substr(comma + 1));
  }
  const auto words = split(text, ' ');
  if (words.size() != 5 || words[4] != "GMT" || words[3].size() != 8) return {};
  const auto day = parse_number(words[0]);
  const auto month = std::find(kMonths.begin(), kMonths.end(), words[1]);
  const auto year = parse_number(words[2]);
  const auto clock = clock_at(words[3], 0);
  if (!day || *day > 31 || month == kMonths.end() || !year || !clock) return {};
  return moment(*year, month - kMonths.begin() + 1, *day, *clock);
}

}  // namespace

std::optional<Nanos> parse_utc_time(std::string_view text) {
  text = trimmed(text);
  if (text.size() > 64) return {};
  const auto time = rfc_3339(text);
  return time ? time : rfc_1123(text);
}

}  // namespace pw
