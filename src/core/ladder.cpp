#include "core/ladder.hpp"

#include <algorithm>
#include <string>

#include "core/duration.hpp"
#include "core/signal_name.hpp"
#include "core/text.hpp"

namespace pw {
namespace {

constexpr Nanos kTermBeforeKill = Seconds(10);

Error ladder_error(const std::string& what) {
  return {what + " (as in relay@60s,TERM@15s,ABRT@3s,KILL)", {}};
}

struct Step {
  std::string_view name;
  std::optional<Nanos> lasts;
};

Result<Step> parse_step(std::string_view item) {
  const auto at = item.find('@');
  if (at == std::string_view::npos) return Step{item, {}};
  const auto lasts = parse_duration(item.substr(at + 1));
  if (!lasts) return ladder_error("\"" + std::string(item) + "\" has no duration after @");
  return Step{item.substr(0, at), lasts};
}

}  // namespace

Result<LadderPlan> parse_ladder(std::string_view text) {
  LadderPlan plan{.grace = Nanos(0), .own_rungs = true, .relay_lasts = {}, .rungs = {}};
  const auto items = split(text, ',');
  if (items.size() < 2) return ladder_error("a ladder has at least two steps, relay and KILL");
  for (std::size_t i = 0; i < items.size(); ++i) {
    PW_TRY(const Step step, parse_step(trimmed(items[i])));
    const bool last = i + 1 == items.size();
    if ((i == 0) != (step.name == "relay")) return ladder_error("relay is the first step, once");
    if (last != !step.lasts) return ladder_error("each step but the last takes @DURATION");
    const auto signal = i == 0 ? std::optional<Signal>(0) : parse_signal(step.name);
    if (!signal) return ladder_error("\"" + std::string(step.name) + "\" is no signal");
    if (last != (*signal == SIGKILL)) return ladder_error("KILL is the last step, once");
    if (last) break;
    *plan.grace += *step.lasts;
    if (i == 0) {
      plan.relay_lasts = *step.lasts;
    } else {
      plan.rungs.push_back({*signal, *step.lasts});
    }
  }
  return plan;
}

Ladder::Ladder(LadderPlan plan, Signal relayed, Instant relay_at, std::optional<Instant> kill_at)
    : plan_(std::move(plan)), relayed_(relayed), relay_at_(relay_at), kill_at_(kill_at) {
  to_come_ = plan_.own_rungs ? plan_.rungs : std::vector<Rung>{{SIGTERM, kTermBeforeKill}};
  if (!plan_.own_rungs && relayed_ == SIGTERM) to_come_.clear();
  lay_out(relay_at_);
}

std::optional<Instant> Ladder::due() const {
  if (killed_ || !kill_at_) return {};
  return pending_.empty() ? *kill_at_ : *kill_at_ - pending_.front().before_kill;
}

Signal Ladder::take_next() {
  climbed_ = true;
  if (pending_.empty()) {
    killed_ = true;
    return SIGKILL;
  }
  const Signal signal = pending_.front().signal;
  pending_.erase(pending_.begin());
  to_come_.erase(to_come_.begin(), to_come_.end() - static_cast<std::ptrdiff_t>(pending_.size()));
  return signal;
}

void Ladder::move_kill(Instant now, std::optional<Instant> kill_at) {
  kill_at_ = kill_at;
  lay_out(std::max(now, relay_at_));
}

void Ladder::restart(Instant relay_at, Instant now, std::optional<Instant> kill_at) {
  relay_at_ = relay_at;
  move_kill(now, kill_at);
}

// Each rung stands `before_kill` ahead of the end: its own length and those of the rungs after it.
// A rung that would leave the relay less than its length and less than half of the time falls out,
// the earliest first. Without a KILL instant all stay, for a typed INT to climb.
void Ladder::lay_out(Instant from) {
  const Nanos budget = kill_at_ ? std::max(*kill_at_ - from, Nanos(0)) : Nanos::max();
  if (!plan_.own_rungs) {
    for (Rung& rung : to_come_) rung.lasts = std::min(kTermBeforeKill, budget / 4);
  }
  const Nanos relay_share =
      climbed_ ? Nanos(0) : std::min(plan_.relay_lasts - (from - relay_at_), budget / 2);
  pending_.clear();
  Nanos before_kill{0};
  for (auto rung = to_come_.rbegin(); rung != to_come_.rend(); ++rung) {
    before_kill += rung->lasts;
    if (budget - before_kill < relay_share) break;
    pending_.insert(pending_.begin(), {rung->signal, before_kill});
  }
}

}  // namespace pw
