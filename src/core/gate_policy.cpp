#include "core/gate_policy.hpp"

#include <algorithm>

namespace pw::gate_rules {
namespace {

// What waking up may take on a busy node.
constexpr Nanos kLateStart = Millis(100);

template <class Record>
auto find(Record& record, std::uint64_t ticket) -> decltype(record.leases.data()) {
  const auto found = std::find_if(record.leases.begin(), record.leases.end(),
                                  [&](const Lease& lease) { return lease.ticket == ticket; });
  return found == record.leases.end() ? nullptr : &*found;
}

std::size_t unclaimed(const GateRecord& record) {
  return static_cast<std::size_t>(std::count_if(record.leases.begin(), record.leases.end(),
                                                [](const Lease& lease) { return !lease.started; }));
}

// The next start on the line of starts, which is taken by it.
GateTime take_next(GateRecord& record, const GateLimits& limits, GateTime now) {
  if (record.next <= now) record.busy_since = now;
  const GateTime start = std::max(now, record.next);
  if (limits.spacing > Nanos(0)) record.next = start + limits.spacing;
  return start;
}

// Long enough for the slowest poll of a queue of this length, short where it moves fast.
Nanos claim_time(const GateRecord& record, const GateLimits& limits) {
  return std::clamp(estimate(record, limits, record.tickets - record.admitted), kClaimLeast,
                    kClaimMost);
}

// Whose line began in a future that no good clock has come to had a wrong clock.
void put_clocks_right(GateRecord& record, GateTime now) {
  const Nanos ahead = record.busy_since - now;
  if (ahead > kClockError) {
    record.next -= ahead;
    record.busy_since = now;
    for (Lease& lease : record.leases) {
      if (lease.started) continue;
      lease.start -= ahead;
      lease.until -= ahead;
    }
    record.freed.clear();
    record.amended = true;
  }
  const GateTime most = now + kGateLease;
  // A lease of a record is rounded up to the second.
  const auto shorten = [&](GateTime& until) {
    record.amended = record.amended || until > most + Seconds(1);
    until = std::min(until, most);
  };
  for (Lease& lease : record.leases) {
    if (lease.started) shorten(lease.until);
  }
  shorten(record.blocked_until);
}

void outlast_leap(GateRecord& record, GateTime now) {
  if (now - record.clock <= kLongestSilence) return;
  for (Lease& lease : record.leases) {
    if (lease.started) lease.until = now + kGateLease;
  }
}

void erase_ticket(GateRecord& record, std::uint64_t ticket) {
  std::erase_if(record.leases, [&](const Lease& lease) { return lease.ticket == ticket; });
}

void sign(GateRecord& record, const GateLimits& limits, std::uint64_t ticket) {
  record.by = ticket;
  record.spacing = limits.spacing;
  record.max_starting = limits.max_starting;
}

}  // namespace

GateRecord fresh(std::uint64_t generation, GateTime now) {
  return {.generation = generation, .next = now, .busy_since = now, .clock = now};
}

GateTime time_in(const GateRecord& record, GateTime now) {
  const Nanos ahead = record.clock - now;
  return ahead > Nanos(0) && ahead <= kClockError ? record.clock : now;
}

void bring_up_to(GateRecord& record, GateTime now) {
  const GateTime at = time_in(record, now);
  put_clocks_right(record, at);
  outlast_leap(record, at);
  std::erase_if(record.leases, [&](const Lease& lease) { return lease.until <= at; });
  std::erase_if(record.freed, [&](GateTime start) { return start < at; });
  record.clock = at;
}

void bridge(GateRecord& record, int unreadable, const GateLimits& limits, GateTime now) {
  if (unreadable <= 0) return;
  const GateTime at = time_in(record, now);
  record.next = std::max(record.next, at);
  // Whoever wrote one of them may have had a clock that is ahead of ours.
  if (limits.spacing > Nanos(0)) record.next += unreadable * (limits.spacing + kGoodClocks);
  record.tickets += static_cast<std::uint64_t>(unreadable);
  record.freed.clear();
  record.blocked_until = at + kGateLease;
  record.amended = true;
}

GateTime reserve(GateRecord& record, const GateLimits& limits, GateTime now) {
  bring_up_to(record, now);
  sign(record, limits, 0);
  ++record.reserved;
  const auto earliest = std::min_element(record.freed.begin(), record.freed.end());
  if (earliest == record.freed.end()) return take_next(record, limits, record.clock);
  const GateTime start = *earliest;
  record.freed.erase(earliest);
  return start;
}

void give_back(GateRecord& record, const GateLimits& limits, GateTime start, GateTime now) {
  bring_up_to(record, now);
  sign(record, limits, 0);
  if (start <= record.clock || start >= record.next) return;
  if (start + limits.spacing == record.next) {
    record.next = start;
  } else if (record.freed.size() < kMostFreed) {
    record.freed.push_back(start);
  }
}

std::uint64_t join(GateRecord& record, const GateLimits& limits, GateTime now) {
  bring_up_to(record, now);
  sign(record, limits, ++record.tickets);
  std::erase(record.gone, record.tickets);  // given back by the last one who had this number
  return record.tickets;
}

bool advance(GateRecord& record, const GateLimits& limits, GateTime now) {
  bring_up_to(record, now);
  if (record.clock < record.blocked_until) return false;
  const auto places = std::min(static_cast<std::size_t>(limits.max_starting), kMostLeases);
  bool progress = false;
  while (record.admitted < record.tickets && record.leases.size() < places &&
         unclaimed(record) < kMostUnclaimed && record.next - record.clock < kFurthestStart) {
    const Nanos claim = claim_time(record, limits);
    const std::uint64_t ticket = ++record.admitted;
    progress = true;
    if (std::erase(record.gone, ticket) > 0) continue;
    const GateTime start = take_next(record, limits, record.clock);
    record.leases.push_back({.ticket = ticket, .start = start, .until = start + claim});
  }
  return progress;
}

bool claim(GateRecord& record, const GateLimits& limits, std::uint64_t ticket, GateTime now) {
  bring_up_to(record, now);
  Lease* lease = find(record, ticket);
  if (lease == nullptr) return false;
  record.by = ticket;
  const Nanos late = record.clock - lease->start;
  if (limits.spacing > Nanos(0) && late > std::max<Nanos>(limits.spacing / 2, kLateStart)) {
    lease->start = take_next(record, limits, record.clock);
    lease->until = lease->start + kClaimMost;
    if (lease->start > record.clock) return true;
  }
  *lease = {
      .ticket = ticket, .start = record.clock, .until = record.clock + kGateLease, .started = true};
  return true;
}

void renew(GateRecord& record, std::uint64_t ticket, GateTime since, GateTime now) {
  bring_up_to(record, now);
  if (find(record, ticket) == nullptr) {
    if (ticket > record.tickets || record.leases.size() == kMostLeases) return;
    record.leases.push_back({.ticket = ticket, .start = since});
  }
  Lease* lease = find(record, ticket);
  lease->until = record.clock + kGateLease;
  lease->started = true;
  record.by = ticket;
}

void release(GateRecord& record, const GateLimits& limits, std::uint64_t ticket, GateTime now) {
  bring_up_to(record, now);
  const Lease* lease = find(record, ticket);
  if (lease != nullptr && lease->started) {
    const Nanos took = std::max(record.clock - lease->start, Nanos(1));
    record.start_up = record.start_up == Nanos(0) ? took : (7 * record.start_up + took) / 8;
  }
  erase_ticket(record, ticket);
  advance(record, limits, now);
  record.by = ticket;
}

void leave(GateRecord& record, const GateLimits& limits, std::uint64_t ticket, GateTime now) {
  bring_up_to(record, now);
  if (ticket > record.admitted && ticket == record.tickets) {
    --record.tickets;
    while (!record.gone.empty() && record.gone.back() == record.tickets) {
      record.gone.pop_back();
      --record.tickets;
    }
  } else if (ticket > record.admitted && record.gone.size() < kMostGone) {
    record.gone.insert(std::lower_bound(record.gone.begin(), record.gone.end(), ticket), ticket);
  }
  const Lease* lease = find(record, ticket);
  const bool last = lease != nullptr && !lease->started && limits.spacing > Nanos(0) &&
                    lease->start + limits.spacing == record.next;
  if (last) record.next = lease->start;
  erase_ticket(record, ticket);
  advance(record, limits, now);
  record.by = ticket;
}

const Lease* lease_of(const GateRecord& record, std::uint64_t ticket) {
  return find(record, ticket);
}

Nanos estimate(const GateRecord& record, const GateLimits& limits, std::uint64_t position) {
  const Nanos start_up = record.start_up > Nanos(0) ? record.start_up : limits.first_guess;
  const Nanos pace = std::max(limits.spacing, start_up / std::max(limits.max_starting, 1));
  constexpr std::uint64_t kMost = 1'000'000;
  return pace * static_cast<std::int64_t>(std::min(position, kMost));
}

}  // namespace pw::gate_rules
