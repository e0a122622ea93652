// What the state machine asks for, carried out; the other half of the class listens.
#include <signal.h>
#include <unistd.h>

#include "os/clock.hpp"
#include "verbs/supervisor.hpp"

namespace pw {
namespace {

bool told_by_file(const Settings& settings) { return !settings.notice_file.empty(); }

NoHandler no_handler_for(const Settings& settings) {
  return settings.no_handler.value_or(told_by_file(settings) ? NoHandler::by_file
                                                             : NoHandler::term);
}

}  // namespace

void Supervisor::update_helpers() {
  std::vector<ProcessId> ids = chronicle_.helpers();
  for (const ProcessId& id : hooks_.ids()) ids.push_back(id);
  for (const StepSignal& step : step_signals_) ids.push_back(step.helper().id());
  for (const Helper* asker : askers()) ids.push_back(asker->id());
  for (const PidFile* file : {plan_.pid_file, plan_.registration}) {
    if (file != nullptr) ids.push_back(file->helper());
  }
  if (cloud_) {
    for (const ProcessId& id : cloud_->helpers()) ids.push_back(id);
  }
  if (gate_ && gate_->helper()) ids.push_back(*gate_->helper());
  tree_->set_helpers(std::move(ids));
}

std::optional<Nanos> Supervisor::time_left() const {
  const auto deadline = run_.deadline();
  return deadline ? std::optional<Nanos>(deadline->at - monotonic_now()) : std::nullopt;
}

void Supervisor::tell_notice(NoticeTeller::News news) {
  if (!told_by_file(plan_.settings)) return;
  const auto deadline = run_.deadline();
  if (deadline) news.deadline = deadline->at;
  news.sigkill = run_.kill_at();
  chronicle_.notices().tell(news);
  narrator_.told_by_file(plan_.settings.notice_file);
}

// The end may come nearer, or be learnt.
void Supervisor::correct_notice() {
  if (!told_by_file(plan_.settings)) return;
  const auto deadline = run_.deadline();
  chronicle_.notices().correct(deadline ? std::optional(deadline->at) : std::nullopt,
                               run_.kill_at());
}

void Supervisor::act(const action::Judge& judge) {
  narrator_.judged(judge, caught_, recipients_, held_for_);
  if (judge.verdict == Verdict::relayed || judge.verdict == Verdict::advice) {
    const bool advice = judge.verdict == Verdict::advice;
    const bool sent = judge.source == NoticeSource::signal;
    const std::string cause(sent ? "signal" : cause_word(cause_by_ourselves(judge.source)));
    tell_notice({.signal = sent ? caught_.signal : 0, .cause = cause, .advice = advice});
  }
  recipients_.clear();
  held_for_.clear();
  tell_agents(std::exchange(agents_, {}));
  const bool fresh = judge.verdict == Verdict::relayed || judge.verdict == Verdict::advice;
  if (fresh || judge.verdict == Verdict::forestalled) episode_source_ = judge.source;
  if (judge.verdict == Verdict::forestalled) notice_ = facts_for_hooks(judge.signal, judge.source);
  if (fresh) ask_slurm(judge, JobWatch::Notice::fresh);
  if (fresh) covered_.reset();
  if (fresh) covered_term_.reset();
  if (judge.verdict == Verdict::covered) {
    ask_slurm(judge, JobWatch::Notice::repeated);
    const bool cloud = judge.source == NoticeSource::cloud;
    const bool ours = judge.source != NoticeSource::signal;  // which stands, whatever else does
    if ((!covered_ || ours) && !cloud && episode_source_ == NoticeSource::cloud) covered_ = judge;
    if (judge.signal == SIGTERM && judge.source == NoticeSource::signal) covered_term_ = caught_;
  }
  tell_manager();  // also of a stop that comes in the episode: it is then that a time limit counts
}

void Supervisor::act(const action::Relay& relay) {
  if (plan_.settings.to != Audience::child) update_helpers();
  // Whoever was behind a trainer that has died of it is found no more from there.
  const auto died_of_it = [&] {
    return relay.carrier == Carrier::slurm && tree_->trainer_has_ended();
  };
  if (plan_.settings.to == Audience::handlers && !died_of_it()) {
    const bool advice = run_.phase() != Phase::draining;
    Courier::Round round =
        courier().relay(relay, advice ? Delivery::Agents::let_alone : Delivery::Agents::stop);
    agents_ = std::move(round.agents);
    recipients_ = std::move(round.sent);
    held_for_ = std::move(round.waiting);
    if (held_for_.empty()) {
      tell_name_trouble();
    } else if (!courier().name_trouble().empty()) {
      chronicle_.log(LogLevel::info, courier().name_trouble() + "; it is waited for");
    }
    answers_.push_back(event::Relayed{
        .told = round.told, .waiting = !held_for_.empty(), .agents_pending = round.agents_pending});
    meet_overseers(recipients_, held_for_);
    if (died_of_it()) tree_->relay(relay.signal, relay.payload, relay.carrier);  // meanwhile
  } else {
    recipients_ = tree_->relay(relay.signal, relay.payload, relay.carrier);
    answers_.push_back(event::Relayed{});
  }
  const bool sent = relay.source == NoticeSource::signal;
  notice_withdrawn_ = false;
  told_anew_ = true;
  notice_ = facts_for_hooks(sent ? caught_.signal : relay.signal, relay.source);
  if (run_.hung()) notice_ = {.signal = relay.signal, .cause = "watchdog"};
  if (run_.cancelled()) notice_ = {.signal = relay.signal, .cause = "cancel"};
  start_notice_hook();
  narrator_.sent(relay.signal, "notice", recipients_);
}

Hooks::Notice Supervisor::facts_for_hooks(Signal signal, NoticeSource source) const {
  const auto deadline = run_.deadline();
  Hooks::Notice notice{signal, deadline ? std::optional(deadline->at) : std::nullopt};
  if (source != NoticeSource::signal) notice.cause = cause_word(cause_by_ourselves(source));
  return notice;
}

// Made when it is needed: not at a start, nor for a plain relay.
Courier& Supervisor::courier() {
  if (!courier_) {
    SignalSet given;
    for (Signal signal = 1; signal <= kRtMax; ++signal) {
      if (sigismember(&plan_.launch.mask, signal) == 1) given.insert(signal);
    }
    const bool pgid = plan_.job && plan_.job->conf.proctrack == Proctrack::pgid;
    const int slurm_tells = pgid ? getpgrp() : 0;
    courier_.emplace(*tree_,
                     Courier::Plan{.transparent = Transparent(plan_.settings.transparent),
                                   .given = given,
                                   .no_handler = no_handler_for(plan_.settings),
                                   .target_pid_file = plan_.settings.target_pid_file,
                                   .told_by_file = told_by_file(plan_.settings),
                                   .slurm_tells = slurm_tells},
                     started_);
  }
  return *courier_;
}

void Supervisor::act(const action::LookForHandlers&) {
  update_helpers();
  later_round(courier().look());
}

void Supervisor::act(const action::LookAtAgents&) {
  update_helpers();
  const Courier::Round round = courier().look_at_agents();
  tell_agents(round.agents);
  answers_.push_back(event::AgentsSeen{.pending = round.agents_pending});
}

void Supervisor::act(const action::EndHold& end) {
  update_helpers();
  const Courier::Round round = courier().end_hold(end);
  tell_name_trouble();
  if (round.sent.empty() && !round.told) narrator_.nobody_told();
  later_round(round);
}

void Supervisor::tell_name_trouble() {
  const std::string& trouble = courier().name_trouble();
  if (!trouble.empty()) chronicle_.warn(trouble + "; the notice goes by the usual rule");
}

void Supervisor::later_round(const Courier::Round& round) {
  meet_overseers(round.sent, round.waiting);
  tell_agents(round.agents);
  narrator_.delivered(round.sent);
  answers_.push_back(event::Relayed{.told = round.told,
                                    .waiting = !round.waiting.empty(),
                                    .agents_pending = round.agents_pending});
}

// Advice ends nobody, so no launcher does harm.
void Supervisor::meet_overseers(const Recipients& sent, const std::vector<ProcessEntry>& waiting) {
  if (run_.phase() != Phase::draining) return;
  std::vector<int> told;
  std::vector<int> held;
  for (const Recipient& recipient : sent) told.push_back(recipient.pid);
  for (const ProcessEntry& process : waiting) held.push_back(process.id.pid);
  std::erase(told, tree_->trainer_pid());
  const Overseers::Deeds deeds = overseers_.meet(told, held);
  for (const Overseers::Deed& deed : deeds) {
    cut_short_ = cut_short_ || deed.what == Overseers::Deed::What::no_more_work;
  }
  narrator_.overseen(deeds);
}

void Supervisor::tell_agents(const Recipients& stopped) {
  cut_short_ = cut_short_ || !stopped.empty();
  narrator_.agents_stopped(stopped);
}

void Supervisor::watch_overseers() {
  const bool saving = run_.saving(monotonic_now());
  // What it does then hides that a rank has left for the notice.
  if (!saving && overseers_.keep_somebody_still()) rank_left_ = true;
  narrator_.overseen(saving ? overseers_.advance() : overseers_.leave());
}

void Supervisor::act(const action::TellHang& hang) {
  narrator_.hung(hang, recipients_);
  tell_notice({.cause = "watchdog"});
  recipients_.clear();
}

void Supervisor::act(const action::Pass& pass) {
  const bool wakes = pass.signal == SIGCONT;
  // Slurm's CONT comes with its TERM, fg's with the whole group: a launcher that is kept still
  // stays.
  if (!wakes || !overseers_.keep_still(tree_->trainer_pid())) {
    tree_->pass(pass.signal, pass.payload, recipients_);
    narrator_.sent(pass.signal, "pass", recipients_);
  }
  if (wakes) overseers_.keep_still_again();
}

void Supervisor::act(const action::Climb& climb) {
  update_helpers();
  Recipients sent = tree_->climb(climb.signal, climb.whom);
  if (courier_ && climb.whom == action::Whom::who_catches_it) {
    for (const Recipient& newcomer : courier_->tell_newcomers()) sent.push_back(newcomer);
  }
  narrator_.climbed(climb.signal, sent, time_left());
}

void Supervisor::act(const action::EndStragglers&) {
  update_helpers();
  narrator_.stragglers(tree_->end_stragglers(), *plan_.policy.stragglers);
}

void Supervisor::act(const action::KillTree&) {
  std::optional<Nanos> after;
  if (run_.episode_at()) after = monotonic_now() - *run_.episode_at();
  update_helpers();
  const Recipients killed = tree_->kill();
  if (!killing_named_) narrator_.killed(killed, run_, after);
  killing_named_ = true;
  answers_.push_back(tree_->look());
}

void Supervisor::act(const action::LookAtTree&) {
  if (!tree_->childless()) update_helpers();
  answers_.push_back(tree_->look());
}

void Supervisor::act(const action::Finish&) { finished_ = true; }

}  // namespace pw
