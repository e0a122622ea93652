#include "core/gate_record.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>

#include "core/text.hpp"

namespace pw {
namespace {

constexpr std::string_view kVersion = "pw1";
constexpr int kBase = 36;

std::string number(std::int64_t value) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value, kBase).ptr;
  return {text.data(), end};
}

std::optional<std::int64_t> number_in(std::string_view text) {
  std::int64_t value = 0;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value, kBase);
  if (error != std::errc{} || end != last || text.empty()) return {};
  return value;
}

std::int64_t nanos(GateTime time) { return time.time_since_epoch().count(); }
GateTime time_of(std::int64_t value) { return GateTime(Nanos(value)); }

// On a grid of the clock itself, so that writing a time again and again does not move it. A lease
// rather lasts longer, a start is rather later.
template <class Unit>
std::int64_t on_grid(GateTime time, GateTime base) {
  return (std::chrono::ceil<Unit>(time) - std::chrono::floor<Unit>(base)).count();
}

template <class Unit>
GateTime from_grid(std::int64_t value, GateTime base) {
  return std::chrono::floor<Unit>(base) + Unit(value);
}

// Ticket, end, start: "3:1k:-2+" in seconds of one that has started, "3:zz9:-4" in milliseconds of
// one that may. Tickets count back from the newest, times from the writer's clock.
std::string lease_text(const Lease& lease, const GateRecord& r) {
  const std::string ticket = number(static_cast<std::int64_t>(r.tickets - lease.ticket));
  const auto text = [&]<class Unit>(Unit) {
    return ticket + ":" + number(on_grid<Unit>(lease.until, r.clock)) + ":" +
           number(on_grid<Unit>(lease.start, r.clock));
  };
  return lease.started ? text(Seconds{}) + "+" : text(Millis{});
}

std::optional<Lease> lease_in(std::string_view text, const GateRecord& r) {
  const bool started = text.ends_with('+');
  if (started) text.remove_suffix(1);
  const auto parts = split(text, ':');
  if (parts.size() != 3) return {};
  const auto back = number_in(parts[0]);
  const auto until = number_in(parts[1]);
  const auto start = number_in(parts[2]);
  constexpr std::int64_t kFar = 1'000'000'000;  // 11 days of milliseconds
  if (!back || !until || !start || *back < 0 || std::abs(*until) > kFar ||
      std::abs(*start) > kFar || static_cast<std::uint64_t>(*back) >= r.tickets) {
    return {};
  }
  Lease lease{.ticket = r.tickets - static_cast<std::uint64_t>(*back), .started = started};
  const auto at = [&](std::int64_t value) {
    return started ? from_grid<Seconds>(value, r.clock) : from_grid<Millis>(value, r.clock);
  };
  lease.until = at(*until);
  lease.start = at(*start);
  return lease;
}

template <class List, class Text>
std::string list_text(const char* key, const List& list, Text text) {
  std::string line;
  for (const auto& item : list) line += (line.empty() ? "" : ",") + text(item);
  return line.empty() ? "" : std::string(" ") + key + "=" + line;
}

struct Field {
  char key;
  std::int64_t value;
};

std::array<Field, 12> fields_of(const GateRecord& r) {
  return {{{'g', static_cast<std::int64_t>(r.generation)},
           {'t', nanos(r.next)},
           {'i', nanos(r.busy_since)},
           {'c', nanos(r.clock)},
           {'b', nanos(r.blocked_until)},
           {'n', static_cast<std::int64_t>(r.tickets)},
           {'a', static_cast<std::int64_t>(r.admitted)},
           {'e', r.start_up.count()},
           {'r', r.spacing.count()},
           {'m', r.max_starting},
           {'q', static_cast<std::int64_t>(r.reserved)},
           {'k', static_cast<std::int64_t>(r.by)}}};
}

// No reader may add such times up to an overflow.
constexpr std::int64_t kLatest = 4'000'000'000'000'000'000;  // the year 2096
constexpr std::int64_t kMostCounted = std::int64_t{1} << 50;

std::int64_t most_of(char key) {
  if (key == 't' || key == 'i' || key == 'c' || key == 'b') return kLatest;
  return key == 'e' || key == 'r' ? Nanos(std::chrono::hours(24)).count() : kMostCounted;
}

bool take_number(char key, std::int64_t value, GateRecord& r) {
  if (value < 0 || value > most_of(key)) return false;
  const auto count = static_cast<std::uint64_t>(value);
  switch (key) {
    case 'g': r.generation = count; return true;
    case 't': r.next = time_of(value); return true;
    case 'i': r.busy_since = time_of(value); return true;
    case 'c': r.clock = time_of(value); return true;
    case 'b': r.blocked_until = time_of(value); return true;
    case 'n': r.tickets = count; return true;
    case 'a': r.admitted = count; return true;
    case 'e': r.start_up = Nanos(value); return true;
    case 'r': r.spacing = Nanos(value); return true;
    case 'm':
      r.max_starting = static_cast<int>(std::min<std::int64_t>(value, kMostLeases));
      return true;
    case 'q': r.reserved = count; return true;
    case 'k': r.by = count; return true;
    default: return false;
  }
}

bool take_list(char key, std::string_view text, GateRecord& r) {
  for (const std::string_view item : split(text, ',')) {
    if (key == 'L') {
      const auto lease = lease_in(item, r);
      if (!lease || r.leases.size() == kMostLeases) return false;
      r.leases.push_back(*lease);
      continue;
    }
    const auto value = number_in(item);
    if (!value || *value < 0 || *value > kLatest) return false;
    if (key == 'F' && r.freed.size() < kMostFreed) {
      r.freed.push_back(time_of(*value));
    } else if (key == 'X' && r.gone.size() < kMostGone) {
      r.gone.push_back(static_cast<std::uint64_t>(*value));
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace

std::string encode(const GateRecord& record) {
  std::string text(kVersion);
  for (const Field& field : fields_of(record)) {
    text += std::string(" ") + field.key + "=" + number(field.value);
  }
  text += list_text("L", record.leases, [&](const Lease& l) { return lease_text(l, record); });
  text += list_text("F", record.freed, [](GateTime time) { return number(nanos(time)); });
  text += list_text("X", record.gone,
                    [](std::uint64_t ticket) { return number(static_cast<std::int64_t>(ticket)); });
  return text;
}

std::optional<GateRecord> decode_gate_record(std::string_view text) {
  GateRecord record;
  std::size_t numbers = 0;
  const auto words = split(text, ' ');
  if (words.empty() || words[0] != kVersion) return {};
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::string_view word = words[i];
    if (word.size() < 3 || word[1] != '=') return {};
    const std::string_view value = word.substr(2);
    const bool list = word[0] == 'L' || word[0] == 'F' || word[0] == 'X';
    if (list && !take_list(word[0], value, record)) return {};
    if (list) continue;
    const auto amount = number_in(value);
    if (!amount || !take_number(word[0], *amount, record)) return {};
    ++numbers;
  }
  const bool whole = numbers == fields_of(record).size() && record.admitted <= record.tickets;
  return whole ? std::optional(std::move(record)) : std::nullopt;
}

}  // namespace pw
