#include "core/gate_summary.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>

#include "core/duration.hpp"
#include "core/journal_record.hpp"

namespace pw {
namespace {

std::int64_t millis(Nanos time) { return time.count() / 1'000'000; }

std::string rate_text(Nanos spacing) {
  const double per_second = 1e9 / static_cast<double>(spacing.count());
  std::array<char, 40> text{};
  const bool slow = per_second < 1;
  std::snprintf(text.data(), text.size(), "%.4g/%s", slow ? per_second * 60 : per_second,
                slow ? "min" : "s");
  return text.data();
}

std::string row(const char* name, const std::string& value) {
  std::array<char, 16> head{};
  std::snprintf(head.data(), head.size(), "%-9s ", name);
  return head.data() + value + "\n";
}

std::string holder_row(const GateSummary::Holder& holder) {
  std::array<char, 200> line{};
  const std::string age =
      holder.started ? spoken(holder.age) : "in " + spoken(std::max(-holder.age, Nanos(0)));
  const std::string end = holder.estimated_end ? spoken(*holder.estimated_end) : "-";
  std::snprintf(line.data(), line.size(), "%-8llu %-28s %-9s %-10s %-10s %s\n",
                static_cast<unsigned long long>(holder.ticket),
                holder.owner.empty() ? "-" : holder.owner.c_str(),
                holder.started ? "starting" : "let in", age.c_str(), spoken(holder.left).c_str(),
                end.c_str());
  return line.data();
}

}  // namespace

namespace {

// Starts that were reserved and are still to come; the line of starts has no gaps but these.
std::uint64_t reserved_ahead(const GateRecord& newest, GateTime at) {
  if (newest.max_starting > 0 || newest.spacing == Nanos(0) || newest.next <= at) return 0;
  const auto line = static_cast<std::uint64_t>((newest.next - at - Nanos(1)) / newest.spacing);
  const auto given_back = static_cast<std::uint64_t>(std::count_if(
      newest.freed.begin(), newest.freed.end(), [&](GateTime start) { return start > at; }));
  return std::min(line - std::min(line, given_back), newest.reserved);
}

GateTime next_free(const GateRecord& newest, GateTime at) {
  GateTime next = newest.next;
  for (const GateTime start : newest.freed) {
    if (start >= at) next = std::min(next, start);
  }
  return next;
}

}  // namespace

GateSummary summarize(std::span<const GateSummary::Entry> entries, const GateControl& control,
                      WallTime now) {
  GateSummary summary{.control = control};
  if (control.since) summary.steered_ago = now - *control.since;
  if (entries.empty()) return summary;
  std::map<std::uint64_t, std::string> owners;
  const GateRecord& newest = entries.back().record;
  for (const auto& [record, writer] : entries) {
    if (record.by != 0 && record.generation == newest.generation) owners[record.by] = writer;
  }
  const GateTime at = gate_time(control, now);
  summary.waiting = newest.tickets - newest.admitted;
  summary.waiting -= std::min<std::uint64_t>(summary.waiting, newest.gone.size());
  const std::uint64_t ahead = reserved_ahead(newest, at);
  summary.waiting += ahead;
  summary.next_start = std::max(next_free(newest, at) - at, Nanos(0));
  summary.started = newest.reserved - ahead + newest.admitted;
  summary.spacing = newest.spacing;
  summary.max_starting = newest.max_starting;
  summary.start_up = newest.start_up;
  for (const Lease& lease : newest.leases) {
    if (lease.until <= at) continue;
    GateSummary::Holder holder{.ticket = lease.ticket,
                               .owner = owners[lease.ticket],
                               .started = lease.started,
                               .age = at - lease.start,
                               .left = lease.until - at,
                               .estimated_end = {}};
    if (newest.start_up > Nanos(0)) {
      holder.estimated_end = std::max(newest.start_up - holder.age, Nanos(0));
    }
    summary.holders.push_back(std::move(holder));
  }
  return summary;
}

std::string status_text(const GateSummary& summary) {
  std::string state = gate_word_text(summary.control.word);
  const Nanos ago = summary.steered_ago.value_or(Nanos(0));
  if (summary.steered_ago)
    state += ago < Nanos(0) ? " in " + spoken(-ago) : ", since " + spoken(ago);
  if (!summary.control.reason.empty()) state += ": " + summary.control.reason;
  std::string text = row("state", state);
  if (!summary.next_start) return text + row("queue", "nobody has been here yet");
  std::string limits = summary.spacing > Nanos(0) ? rate_text(summary.spacing) : "no rate";
  if (summary.max_starting > 0) {
    limits += ", at most " + std::to_string(summary.max_starting) + " in start-up";
  }
  text += row("limits", limits);
  text += row("queue", std::to_string(summary.waiting) + " waiting, " +
                           std::to_string(summary.started) + " places given so far");
  const bool starts =
      summary.control.word == GateWord::run || summary.control.word == GateWord::pause;
  if (starts) text += row("next", "free start in " + spoken(*summary.next_start));
  if (summary.start_up > Nanos(0)) text += row("start-up", spoken(summary.start_up) + " (average)");
  if (summary.holders.empty()) return text;
  text += "\nticket   host.pid                     state     age        lease      ends in\n";
  for (const GateSummary::Holder& holder : summary.holders) text += holder_row(holder);
  return text;
}

std::string status_json(const GateSummary& summary) {
  JournalRecord json;
  json.add("state", gate_word_text(summary.control.word)).add("reason", summary.control.reason);
  if (summary.steered_ago) json.add("since_ms", millis(*summary.steered_ago));
  json.add("waiting", static_cast<std::int64_t>(summary.waiting))
      .add("started", static_cast<std::int64_t>(summary.started))
      .add("spacing_ms", millis(summary.spacing))
      .add("max_starting", summary.max_starting)
      .add("start_up_ms", millis(summary.start_up));
  if (summary.next_start) json.add("next_start_ms", millis(*summary.next_start));
  JournalRecord holders;
  for (const GateSummary::Holder& holder : summary.holders) {
    JournalRecord one;
    one.add("owner", holder.owner)
        .add("started", holder.started)
        .add("age_ms", millis(holder.age))
        .add("lease_ms", millis(holder.left));
    if (holder.estimated_end) one.add("ends_in_ms", millis(*holder.estimated_end));
    holders.add(std::to_string(holder.ticket), one);
  }
  return json.add("leases", holders).json() + "\n";
}

}  // namespace pw
