#include "verbs/courier.hpp"

#include <unistd.h>

#include <algorithm>

#include "os/clock.hpp"
#include "os/proc_tree.hpp"

namespace pw {
namespace {

std::vector<ProcessEntry> orphans_of_ours(ProcTree& view, bool trainer_lives) {
  return trainer_lives ? std::vector<ProcessEntry>{} : view.children(getpid());
}

}  // namespace

Courier::Courier(TrainerTree& tree, Plan plan, Instant trainer_started)
    : tree_(tree),
      delivery_(std::move(plan.transparent), plan.given, plan.no_handler),
      trainer_started_(trainer_started),
      named_(tree, std::move(plan.target_pid_file)),
      told_by_file_(plan.told_by_file),
      slurm_tells_(plan.slurm_tells) {}

Courier::Round Courier::relay(const action::Relay& relay, Delivery::Agents agents) {
  delivery_.set_agents(agents);
  signal_ = relay.signal;
  payload_ = relay.payload;
  name_awaited_ = false;
  const auto trainer = tree_.trainer_entry();
  const Instant now = monotonic_now();
  if (relay.whom == action::Relay::For::everyone) noticed_at_ = now;
  ProcTree view(tree_.excluded());
  if (relay.whom == action::Relay::For::who_was_not_told) {
    const auto orphans = orphans_of_ours(view, trainer.has_value());
    return carry_out(delivery_.replace(view, root_of(trainer), orphans, relay.signal, now));
  }
  // Without /proc: the trainer alone is known.
  if (!trainer)
    return {.sent = tree_.relay(relay.signal, relay.payload, relay.carrier),
            .waiting = {},
            .told = true};
  if (named_.asked_for() && relay.carrier == Carrier::us) return begin_with_named(view, *trainer);
  const Delivery::Step step = delivery_.begin(view, *trainer, trainer_started_, relay.signal, now);
  if (relay.carrier == Carrier::us) return carry_out(step);
  return told_by_slurm(view, *trainer, step);
}

// The file may be written any moment: until then the notice is held, as for a handler.
Courier::Round Courier::begin_with_named(ProcTree& view, const ProcessEntry& trainer) {
  const Instant now = monotonic_now();
  const auto named = named_.find(now);
  // An agent above who was named asks for the next run all the same.
  Round first = carry_out(delivery_.agents_below(view, trainer, now));
  name_awaited_ = !named && can_be_held(signal_);
  if (name_awaited_) {
    first.waiting = {trainer};
    return first;
  }
  const Extent extent = named ? Extent::root_alone : Extent::whole_tree;
  const ProcessEntry& root = named ? *named : trainer;
  Round round = carry_out(delivery_.begin(view, root, trainer_started_, signal_, now, extent));
  round.agents.insert(round.agents.begin(), first.agents.begin(), first.agents.end());
  return round;
}

// proctrack/pgid signals a process group; a wandb agent's trainer has one of its own.
bool Courier::reached_by_slurm(const ProcessEntry& process) const {
  return slurm_tells_ == 0 || process.group == slurm_tells_;
}

// proctrack/linuxproc and pgid: who was there has got Slurm's own copy. Those that can act are the
// ones that our rule would choose; a script's own trap has run as well, and nobody is held for.
Courier::Round Courier::told_by_slurm(ProcTree& view, const ProcessEntry& trainer,
                                      const Delivery::Step& step) {
  Delivery::Step ours = step;
  std::erase_if(ours.sends, [this](const Delivery::Send& send) {
    return send.why != Delivery::Why::agent && reached_by_slurm(send.to);
  });
  std::erase_if(ours.waiting,
                [this](const ProcessEntry& process) { return reached_by_slurm(process); });
  Round round = carry_out(ours);
  for (const Delivery::Send& send : step.sends) {
    if (send.why != Delivery::Why::agent && reached_by_slurm(send.to)) {
      round.sent.push_back(tree_.count_as_notified(send.to));
    }
  }
  if (round.sent.empty() && reached_by_slurm(trainer)) {
    round.sent.push_back(tree_.count_as_notified(trainer));
    // Who is to act may have been below a shell that has just died of it.
    tree_.relay(signal_, payload_, Carrier::slurm);
  }
  note_told(view, trainer, step);
  tree_.set_waiting(delivery_.waiting());  // nobody whom Slurm has told
  round.told = round.told || !round.sent.empty();
  return round;
}

// What is below a process that acts gets no copy of its own, told by whomever.
void Courier::note_told(ProcTree& view, const ProcessEntry& trainer, const Delivery::Step& step) {
  std::vector<ProcessId> act;
  for (const ProcessEntry& waiting : step.waiting) act.push_back(waiting.id);
  for (const Delivery::Send& send : step.sends) {
    if (send.why == Delivery::Why::able) act.push_back(send.to.id);
  }
  std::vector<std::pair<ProcessEntry, bool>> to_visit{{trainer, false}};
  while (!to_visit.empty()) {
    const auto [process, hidden] = std::move(to_visit.back());
    to_visit.pop_back();
    const bool reached = reached_by_slurm(process);
    if (hidden || reached) delivery_.told_by_slurm(view, process);
    const bool acts = std::find(act.begin(), act.end(), process.id) != act.end();
    for (ProcessEntry& child : view.children(process.id.pid)) {
      to_visit.emplace_back(std::move(child), hidden || (acts && reached));
    }
  }
}

// Whoever was named, as long as it lives; then the launcher above it may be gone.
std::optional<ProcessEntry> Courier::root_of(const std::optional<ProcessEntry>& trainer) {
  const auto named = named_.asked_for() ? named_.find(monotonic_now()) : std::nullopt;
  return named ? named : trainer;
}

Courier::Round Courier::look() {
  const auto trainer = tree_.trainer_entry();
  ProcTree view(tree_.excluded());
  if (name_awaited_ && trainer) return begin_with_named(view, *trainer);
  const auto orphans = orphans_of_ours(view, trainer.has_value());
  return carry_out(delivery_.look(view, root_of(trainer), orphans, monotonic_now()));
}

Courier::Round Courier::look_at_agents() {
  ProcTree view(tree_.excluded());
  return carry_out(delivery_.look_at_agents(view, monotonic_now()));
}

Courier::Round Courier::end_hold(const action::EndHold& end) {
  const auto trainer = tree_.trainer_entry();
  ProcTree view(tree_.excluded());
  const auto orphans = orphans_of_ours(view, trainer.has_value());
  Round first;
  if (std::exchange(name_awaited_, false) && trainer) {
    // Nobody was named in time: the usual rule. Who blocks the signal is able in a second look.
    const Instant now = monotonic_now();
    first =
        carry_out(delivery_.begin(view, *trainer, trainer_started_, signal_, now - kBlockedFor));
  }
  const auto why = end.advice ? Delivery::HoldEnd::advice_is_over : Delivery::HoldEnd::time_is_over;
  Round round =
      carry_out(delivery_.end_hold(view, root_of(trainer), orphans, why, monotonic_now()));
  round.sent.insert(round.sent.begin(), first.sent.begin(), first.sent.end());
  return round;
}

Recipients Courier::tell_newcomers() {
  const auto trainer = tree_.trainer_entry();
  if (!trainer) return {};
  ProcTree view(tree_.excluded());
  return carry_out(delivery_.tell_newcomers(view, *trainer)).sent;
}

void Courier::stop_agent(Round& round, const Delivery::Send& send) {
  round.agents.push_back(tree_.stop_agent(send.to, send.signal));
  round.agents.back().why = send.why;
}

Courier::Round Courier::carry_out(const Delivery::Step& step) {
  Round round;
  for (const Delivery::Send& send : step.sends) {
    if (send.why == Delivery::Why::agent) {
      stop_agent(round, send);
      continue;
    }
    const Payload payload = send.signal == signal_ ? payload_ : Payload{};
    Recipient recipient = tree_.deliver(send.to, send.signal, payload);
    recipient.held = monotonic_now() - noticed_at_;
    recipient.why = send.why;
    round.sent.push_back(recipient);
  }
  round.waiting = step.waiting;
  round.told = told_by_file_ || delivery_.told_anybody();
  round.agents_pending = step.agents_pending;
  tree_.set_waiting(delivery_.waiting());
  return round;
}

}  // namespace pw
