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

// In runs, "5" or "5+2" for it and the two after it; counted back from the newest, as in a lease.
std::string gone_text(const GateRecord& r, std::size_t room) {
  std::string line;
  for (std::size_t first = 0; first < r.gone.size();) {
    std::size_t last = first;
    while (last + 1 < r.gone.size() && r.gone[last + 1] == r.gone[last] + 1) ++last;
    std::string run = line.empty() ? " X=" : ",";
    run += number(static_cast<std::int64_t>(r.tickets - r.gone[first]));
    if (last > first) run += "+" + number(static_cast<std::int64_t>(last - first));
    if (line.size() + run.size() > room) break;
    line += run;
    first = last + 1;
  }
  return line;
}

bool take_gone(std::string_view run, GateRecord& r) {
  const auto parts = split(run, '+');
  const auto back = number_in(parts[0]);
  const auto more = parts.size() == 2 ? number_in(parts[1]) : std::optional<std::int64_t>(0);
  if (!back || !more || parts.size() > 2 || *more < 0 || *back < *more) return false;
  if (static_cast<std::uint64_t>(*back) >= r.tickets) return false;
  std::uint64_t ticket = r.tickets - static_cast<std::uint64_t>(*back);
  const bool ascends = r.gone.empty() || r.gone.back() < ticket;
  if (!ascends || r.gone.size() + static_cast<std::uint64_t>(*more) >= kMostGone) return false;
  for (std::int64_t n = 0; n <= *more; ++n) r.gone.push_back(ticket++);
  return true;
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
    if (key == 'X') {
      if (!take_gone(item, r)) return false;
      continue;
    }
    const auto value = number_in(item);
    if (!value || *value < 0 || *value > kLatest || r.freed.size() == kMostFreed) return false;
    r.freed.push_back(time_of(*value));
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
  return text + gone_text(record, kRecordMost - std::min(kRecordMost, text.size()));
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
