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
      trainer_started_(trainer_started) {}

Courier::Round Courier::relay(const action::Relay& relay) {
  signal_ = relay.signal;
  payload_ = relay.payload;
  const auto trainer = tree_.trainer_entry();
  const Instant now = monotonic_now();
  ProcTree view(tree_.excluded());
  if (relay.whom == action::Relay::For::who_was_not_told) {
    const auto orphans = orphans_of_ours(view, trainer.has_value());
    return carry_out(delivery_.replace(view, trainer, orphans, relay.signal, now));
  }
  // Without /proc: the trainer alone is known.
  if (!trainer) return {tree_.relay(relay.signal, relay.payload, relay.carrier), {}, true};
  const Delivery::Step step = delivery_.begin(view, *trainer, trainer_started_, relay.signal, now);
  if (relay.carrier == Carrier::us) return carry_out(step);
  return told_by_slurm(view, *trainer, step);
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

Courier::Round Courier::look() {
  const auto trainer = tree_.trainer_entry();
  ProcTree view(tree_.excluded());
  const auto orphans = orphans_of_ours(view, trainer.has_value());
  return carry_out(delivery_.look(view, trainer, orphans, monotonic_now()));
}

Courier::Round Courier::end_hold(const action::EndHold& end) {
  const auto trainer = tree_.trainer_entry();
  ProcTree view(tree_.excluded());
  const auto orphans = orphans_of_ours(view, trainer.has_value());
  const auto why = end.advice ? Delivery::HoldEnd::advice_is_over : Delivery::HoldEnd::time_is_over;
  return carry_out(delivery_.end_hold(view, trainer, orphans, why, monotonic_now()));
}

Courier::Round Courier::carry_out(const Delivery::Step& step) {
  Round round;
  for (const Delivery::Send& send : step.sends) {
    const Payload payload = send.signal == signal_ ? payload_ : Payload{};
    Recipient recipient = tree_.deliver(send.to, send.signal, payload);
    recipient.held = send.held;
    recipient.why = send.why;
    round.sent.push_back(recipient);
  }
  round.waiting = step.waiting;
  round.told = !delivery_.told().empty();
  tree_.set_waiting(delivery_.waiting());
  return round;
}

}  // namespace pw
