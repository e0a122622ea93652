// From a notice to its episode, or to what else becomes of it.
#include <algorithm>

#include "core/delivery.hpp"
#include "core/supervision.hpp"

namespace pw {

// Nothing is lost by not starting, and the machine is going away.
void Supervision::forestall(const event::SignalCame& came) {
  const bool by_hand = came.cause == Cause::typed;
  const bool ends_us = came.signal == SIGINT || came.signal == SIGQUIT || came.signal == SIGHUP;
  if (by_hand && !ends_us) return judge(came.signal, Verdict::typed);
  // What is only withheld from the command counts: there is no command yet that it could harm.
  const auto becomes = policy_.signal_map.find(came.signal);
  const bool unwanted = becomes != policy_.signal_map.end() && becomes->second == 0;
  if (!by_hand && unwanted) return judge(came.signal, Verdict::dropped);
  const auto told = deadline_told_by(policy_.schedule, came.signal, now_);
  const bool notice_signal = policy_.notices.contains(came.signal);
  if (!by_hand && notice_signal && told && told->at - now_ > kAdviceBeyond) {
    kept_.push_back(came);
    return judge(came.signal, Verdict::kept);
  }
  if (by_hand) typed_.insert(came.signal);
  ending_ = Ending{Ending::Kind::never_started, came.signal};
  judge(came.signal, Verdict::forestalled);
  finish();
}

void Supervision::notice(const event::SignalCame& came) {
  const Signal becomes = mapped(came.signal);
  if (becomes == 0 && !nobody_left()) return judge(came.signal, Verdict::dropped);
  heed(came, becomes, deadline_told_by(policy_.schedule, came.signal, now_));
}

// The other way in: nobody has sent anything, so nothing is mapped.
void Supervision::on(const event::NoticeGiven& given) {
  source_ = given.source;
  // srun would be killed by what it does not forward.
  const bool withheld = policy_.withheld.contains(given.as);
  const event::SignalCame as{.signal = withheld ? SIGUSR1 : given.as};
  if (given.advice && phase_ == Phase::draining) return;
  if (given.advice && before_start()) {
    kept_.push_back(given);
    return judge(as.signal, Verdict::kept);
  }
  if (given.advice && !nobody_left()) return advise(as, as.signal);
  std::optional<Deadline> told;
  if (given.told && policy_.schedule.deadline_known) told = given.told;
  const auto& lead = policy_.schedule.lead;
  if (told && lead) told->at = std::min(told->at, now_ + *lead);
  if (before_start()) {
    if (told) adopt(*told);
    ending_ = Ending{Ending::Kind::never_started, SIGTERM};
    judge(as.signal, Verdict::forestalled);
    return finish();
  }
  if (given.grace && phase_ == Phase::draining) covered_limit_ = given;
  if (given.grace && phase_ == Phase::running) {
    own_grace_ = policy_.ladder.grace.value_or(*given.grace);
  }
  if (source_ == NoticeSource::cloud && given.told) cloud_end_ = told.value_or(*given.told).at;
  heed(as, as.signal, told);
}

void Supervision::heed(const event::SignalCame& came, Signal becomes,
                       const std::optional<Deadline>& told) {
  if (becomes != 0 && is_for_those_left(came)) return join_late(came, becomes, told);
  if (nobody_left()) return judge(came.signal, Verdict::too_late);
  if (phase_ == Phase::draining) {
    hung_before_cloud_ = source_ == NoticeSource::cloud && (hung_ || hung_before_cloud_);
    hung_ = false;
    if (told && adopt(*told)) ladder_.move_kill(now_, planned_kill());
    if (hold_ && !can_be_held(becomes)) return take_its_place(came, becomes);
    cover(came, told);
    return judge(came.signal, Verdict::covered);
  }
  // TERM is what Slurm also ends a job with, so that one may be new.
  const bool sent = source_ == NoticeSource::signal;
  if (sent && can_be_held(becomes) && repeats_advice(came.signal)) {
    return judge(came.signal, Verdict::covered);
  }
  forget_end();
  if (told) adopt(*told);
  if (told && told->at - now_ > kAdviceBeyond) return advise(came, becomes);
  begin_episode(came, becomes);
}

// Our copy of what Slurm has sent to all: who saves gets the time that the notice gives.
bool Supervision::is_for_those_left(const event::SignalCame& came) const {
  const bool some_left = ending_ && !killing_ && phase_ == Phase::sweeping;
  return some_left && came.carrier == Carrier::slurm;
}

void Supervision::join_late(const event::SignalCame& came, Signal becomes,
                            const std::optional<Deadline>& told) {
  stragglers_at_.reset();
  sweep_kill_at_.reset();
  ended_in_episode_ = *ending_ == Ending{Ending::Kind::signalled, came.signal};
  hung_ = false;
  own_grace_.reset();
  forget_end();
  const bool far = told && told->at - now_ > kAdviceBeyond;
  // Without its trainer nobody is advised to go on.
  if (far) own_grace_ = policy_.ladder.grace.value_or(kGraceElsewhere);
  if (told && !far) adopt(*told);
  begin_episode(came, becomes);
}

// What stays when the episode turns out to be none.
void Supervision::cover(const event::SignalCame& came, const std::optional<Deadline>& told) {
  if (source_ == NoticeSource::cloud) return;
  if (!lead_since_) lead_since_ = now_;
  const bool another = came.signal == SIGTERM && episode_notice_ != SIGTERM;
  if (another && source_ == NoticeSource::signal) covered_term_ = came;
  const bool far = told && told->at - now_ > kAdviceBeyond;
  if (!others_since_ && !far) others_since_ = now_;
}

void Supervision::open_episode(Signal relayed) {
  phase_ = Phase::draining;
  episode_notice_ = 0;
  episode_at_ = now_;
  relay_at_ = now_;
  hold_.reset();
  agents_look_at_.reset();  // of an advice before it
  covered_term_.reset();
  covered_limit_.reset();
  sent_ = SignalSet();
  others_since_.reset();
  lead_since_ = now_;
  not_before_.reset();
  told_ = hung_before_cloud_ = being_ended_ = false;
  allowance_ = Nanos(0);
  ladder_ = Ladder(policy_.ladder, relayed, now_, planned_kill());
}

void Supervision::begin_episode(const event::SignalCame& came, Signal becomes) {
  open_episode(becomes);
  begin_with(came, becomes, action::Relay::For::everyone);
}

void Supervision::begin_with(const event::SignalCame& came, Signal becomes,
                             action::Relay::For whom) {
  by_cloud_ = source_ == NoticeSource::cloud;
  if (by_cloud_) lead_since_.reset();
  if (!by_cloud_ && !lead_since_) lead_since_ = now_;
  episode_notice_ = came.signal;
  sent_ = SignalSet{came.signal, becomes};
  actions_.push_back(action::Relay{becomes, came.payload, came.carrier, whom, source_});
  judge(came.signal, Verdict::relayed, becomes);
}

// TERM while USR1 is held: the hold ends, and the one that was held has reached nobody.
void Supervision::take_its_place(const event::SignalCame& came, Signal becomes) {
  hold_.reset();
  relay_at_ = now_;
  ladder_ = Ladder(policy_.ladder, becomes, now_, planned_kill());
  if (!by_cloud_) others_since_ = now_;
  begin_with(came, becomes, action::Relay::For::who_was_not_told);
}

// Never past a quarter of the budget.
Nanos Supervision::hold_limit() const {
  const auto kill_at = ladder_.kill_at();
  if (phase_ != Phase::draining || !kill_at) return policy_.hold;
  return std::min(policy_.hold, std::max(*kill_at - now_, Nanos(0)) / 4);
}

void Supervision::leave_episode() {
  phase_ = Phase::running;
  ladder_ = Ladder{};
  episode_at_.reset();
  agents_look_at_.reset();
  own_grace_.reset();
  hung_ = by_cloud_ = false;
  watchdog_.excuse(now_);  // it may have been silent while it saved
}

// As if it had been known at the notice: a trainer that leaves because of it was preempted. A TERM
// or a limit of ours that the episode covered is then a notice of its own.
void Supervision::turn_into_advice() {
  if (episode_notice_ != 0) note_advice(episode_notice_, *episode_at_);
  const auto limit = std::exchange(covered_limit_, {});
  const auto term = std::exchange(covered_term_, {});
  leave_episode();
  if (limit) on(*limit);
  source_ = NoticeSource::signal;
  if (term) notice(*term);
}

void Supervision::note_advice(Signal signal, Instant at) {
  advised_.insert(signal);
  std::erase_if(advice_times_, [signal](const auto& told) { return told.first == signal; });
  advice_times_.emplace_back(signal, at);
}

bool Supervision::repeats_advice(Signal signal) const {
  return std::any_of(advice_times_.begin(), advice_times_.end(), [&](const auto& told) {
    return told.first == signal && now_ - told.second < kAdviceRepeat;
  });
}

void Supervision::advance_hold() {
  const Hold::Due due = hold_ ? hold_->take_due(now_) : Hold::Due::nothing;
  if (due == Hold::Due::look) actions_.push_back(action::LookForHandlers{});
  if (due != Hold::Due::end) return;
  sent_.insert(SIGTERM);  // to whom --no-handler gives it
  actions_.push_back(action::EndHold{phase_ != Phase::draining});
}

void Supervision::advise(const event::SignalCame& came, Signal becomes) {
  if (repeats_advice(came.signal)) return judge(came.signal, Verdict::covered);
  note_advice(came.signal, now_);
  hold_.reset();
  actions_.push_back(
      action::Relay{becomes, came.payload, came.carrier, action::Relay::For::everyone, source_});
  judge(came.signal, Verdict::advice, becomes);
}

}  // namespace pw
