#include "core/delivery.hpp"

#include <algorithm>

#include "core/launcher.hpp"

namespace pw {
namespace {

bool contains(std::span<const ProcessId> ids, const ProcessId& id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

}  // namespace

Delivery::Step Delivery::begin(TreeView& view, const ProcessEntry& trainer, Instant started,
                               Signal signal, Instant now, Extent extent) {
  signal_ = signal;
  extent_ = extent;
  begun_ = now;
  started_ = started;
  told_.clear();
  blocking_.clear();
  return take(view, std::span(&trainer, 1), trainer, now);
}

void Delivery::told_by_slurm(TreeView& view, const ProcessEntry& process) {
  std::erase(waiting_, process.id);
  const auto state = view.signals(process, signal_);
  if (state && !state->ignored.contains(signal_) && !contains(told_, process.id)) {
    told_.push_back(process.id);
  }
}

Delivery::Step Delivery::look(TreeView& view, const std::optional<ProcessEntry>& trainer,
                              std::span<const ProcessEntry> orphans, Instant now) {
  return take(view, roots(trainer, orphans), trainer, now);
}

Delivery::Step Delivery::replace(TreeView& view, const std::optional<ProcessEntry>& trainer,
                                 std::span<const ProcessEntry> orphans, Signal signal,
                                 Instant now) {
  signal_ = signal;
  blocking_.clear();
  return take(view, roots(trainer, orphans), trainer, now);
}

Delivery::Step Delivery::take(TreeView& view, std::span<const ProcessEntry> roots,
                              const std::optional<ProcessEntry>& trainer, Instant now) {
  const bool held = can_be_held(signal_);
  const Frontier found = held ? seek(view, roots, now) : seek_at_once(view, roots, signal_);
  Step step;
  stop_agents(step, view, found, now);
  for (const ProcessEntry& target : found.targets) send(step, target, signal_, Why::able);
  waiting_.clear();
  if (!held) {
    if (no_handler_ == NoHandler::by_file) return step;
    send_to_launchers(step, found, signal_);
    if (told_.empty()) last_resort(step, signal_, found, trainer);
    return step;
  }
  // An old agent may have a young run.
  const bool grown_up = begun_ - started_ > kGrownUp && found.agents.empty();
  const bool own_trap = std::any_of(found.branches.begin(), found.branches.end(),
                                    [](const Branch& b) { return b.own_handler.has_value(); });
  // A grown-up program that handles TERM and not this is told by TERM, at once; but who blocks the
  // signal may well be waiting for it.
  const bool advice = stop_agents_ == Agents::let_alone;
  const bool hopeless = grown_up && !advice && told_.empty() && blocking_.empty() && !own_trap;
  if (hopeless && no_handler_ == NoHandler::term && send_term(step, view, roots)) return step;
  for (const Branch& branch : found.branches) {
    if (grown_up && branch.own_handler) {
      send(step, *branch.own_handler, signal_, Why::own_trap);
      continue;
    }
    step.waiting.push_back(branch.nearest.empty() ? branch.root : branch.nearest.front());
    for (const ProcessEntry& member : branch.members) waiting_.push_back(member.id);
  }
  return step;
}

Delivery::Step Delivery::end_hold(TreeView& view, const std::optional<ProcessEntry>& trainer,
                                  std::span<const ProcessEntry> orphans, HoldEnd end, Instant now) {
  const Frontier found = seek(view, roots(trainer, orphans), now);
  Step step;
  stop_agents(step, view, found, now);
  for (const ProcessEntry& target : found.targets) send(step, target, signal_, Why::able);
  for (const Branch& branch : found.branches) {
    if (branch.own_handler) {
      send(step, *branch.own_handler, signal_, Why::own_trap);
    } else if (end == HoldEnd::time_is_over) {
      give_up(step, view, branch);
    }
  }
  const bool ask_trainer =
      end == HoldEnd::time_is_over && no_handler_ == NoHandler::term && told_.empty();
  if (ask_trainer) last_resort(step, SIGTERM, found, trainer);
  waiting_.clear();
  return step;
}

Delivery::Step Delivery::tell_newcomers(TreeView& view, const ProcessEntry& trainer) {
  Step step;
  if (no_handler_ != NoHandler::by_file) send_term(step, view, std::span(&trainer, 1));
  return step;
}

void Delivery::give_up(Step& step, TreeView& view, const Branch& branch) {
  if (no_handler_ == NoHandler::skip || no_handler_ == NoHandler::by_file) return;
  if (no_handler_ == NoHandler::term) {
    send_term(step, view, std::span(&branch.root, 1));
    return;
  }
  for (const ProcessEntry& process : branch.nearest) {
    send(step, process, signal_, Why::no_handler);
  }
  if (branch.nearest.empty() && !is_agent(branch.root)) {
    send(step, branch.root, signal_, Why::no_handler);
  }
}

// Once the trainer is gone those that waited are orphans; other orphans are leftovers.
std::vector<ProcessEntry> Delivery::roots(const std::optional<ProcessEntry>& trainer,
                                          std::span<const ProcessEntry> orphans) const {
  std::vector<ProcessEntry> all;
  if (trainer) all.push_back(*trainer);
  for (const ProcessEntry& orphan : orphans) {
    if (contains(waiting_, orphan.id)) all.push_back(orphan);
  }
  return all;
}

Frontier Delivery::seek(TreeView& view, std::span<const ProcessEntry> roots, Instant now) {
  for (Blocking& blocking : blocking_) blocking.seen = false;
  const auto able = [&](const ProcessEntry& process, Handling handling) {
    return handling == Handling::caught || blocks_for_long(process, now);
  };
  const TargetRule rule(transparent_, given_, able, extent_);
  Frontier found = rule.frontier(view, roots, signal_, told_);
  std::erase_if(blocking_, [](const Blocking& blocking) { return !blocking.seen; });
  return found;
}

Frontier Delivery::seek_at_once(TreeView& view, std::span<const ProcessEntry> roots,
                                Signal signal) const {
  const auto able = [](const ProcessEntry&, Handling) { return true; };
  const TargetRule rule(transparent_, given_, able, extent_);
  return rule.frontier(view, roots, signal, told_);
}

bool Delivery::blocks_for_long(const ProcessEntry& process, Instant now) {
  for (Blocking& blocking : blocking_) {
    if (blocking.id != process.id) continue;
    blocking.seen = true;
    return now - blocking.since >= kBlockedFor;
  }
  blocking_.push_back({process.id, now, true});
  return false;
}

// Before the notice itself: an agent whose trainer ends asks for the next run.
void Delivery::stop_agents(Step& step, TreeView& view, const Frontier& found, Instant now) {
  if (stop_agents_ == Agents::let_alone) return;
  for (const AgentRule::Send& to : agents_.meet(view, found.agents, now)) {
    step.sends.push_back({to.to, to.signal, Why::agent});
  }
  step.agents_pending = agents_.pending();
}

Delivery::Step Delivery::agents_below(TreeView& view, const ProcessEntry& root, Instant now) {
  const auto able = [](const ProcessEntry&, Handling) { return true; };
  const TargetRule rule(transparent_, given_, able, Extent::whole_tree);
  Step step;
  stop_agents(step, view, rule.frontier(view, std::span(&root, 1), SIGUSR1, {}), now);
  return step;
}

Delivery::Step Delivery::look_at_agents(TreeView& view, Instant now) {
  Step step;
  for (const AgentRule::Send& to : agents_.look(view, now)) {
    step.sends.push_back({to.to, to.signal, Why::agent});
  }
  step.agents_pending = agents_.pending();
  return step;
}

// An agent would die of it and leave its trainer untold, or pass it on and start the next run: with
// agents in the tree, those below them are asked.
void Delivery::last_resort(Step& step, Signal signal, const Frontier& found,
                           const std::optional<ProcessEntry>& trainer) {
  if (found.agents.empty()) {
    if (trainer) send(step, *trainer, signal, Why::last_resort);
    return;
  }
  for (const Branch& branch : found.branches) {
    for (const ProcessEntry& process : branch.nearest) {
      send(step, process, signal, Why::last_resort);
    }
  }
}

bool Delivery::send_term(Step& step, TreeView& view, std::span<const ProcessEntry> roots) {
  const Frontier found = seek_at_once(view, roots, SIGTERM);
  const std::size_t before = step.sends.size();
  for (const ProcessEntry& target : found.targets) {
    send(step, target, SIGTERM, Why::no_handler);
  }
  send_to_launchers(step, found, SIGTERM);
  return step.sends.size() > before;
}

// Ranks that do not handle it themselves: their launcher ends them in good order. A shell's own
// trap would wait for its foreground command.
void Delivery::send_to_launchers(Step& step, const Frontier& found, Signal signal) {
  for (const Branch& branch : found.branches) {
    if (branch.own_handler && manner_of(branch.own_handler->name) != nullptr) {
      send(step, *branch.own_handler, signal, Why::own_trap);
    }
  }
}

void Delivery::send(Step& step, const ProcessEntry& to, Signal signal, Why why) {
  told_.push_back(to.id);
  step.sends.push_back({to, signal, why});
}

}  // namespace pw
