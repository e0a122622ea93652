#include "core/supervision.hpp"

#include <algorithm>

#include "core/delivery.hpp"

namespace pw {

const std::vector<Action>& Supervision::step(Instant now, const Event& event) {
  actions_.clear();
  source_ = NoticeSource::signal;
  now_ = now;
  if (phase_ == Phase::done) return actions_;
  recover_from_late_wake();
  std::visit([this](const auto& happened) { on(happened); }, event);
  watch();
  climb_due();
  advance_hold();
  repeat_looks();
  return actions_;
}

std::optional<Instant> Supervision::next_wake() const {
  std::optional<Instant> wake;
  const auto consider = [&wake](std::optional<Instant> at) { wake = earlier(wake, at); };
  if (watched()) consider(watchdog_.due());
  if (phase_ == Phase::draining) consider(ladder_.due());
  if (phase_ == Phase::draining) consider(agents_look_at_);
  if (hold_) consider(hold_->wake());
  if (phase_ == Phase::draining || phase_ == Phase::sweeping) consider(look_at_);
  if (phase_ == Phase::sweeping) {
    consider(stragglers_at_);
    consider(sweep_kill_at_);
    consider(give_up_at_);
  }
  return wake;
}

RunFacts Supervision::facts() const {
  return {.ending = ending_.value_or(Ending{Ending::Kind::signalled, SIGKILL}),
          .in_episode = !hung_ && !cancelled_ && (ended_in_episode_ || (episode_at_ && !ending_)),
          .notice_relayed = notice_relayed_,
          .advised = advised_,
          .typed = typed_,
          .work_done = false};
}

void Supervision::on(const event::SignalCame& came) {
  const bool notice_signal = policy_.notices.contains(came.signal);
  if (came.cause == Cause::ourselves) return judge(came.signal, Verdict::ignored);
  const bool ends_wait = phase_ == Phase::waiting && ends_a_process(came.signal);
  if (before_start() && (notice_signal || ends_wait || came.cause == Cause::typed)) {
    return forestall(came);
  }
  if (came.cause == Cause::typed) return typed(came.signal);
  if (notice_signal) return notice(came);
  pass(came);
}

void Supervision::on(const event::TrainerStarted&) {
  phase_ = Phase::running;
  for (const auto& came : std::exchange(kept_, {})) {
    std::visit([this](const auto& kept) { on(kept); }, came);
  }
}

void Supervision::on(const event::TrainerEnded& ended) {
  ending_ = ended.ending;
  ended_in_episode_ = saving(now_) || (killing_ && episode_at_);
  look();
}

void Supervision::on(const event::TreeSeen& seen) {
  const bool gone = ending_ && seen.notified + seen.others == 0;
  if (giving_up_ || (phase_ == Phase::sweeping && gone)) return finish();
  if (!ending_) return;
  if (phase_ == Phase::running && saving(now_) && seen.notified > 0) go_on_saving();
  if (phase_ == Phase::draining && seen.notified > 0) return;
  // Advice makes no episode: who got it is a straggler like any other.
  if (phase_ == Phase::running || phase_ == Phase::draining) sweep(seen.notified + seen.others);
}

void Supervision::on(const event::Relayed& relayed) {
  notice_relayed_ = notice_relayed_ || relayed.told;
  told_ = told_ || relayed.told;
  on(event::AgentsSeen{relayed.agents_pending});
  if (phase_ != Phase::running && phase_ != Phase::draining) return;
  // Given up (--no-handler skip): a clock over a trainer that was told nothing would only kill it.
  if (!relayed.told && !relayed.waiting && !ending_) {
    hold_.reset();
    return leave_episode();
  }
  if (relayed.waiting && !hold_) {
    hold_.emplace(now_, hold_limit());
    relay_at_ = hold_->until();
  } else if (!relayed.waiting && hold_) {
    hold_.reset();
    relay_at_ = now_;
  } else {
    return;
  }
  if (phase_ == Phase::draining) ladder_.restart(relay_at_, now_, planned_kill());
}

void Supervision::on(const event::TrainerReady&) {
  if (hold_) hold_->look_now(now_);
}

void Supervision::on(const event::TreeChanged&) {
  if (ending_ || killing_) look();
}

void Supervision::on(const event::DeadlineLearned& learned) {
  if (phase_ != Phase::draining) return;
  Deadline news = learned.deadline;
  const auto& lead = policy_.schedule.lead;
  if (news.source == DeadlineSource::slurmctld && lead && lead_since_) {
    news.at = std::min(news.at, *lead_since_ + *lead);  // the user's word stands
  }
  const bool far = news.at - now_ > kAdviceBeyond;
  const auto& known = end_.deadline();
  const bool replaces =
      news.certainty == Certainty::fact && (!known || known->certainty == Certainty::guess);
  const bool ours = own_grace_ || by_cloud_ || cancelled_;  // Slurm knows nothing of it
  if (far && replaces && !learned.final && !ending_ && !ours) return turn_into_advice();
  being_ended_ = being_ended_ || learned.final;
  if (adopt(news)) ladder_.move_kill(now_, planned_kill());
}

void Supervision::on(const event::GraceAsked& asked) {
  const auto due = ladder_.due();
  if (phase_ != Phase::draining || !due) return;
  const Nanos more = now_ + asked.more - *due;
  const auto& done_by = end_.done_by();
  if (more > Nanos(0)) allow(more, done_by ? done_by : relay_at_ + policy_.max_grace);
}

// Woken late, we were suspended and the trainer with us: it gets its time again.
void Supervision::watch() {
  const auto silent_for = watchdog_.silent_for(now_);
  if (!watched() || !silent_for) return;
  const bool excused = excused_until_ && now_ < *excused_until_;
  if (excused || now_ - *watchdog_.due() > kLateWake) return watchdog_.excuse(now_);
  end_hung(silent_for);
}

void Supervision::end_hung(std::optional<Nanos> silent_for) {
  hung_ = true;
  end_by_ourselves();
  actions_.push_back(action::TellHang{silent_for, *ladder_.kill_at() - now_});
}

// An episode that runs is the end already; only that it must not come back is new.
void Supervision::on(const event::Cancelled&) {
  cancelled_ = true;
  if (!others_since_) others_since_ = now_;
  if (watched()) end_by_ourselves();
}

// No scheduler stands behind this end: neither a deadline nor Slurm's own SIGKILL comes with it.
void Supervision::end_by_ourselves() {
  own_grace_ = policy_.ladder.grace.value_or(kGraceElsewhere);
  forget_end();
  open_episode(SIGTERM);
  actions_.push_back(action::Relay{SIGTERM, {}, Carrier::us});
}

// The terminal has given it to the trainer. In an episode an INT says "faster".
void Supervision::typed(Signal signal) {
  typed_.insert(signal);
  judge(signal, Verdict::typed);
  if (signal != SIGINT) return;
  if (phase_ == Phase::sweeping && !killing_) {
    killed_by_hand_ = true;
    return kill_tree();
  }
  if (phase_ != Phase::draining) return;
  std::erase_if(typed_interrupts_, [this](Instant at) { return now_ - at >= kTypedWindow; });
  typed_interrupts_.push_back(now_);
  const Signal next = typed_interrupts_.size() >= 3 ? SIGKILL : ladder_.take_next();
  killed_by_hand_ = next == SIGKILL;
  climb(next, action::Whom::notified);
}

void Supervision::pass(const event::SignalCame& came) {
  const Signal becomes = mapped(came.signal);
  if (becomes == 0) return judge(came.signal, Verdict::dropped);
  if (before_start()) {
    kept_.push_back(came);
    return judge(came.signal, Verdict::kept);
  }
  if (!ending_ && came.carrier == Carrier::us) {
    actions_.push_back(action::Pass{becomes, came.payload});
  }
  judge(came.signal, ending_ ? Verdict::too_late : Verdict::passed, becomes);
}

void Supervision::judge(Signal signal, Verdict verdict, Signal relayed_as) {
  action::Judge judged{signal, verdict, source_, relayed_as};
  if (end_.deadline()) judged.left = end_.deadline()->at - now_;
  if (ladder_.kill_at()) judged.kill_in = *ladder_.kill_at() - now_;
  judged.hold = hold_limit();
  actions_.push_back(judged);
}

// Returns whether it changes the instant to be done at.
bool Supervision::adopt(const Deadline& news) {
  if (news.source != DeadlineSource::cloud) end_by_others_.adopt(news, policy_.margin, now_);
  return end_.adopt(news, policy_.margin, now_);
}

std::optional<Instant> Supervision::planned_kill() const {
  const std::optional<Instant>& done_by = end_.done_by();
  std::optional<Instant> kill_at = done_by;
  const auto grace = own_grace_ ? own_grace_ : policy_.ladder.grace;
  if (grace) {
    kill_at = relay_at_ + *grace + allowance_;
  } else if (!done_by && !policy_.schedule.in_slurm) {
    kill_at = relay_at_ + kGraceElsewhere + allowance_;
  }
  if (kill_at && done_by) kill_at = std::min(*kill_at, *done_by);
  if (kill_at && not_before_) kill_at = std::max(*kill_at, *not_before_);
  return kill_at;
}

// Moves all that is still to come `more` later, but SIGKILL never past `limit`.
void Supervision::allow(Nanos more, std::optional<Instant> limit) {
  const Instant kill_at = *ladder_.kill_at();
  const Instant later =
      limit ? std::max(kill_at, std::min(kill_at + more, *limit)) : kill_at + more;
  allowance_ += later - kill_at;
  ladder_.shift_kill(later);
}

void Supervision::recover_from_late_wake() {
  if (phase_ != Phase::draining) return;
  const auto due = ladder_.due();
  if (due && now_ - *due > kLateWake) allow(now_ - *due, end_.done_by());
}

void Supervision::climb_due() {
  while (phase_ == Phase::draining && ladder_.due() && *ladder_.due() <= now_) {
    const bool asked_for = policy_.ladder.own_rungs;
    climb(ladder_.take_next(), asked_for ? action::Whom::notified : action::Whom::who_catches_it);
  }
  if (phase_ == Phase::draining && agents_look_at_ && now_ >= *agents_look_at_) look_at_agents();
  if (phase_ != Phase::sweeping) return;
  if (give_up_at_ && now_ >= *give_up_at_ && !giving_up_) {
    giving_up_ = true;
    return look();
  }
  if (!killing_ && stragglers_at_ && now_ >= *stragglers_at_) {
    stragglers_at_.reset();
    actions_.push_back(action::EndStragglers{});
  }
  if (!killing_ && sweep_kill_at_ && now_ >= *sweep_kill_at_) kill_tree();
}

void Supervision::climb(Signal signal, action::Whom whom) {
  if (signal == SIGKILL) return kill_tree();
  sent_.insert(signal);
  actions_.push_back(action::Climb{signal, whom});
}

Signal Supervision::mapped(Signal signal) const {
  const auto found = policy_.signal_map.find(signal);
  if (found != policy_.signal_map.end()) return found->second;
  return policy_.withheld.contains(signal) ? 0 : signal;
}

}  // namespace pw
