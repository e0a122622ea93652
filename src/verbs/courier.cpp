#include "verbs/courier.hpp"

#include <unistd.h>

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
      told_by_file_(plan.told_by_file) {}

Courier::Round Courier::relay(const action::Relay& relay) {
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
  if (!trainer) return {tree_.relay(relay.signal, relay.payload, relay.carrier), {}, true};
  if (named_.asked_for() && relay.carrier == Carrier::us) return begin_with_named(view, *trainer);
  const Delivery::Step step = delivery_.begin(view, *trainer, trainer_started_, relay.signal, now);
  if (relay.carrier == Carrier::us) return carry_out(step);
  return told_by_slurm(view, *trainer, step);
}

// The file may be written any moment: until then the notice is held, as for a handler.
Courier::Round Courier::begin_with_named(ProcTree& view, const ProcessEntry& trainer) {
  const auto named = named_.find(monotonic_now());
  name_awaited_ = !named && can_be_held(signal_);
  if (name_awaited_) return {{}, {trainer}, false};
  const Extent extent = named ? Extent::root_alone : Extent::whole_tree;
  const ProcessEntry& root = named ? *named : trainer;
  return carry_out(delivery_.begin(view, root, trainer_started_, signal_, monotonic_now(), extent));
}

// proctrack/linuxproc: who was there has got Slurm's own copy. Those that can act are the ones that
// our rule would choose; a script's own trap has run as well, and nobody is held for.
Courier::Round Courier::told_by_slurm(ProcTree& view, const ProcessEntry& trainer,
                                      const Delivery::Step& step) {
  Round round;
  for (const Delivery::Send& send : step.sends) {
    round.sent.push_back(tree_.count_as_notified(send.to));
  }
  if (round.sent.empty()) round.sent.push_back(tree_.count_as_notified(trainer));
  std::vector<ProcessEntry> to_visit{trainer};
  while (!to_visit.empty()) {
    const ProcessEntry process = std::move(to_visit.back());
    to_visit.pop_back();
    delivery_.told_by_slurm(view, process);
    for (ProcessEntry& child : view.children(process.id.pid)) to_visit.push_back(std::move(child));
  }
  round.told = true;
  return round;
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

Courier::Round Courier::end_hold(const action::EndHold& end) {
  const auto trainer = tree_.trainer_entry();
  ProcTree view(tree_.excluded());
  const auto orphans = orphans_of_ours(view, trainer.has_value());
  if (std::exchange(name_awaited_, false) && trainer) {
    // Nobody was named in time: the usual rule.
    carry_out(delivery_.begin(view, *trainer, trainer_started_, signal_, monotonic_now()));
  }
  const auto why = end.advice ? Delivery::HoldEnd::advice_is_over : Delivery::HoldEnd::time_is_over;
  return carry_out(delivery_.end_hold(view, root_of(trainer), orphans, why, monotonic_now()));
}

Courier::Round Courier::carry_out(const Delivery::Step& step) {
  Round round;
  for (const Delivery::Send& send : step.sends) {
    const Payload payload = send.signal == signal_ ? payload_ : Payload{};
    Recipient recipient = tree_.deliver(send.to, send.signal, payload);
    recipient.held = monotonic_now() - noticed_at_;
    recipient.why = send.why;
    round.sent.push_back(recipient);
  }
  round.waiting = step.waiting;
  round.told = told_by_file_ || !delivery_.told().empty();
  tree_.set_waiting(delivery_.waiting());
  return round;
}

}  // namespace pw
