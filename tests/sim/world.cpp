#include "world.hpp"

#include <algorithm>

#include "random_policy.hpp"

namespace pw {

using namespace std::chrono_literals;

namespace {

bool before_start(Phase phase) { return phase == Phase::starting || phase == Phase::waiting; }

constexpr Instant kNever = Instant::max();
}  // namespace

World::World(std::uint64_t seed)
    : dice_(seed), now_(1000h), policy_(random_policy(dice_, now_)), machine_(policy_) {
  const std::uint64_t others = dice_.one_in(2) ? 0 : dice_.below(5);
  for (std::uint64_t i = 0; i < others; ++i) {
    others_.push_back({.killable = !dice_.one_in(40), .dies_at = now_ + dice_.up_to(5min)});
  }
  relays_to_others_ = dice_.one_in(2);
  imports_until_ = dice_.one_in(2) ? now_ : now_ + dice_.up_to(2min);
  gives_up_ = dice_.one_in(3);
  agent_told_last_ = dice_.one_in(8);
  trainer_.dies_at = now_ + dice_.up_to(dice_.one_in(5) ? 2h : 5min);
  save_time_ = dice_.up_to(3min);
  ignores_notice_ = dice_.one_in(3);
}

std::string World::run() {
  if (dice_.one_in(6)) wait_for_start();
  if (dice_.one_in(20)) signal();
  if (machine_.phase() == Phase::starting) start();
  for (int i = 0; i < 3000 && !finished_ && broken_.empty(); ++i) next_event();
  if (broken_.empty() && !finished_) broken_ = "every run ends";
  demand(!cancelled_ || !machine_.facts().in_episode, "a cancelled run is not preempted");
  return broken_;
}

// Start control: until it is over, all that ends a process ends the run, and nothing is done.
void World::wait_for_start() {
  happen(event::WaitBegan{});
  for (std::uint64_t left = dice_.below(6); left > 0 && !finished_; --left) {
    now_ += dice_.up_to(dice_.one_in(5) ? 1h : 1min);
    demand(!machine_.next_wake(), "nothing but the wait itself has a time in it");
    switch (dice_.below(4)) {
      case 0: from_outside_early(); break;
      case 1: type_interrupt(); break;
      default: signal_early(); break;
    }
  }
  if (!finished_) happen(event::WaitOver{});
  demand(finished_ == (machine_.phase() == Phase::done), "a run that goes on starts");
}

// What speaks of a trainer that is not there yet.
void World::from_outside_early() {
  happen(dice_.one_in(2) ? Event(event::TimeCame{}) : Event(event::TreeChanged{}));
  demand(machine_.phase() == Phase::waiting, "only a signal or its end ends the wait");
}

void World::signal_early() {
  constexpr Signal kEnding[] = {SIGUSR1, SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGALRM, kRtMin + 3};
  constexpr Signal kHarmless[] = {SIGCONT, SIGWINCH, SIGURG, SIGTSTP, SIGTTOU};
  const bool ends = dice_.one_in(3);
  const Signal sent = ends ? kEnding[dice_.below(std::size(kEnding))]
                           : kHarmless[dice_.below(std::size(kHarmless))];
  const auto mapped = policy_.signal_map.find(sent);
  const bool dropped = mapped != policy_.signal_map.end() && mapped->second == 0;
  const auto told = deadline_told_by(policy_.schedule, sent, now_);
  const bool advice =
      policy_.notices.contains(sent) && told && told->at - now_ > kAdviceBeyond && !dropped;
  if (policy_.notices.contains(sent)) last_signal_ = sent;
  happen(event::SignalCame{.signal = sent});
  demand(judged_ == 1, "every signal gets exactly one verdict");
  demand(finished_ == (ends && !dropped && !advice), "a wait is ended by what ends a process");
  demand(!dropped || verdict_ == Verdict::dropped, "what is mapped to nothing is dropped");
  demand(finished_ || dropped || verdict_ == Verdict::kept, "the rest is kept for the trainer");
  demand(!finished_ || machine_.facts().ending == Ending{Ending::Kind::never_started, sent},
         "the signal that ended the wait is the end of the run");
}

void World::start() {
  started_ = true;
  happen(event::TrainerStarted{});
}

void World::demand(bool holds, const char* promise) {
  if (!holds && broken_.empty()) broken_ = promise;
}

// The next thing that happens: a death, the timer, or something from outside.
void World::next_event() {
  Instant death = trainer_.alive ? trainer_.dies_at : kNever;
  Process* dying = trainer_.alive ? &trainer_ : nullptr;
  for (Process& other : others_) {
    if (other.alive && other.dies_at < death) {
      death = other.dies_at;
      dying = &other;
    }
  }
  const Instant wake = machine_.next_wake().value_or(kNever);
  const Instant outside = outside_left_ > 0 ? now_ + dice_.up_to(40s) : kNever;
  const Instant next = std::min({death, wake, outside});
  if (next == kNever) {
    demand(false, "every run ends");
  } else if (next == death) {
    now_ = std::max(now_, death);
    die(*dying);
  } else if (next == wake) {
    now_ = std::max(now_, wake);
    if (dice_.one_in(60)) be_late();
    if (!finished_) happen(event::TimeCame{});
  } else {
    --outside_left_;
    now_ = outside;
    from_outside();
  }
  watch_the_clock();
  watch_the_reports();
}

void World::be_late() {
  const Nanos late = dice_.up_to(3min);
  now_ += late;
  if (late > kLateWake) oracle_.excused = reports_.slept = true;
  // What died meanwhile is told first, as the loop does it: signals before the timer.
  if (trainer_.alive && trainer_.dies_at <= now_) die(trainer_);
  for (Process& other : others_) {
    if (other.alive && other.dies_at <= now_) die(other);
  }
}

void World::die(Process& process) {
  process.alive = false;
  if (&process != &trainer_) return happen(event::TreeChanged{});
  const bool killed = killed_;
  if (machine_.phase() == Phase::running && now_ < withdrawn_until_ && look().notified > 0) {
    go_on_saving();
  }
  happen(event::TrainerEnded{killed ? Ending{Ending::Kind::signalled, SIGKILL}
                                    : Ending{Ending::Kind::exited, 0}});
}

void World::from_outside() {
  if (policy_.watchdog && dice_.one_in(3)) return report();
  switch (dice_.below(11)) {
    case 9: return started_ ? cloud_notice() : signal();
    case 10: return started_ ? withdraw() : signal();
    case 8: return happen(event::TrainerReady{});
    case 0: return happen(event::TreeChanged{});
    case 1: return learn();
    case 2: return extend();
    case 3: return type_interrupt();
    case 4: return dice_.one_in(4) ? cancel() : signal();
    case 5: return dice_.one_in(4) && started_ ? own_limit() : signal();
    default: return signal();
  }
}

void World::learn() {
  const bool fact = dice_.one_in(2);
  Instant at = now_ + dice_.up_to(dice_.one_in(5) ? 2h : 3min);
  const auto source = fact && dice_.one_in(2) ? DeadlineSource::slurmctld : DeadlineSource::lead;
  const bool in_time = machine_.phase() == Phase::draining;
  const Deadline told{at, fact ? Certainty::fact : Certainty::guess, source};
  const bool final = dice_.one_in(4);
  const auto& lead = policy_.schedule.lead;
  if (in_time && lead && source == DeadlineSource::slurmctld && lead_since_) {
    at = std::min(at, *lead_since_ + *lead);
  }
  const bool into_advice = in_time && trainer_.alive && fact && !final && !by_cloud_ &&
                           !cancelled_ && at - now_ > kAdviceBeyond &&
                           (!oracle_.standing || !oracle_.standing_is_fact) && !oracle_.own_end;
  if (into_advice) {
    turn_into_advice();
  } else if (in_time) {
    oracle_.learn({at, told.certainty, source}, policy_.margin, now_);
    being_ended_ = being_ended_ || final;
  }
  happen(event::DeadlineLearned{told, final});
  limited_ = term_follows_ = false;
}

// A TERM that it had covered is a notice of its own now, and so is our own limit.
void World::turn_into_advice() {
  advised_now_ = true;
  leave_episode();
  const bool term = std::exchange(covered_term_, false);
  if (term) last_signal_ = SIGTERM;
  limited_ = std::exchange(covered_limit_, false);
  if (limited_) last_signal_ = SIGUSR1;
  term_follows_ = term && limited_;
}

void World::leave_episode() {
  oracle_ = {};
  if (reports_.last) reports_.last = now_;  // it may have been silent while it saved
}

void World::report() {
  if (dice_.one_in(10)) {
    reports_.says_it_hangs = true;
    return happen(event::HangReported{});
  }
  reports_.last = now_;
  reports_.excused_until = {};
  happen(event::Reported{});
}

void World::cancel() {
  cancelling_ = cancelled_ = true;
  if (!others_since_) others_since_ = now_;
  happen(event::Cancelled{});
  cancelling_ = false;
}

void World::own_limit() {
  limited_ = true;
  last_signal_ = SIGUSR1;
  if (machine_.phase() == Phase::draining) {
    covered_limit_ = true;
    if (!others_since_) others_since_ = now_;
    if (!lead_since_) lead_since_ = now_;
  }
  happen(event::NoticeGiven{NoticeSource::own_limit, SIGUSR1, {}, kGraceElsewhere});
  demand(judged_ == 1, "our own notice gets one verdict");
  limited_ = false;
}

void World::check_hang() {
  demand(policy_.watchdog.has_value(), "no watchdog that was not asked for");
  demand(trainer_.alive && !oracle_.relay_at, "in an episode nobody has to report");
  demand(reports_.may_be_hung(policy_, now_), "who reports in time is never taken for hung");
}

// After every event: silence has not gone by unnoticed.
void World::watch_the_reports() {
  reports_.says_it_hangs = false;
  reports_.excuse(policy_, now_);
  if (machine_.phase() != Phase::running || !trainer_.alive) return;
  demand(!reports_.overdue(policy_, now_), "silence is noticed in time");
}

void World::extend() {
  const auto before = machine_.kill_at();
  happen(event::GraceAsked{dice_.up_to(10min)});
  const auto after = machine_.kill_at();
  if (!before || !after || *before == *after) return;
  oracle_.excused = true;
  const Instant limit = oracle_.done_by ? *oracle_.done_by : *oracle_.relay_at + policy_.max_grace;
  demand(*after <= std::max(limit, *before), "EXTEND never moves KILL past deadline - margin");
}

void World::type_interrupt() {
  if (machine_.phase() == Phase::draining || machine_.phase() == Phase::sweeping) {
    oracle_.hurried = true;
  }
  happen(event::SignalCame{.signal = SIGINT, .cause = Cause::typed});
}

void World::signal() {
  constexpr Signal kSignals[] = {SIGUSR1, SIGUSR2, SIGTERM, SIGINT, SIGHUP, SIGTERM};
  event::SignalCame came{.signal = kSignals[dice_.below(std::size(kSignals))]};
  by_slurm_ = policy_.schedule.in_slurm && dice_.one_in(3);
  if (by_slurm_) came.carrier = Carrier::slurm;
  const Phase phase = machine_.phase();
  const auto kill_before = machine_.kill_at();
  // The first notice after a hang, or in an episode that a cloud began, may bring a fact itself.
  const bool fact_stands = oracle_.standing_is_fact;
  const bool first_lead = policy_.schedule.lead && (oracle_.own_end || !fact_stands);
  last_signal_ = came.signal;
  if (phase == Phase::draining && policy_.notices.contains(came.signal)) reread(came.signal);
  happen(came);
  demand(judged_ == 1 || phase == Phase::done, "every signal gets exactly one verdict");
  if (phase == Phase::done || !policy_.notices.contains(came.signal)) return;
  check_notice(came.signal, phase);
  const bool another = came.signal == SIGTERM && episode_signal_ != SIGTERM;
  const bool covered = verdict_ == Verdict::covered && phase == Phase::draining;
  if (covered && another) covered_term_ = true;
  const auto told = deadline_told_by(policy_.schedule, came.signal, now_);
  const bool far = told && told->at - now_ > kAdviceBeyond;
  if (covered && !far && !others_since_) others_since_ = now_;
  if (covered && !lead_since_) lead_since_ = now_;
  const auto kill_after = machine_.kill_at();
  const bool drained = phase == Phase::draining && machine_.phase() == Phase::draining;
  if (!drained || first_lead) return;
  demand(!kill_before || (kill_after && *kill_after <= *kill_before),
         "a clock is never restarted by a repeat");
  const bool fact = policy_.schedule.lead.has_value();
  demand(!fact_stands || fact || kill_before == kill_after || took_the_place_,
         "a guess never changes what a fact said");
}

void World::reread(Signal signal) {
  const auto mapped = policy_.signal_map.find(signal);
  const bool dropped = mapped != policy_.signal_map.end() && mapped->second == 0;
  const auto told = deadline_told_by(policy_.schedule, signal, now_);
  if (!told || dropped) return;
  learn_told(*told);
}

void World::check_notice(Signal signal, Phase phase) {
  const auto mapped = policy_.signal_map.find(signal);
  const bool dropped = mapped != policy_.signal_map.end() && mapped->second == 0;
  switch (verdict_) {
    case Verdict::relayed:
      demand(phase == Phase::running || took_the_place_ || (phase == Phase::sweeping && by_slurm_),
             "a notice is relayed once per episode");
      return;
    case Verdict::advice:
      demand(phase == Phase::running, "a notice is relayed once per episode");
      return;
    case Verdict::covered:
      demand(phase == Phase::draining || advised_ || before_start(phase),
             "a notice is covered only by an earlier one");
      return;
    case Verdict::kept: return demand(before_start(phase), "only before the start is advice kept");
    case Verdict::dropped: return demand(dropped, "only a mapped notice is dropped");
    case Verdict::forestalled:
      return demand(before_start(phase), "only before the start is a start forestalled");
    case Verdict::too_late:
      return demand(!trainer_.alive || killed_, "only after the trainer's end it is too late");
    default: return demand(false, "a notice is always relayed or covered by an earlier one");
  }
}

}  // namespace pw
