#include "verbs/supervisor.hpp"

#include <signal.h>
#include <unistd.h>

#include "config/environment.hpp"
#include "core/command_text.hpp"
#include "core/duration.hpp"
#include "core/profile.hpp"
#include "core/text.hpp"
#include "os/clock.hpp"
#include "os/loop.hpp"
#include "os/memory.hpp"
#include "os/reaper.hpp"
#include "verbs/budget.hpp"

namespace pw {
namespace {

constexpr Nanos kPidFileLastMoment = Seconds(1);
constexpr int kUnknownLeft = 1;  // somebody is there, without /proc nobody knows who

// Under these, what slurmstepd sends to all of a container reaches the trainer without us.
bool reaches_descendants(const SlurmJob& job, ProcessGroup group) {
  return job.conf.proctrack == Proctrack::linuxproc ||
         (job.conf.proctrack == Proctrack::pgid && group == ProcessGroup::shared);
}

// The terminal signals its whole foreground group, but a hang-up its session leader alone.
bool given_to_group(const CaughtSignal& caught) {
  const bool hang_up = caught.signal == SIGHUP || caught.signal == SIGCONT;
  return caught.code == SI_KERNEL && !(hang_up && getsid(0) == getpid());
}

}  // namespace

Supervisor::Supervisor(Plan plan, SignalFd signals, Chronicle& chronicle)
    : plan_(std::move(plan)),
      signals_(std::move(signals)),
      chronicle_(chronicle),
      narrator_(chronicle),
      hooks_(chronicle, plan_.settings.notice_file),
      voice_(chronicle),
      run_(plan_.policy),
      own_pid_(getpid()) {}

boost::system::result<ExitStatus, LaunchFailure> Supervisor::run() {
  if (plan_.settings.service) service_.emplace(environment_value("NOTIFY_SOCKET"));
  if (stopped_by_kill_switch()) return end_switched_off();
  if (plan_.settings.notice_before_end) watch_the_end();
  if (plan_.settings.cloud.kind != CloudSource::Kind::none) watch_the_cloud();
  // First: what comes before the wait ends it, too. What comes with its end is taken below.
  if (plan_.start.asked()) {
    if (const auto ended = wait_for_start()) return *ended;
  }
  while (const auto caught = finished_ ? std::nullopt : signals_.next()) take(*caught);
  if (!finished_) {
    voice_.open(plan_.settings, plan_.launch.environment);
    if (service_) speak_for_the_unit();
    const auto pid = launch(plan_.launch);
    if (!pid) {
      voice_.close();
      if (gate_) gate_->close();
      return pid.error();
    }
    begin(*pid);
  }
  while (!finished_) {
    correct_notice();
    chronicle_.flush();
    wait();
  }
  return finish();
}

// All that can wait until the trainer runs.
void Supervisor::begin(pid_t trainer) {
  if (plan_.pid_file != nullptr) plan_.pid_file->write(trainer);
  const std::vector<std::string>& command = plan_.launch.command;
  TrainerTree::Plan plan{.name = short_command_text(command),
                         .program = std::string(base_name(command[0])),
                         .launcher = std::string(launcher_called_python(command)),
                         .group = plan_.launch.group,
                         .audience = plan_.settings.to,
                         .foreign = plan_.foreign};
  const std::string job_id = plan_.job ? plan_.job->id : "";
  tree_.emplace(Child(trainer), std::move(plan), [this, job_id](int srun_pid, Signal signal) {
    auto step_signal = StepSignal::start(srun_pid, signal, job_id);
    if (step_signal) {
      step_signals_.push_back(std::move(*step_signal));
    } else {
      chronicle_.warn(step_signal.error().text() + "; the step was not told");
    }
  });
  overseers_.know(trainer, std::string(launcher_called_python(command)));
  started_ = monotonic_now();
  if (service_) tell_started();
  begin_own_limit();
  if (plan_.job && JobLook::is_ours(*plan_.job)) job_look_.emplace(*plan_.job, plan_.settings);
  if (plan_.settings.ready == ReadyWhen::later) ready_at_ = started_ + plan_.settings.ready_after;
  happen(event::TrainerStarted{});
  const Budget budget = plan_budget(plan_.settings, plan_.job);
  for (const std::string& warning : budget.warnings) chronicle_.warn(warning);
  narrator_.started({.command = command_text(command),
                     .pid = trainer,
                     .group = plan_.launch.group,
                     .budget = budget.sentence,
                     .profile = plan_.profile,
                     .profile_remark = plan_.profile_remark});
  chronicle_.flush();
  release_startup_pages();
}

void Supervisor::take(const CaughtSignal& caught) {
  if (caught.signal == SIGCHLD) return reap();
  if (plan_.deaf_to.contains(caught.signal)) return;
  if (const auto queued = queued_notice(caught.payload); queued && plan_.registration != nullptr) {
    return take_from_daemon(*queued);
  }
  const event::SignalCame came = judge_sender(caught);
  // A notice is dequeued before the SIGCHLD of a trainer that had ended before it came. Not so
  // where the trainer may have got it, too: then it may be what ended the trainer.
  const bool for_us_alone = came.cause == Cause::sent && !may_reach_trainer(caught);
  if (for_us_alone && plan_.policy.notices.contains(caught.signal) && tree_ &&
      tree_->trainer_has_ended()) {
    reap();
  }
  if (finished_) return narrator_.judged({caught.signal, Verdict::too_late}, caught, {}, {});
  if (in_batch_doubt(caught)) return settle_batch_term(caught);
  caught_ = caught;
  happen(came);
}

// In a batch script only what goes to the whole container reaches descendants; `scancel -b` and
// B:USR1 do not, and for USR1 there is nothing else. TERM needs a moment to be judged.
bool Supervisor::in_batch_doubt(const CaughtSignal& caught) {
  if (!tree_ || !may_reach_trainer(caught) || !plan_.job->step.empty()) return false;
  if (caught.signal == SIGCONT && batch_doubt_.cont_came(monotonic_now())) {
    settle_batch_term(batch_term_, Carrier::slurm);
  }
  return caught.signal == SIGTERM && plan_.policy.notices.contains(SIGTERM);
}

void Supervisor::settle_batch_term(const CaughtSignal& term, std::optional<Carrier> carrier) {
  if (!carrier) carrier = batch_doubt_.term_came(monotonic_now());
  if (!carrier) {
    batch_term_ = term;
    return;
  }
  caught_ = term;
  happen(event::SignalCame{.signal = SIGTERM, .payload = term.payload, .carrier = *carrier});
}

event::SignalCame Supervisor::judge_sender(const CaughtSignal& caught) const {
  event::SignalCame came{.signal = caught.signal, .payload = caught.payload};
  const bool shared = plan_.launch.group == ProcessGroup::shared;
  if (caught.sender == own_pid_) {
    came.cause = Cause::ourselves;
  } else if (plan_.terminal && shared && given_to_group(caught)) {
    came.cause = Cause::typed;
  } else if (tree_ && may_reach_trainer(caught) && !plan_.job->step.empty()) {
    came.carrier = Carrier::slurm;
  }
  return came;
}

bool Supervisor::may_reach_trainer(const CaughtSignal& caught) const {
  return plan_.job && plan_.job->stepd_above != 0 && plan_.job->stepd_above == caught.sender &&
         reaches_descendants(*plan_.job, plan_.launch.group);
}

// Each answer is the next event, until nobody asks any more; one step may ask twice.
void Supervisor::happen(const Event& event) {
  Event next = event;
  for (;;) {
    for (const Action& action : run_.step(monotonic_now(), next)) {
      std::visit([this](const auto& todo) { act(todo); }, action);
    }
    if (answers_.empty() || finished_) return;
    next = answers_.front();
    answers_.erase(answers_.begin());
  }
}

// Whose child has ended decides who reaps it; orphans that became ours are reaped here. All of them
// first: without any child left, the tree is gone and nobody needs to look for it.
void Supervisor::reap() {
  if (!tree_) return;
  reap_ended();
  if (trainer_ending_ && !std::exchange(trainer_ended_, true)) {
    // A TERM that waits to be judged came before this end, and may be what brought it.
    if (batch_doubt_.due()) {
      batch_doubt_.decide();
      settle_batch_term(batch_term_, Carrier::slurm);
    }
    return end_trainer();
  }
  const bool by_us = overseers_.keep_somebody_still();
  if (plan_.terminal && !trainer_ended_ && !by_us && tree_->trainer_has_stopped()) stop_as_well();
  happen(event::TreeChanged{});
}

// The shell waits for us: only if we stop does it show its prompt. Its fg continues our whole
// group.
void Supervisor::stop_as_well() {
  chronicle_.flush();
  raise(SIGSTOP);
}

void Supervisor::reap_ended() {
  for (pid_t pid = tree_->next_ended(); pid > 0; pid = tree_->next_ended()) {
    if (pid == tree_->trainer_pid() && !trainer_ending_) {
      trainer_ending_ = tree_->reap_trainer();
    } else if (is_helper(pid)) {
      advance_helpers();
    } else {
      reap_orphan(pid);
    }
  }
}

void Supervisor::end_trainer() {
  // Its number may be another's from now on.
  for (PidFile* file : {plan_.pid_file, plan_.registration}) {
    if (file != nullptr) file->remove();
  }
  if (gate_) gate_->close();
  const Instant now = monotonic_now();
  std::optional<Nanos> after;
  if (run_.episode_at()) after = now - *run_.episode_at();
  narrator_.trainer_ended(*trainer_ending_, run_.killed_trainer(), after);
  happen(event::TrainerEnded{*trainer_ending_});
}

bool Supervisor::is_helper(int pid) const {
  for (const StepSignal& step : step_signals_) {
    if (step.helper().id().pid == pid) return true;
  }
  for (const Helper* asker : askers()) {
    if (asker->id().pid == pid) return true;
  }
  return hooks_.owns(pid);
}

void Supervisor::advance_helpers() {
  hooks_.advance();
  advance_job();
  if (job_look_) look_at_job();
  if (end_watch_) end_watch_->hear();
  for (auto step = step_signals_.begin(); step != step_signals_.end();) {
    const auto over = step->advance();
    if (!over) {
      ++step;
      continue;
    }
    chronicle_.log(LogLevel::info, *over);
    chronicle_.journal("scancel", JournalRecord().add("text", *over));
    step = step_signals_.erase(step);
  }
}

int Supervisor::count_left_behind() {
  std::vector<ProcessEntry> left;
  if (!tree_->childless()) {
    update_helpers();
    left = tree_->living();
  }
  if (killing_named_) {
    for (const ProcessEntry& entry : left) narrator_.unkillable(entry);
  }
  const auto error = tree_->take_table_error();
  if (!error) return static_cast<int>(left.size());
  chronicle_.warn(error->text() + ": only the trainer and its process group could be reached");
  const int unseen = tree_->look().others == 0 ? 0 : kUnknownLeft;
  return std::max(static_cast<int>(left.size()), unseen);
}

ExitStatus Supervisor::finish() {
  narrator_.overseen(overseers_.leave());  // nobody stays stopped
  voice_.close();
  if (gate_) gate_->close();
  if (service_ && !tree_) service_->ready();  // a clean end also for a manager that waits for it
  if (service_) service_->stopping();
  RunFacts facts = run_.facts();
  if (!facts.in_episode && (told_below_us() || stopped_working(facts))) {
    facts.in_episode = facts.notice_relayed = true;
  }
  const int left_behind = tree_ ? count_left_behind() : 0;
  const bool asked = facts.in_episode || plan_.settings.requeue != RequeueMode::none;
  facts.work_done = asked && work_is_done();
  const bool told = plan_.settings.exit_preempted.has_value();
  const ZeroMeans zero_means =
      plan_.settings.exit_zero.value_or(told ? ZeroMeans::preempted : ZeroMeans::done);
  if (cloud_ && facts.in_episode) cloud_->saved();
  ExitStatus status = decide_exit_status(facts, plan_.settings.exit_preempted, zero_means);
  if (notice_withdrawn_ && status.outcome != Outcome::preempted) notice_ = {};
  narrator_.ended(status, run_, monotonic_now(), left_behind);
  if (hook_due_) run_notice_hook();
  wait_for_ranks(status.outcome);
  if (const auto code = requeue(facts, status)) status = {*code, 0, status.outcome};
  narrator_.over(status, left_behind);
  close(status);
  return status;
}

// An agent that was told to start no more work ends with 0, also where the notice was withdrawn.
bool Supervisor::stopped_working(const RunFacts& facts) const {
  const bool clean = facts.ending == Ending{Ending::Kind::exited, 0};
  return (rank_left_ || (cut_short_ && clean)) && !run_.hung() && !run_.cancelled();
}

// The last of every run, also of one that was never started.
void Supervisor::close(const ExitStatus& status) {
  hooks_.run("on-exit", plan_.settings.on_exit, notice_, status.status);
  while (hooks_.running() && !hooks_.all_given_up()) {
    chronicle_.flush();
    wait_for(signals_, {}, hooks_.next_limit());
    hooks_.advance();
  }
  for (PidFile* file : {plan_.pid_file, plan_.registration}) {
    if (file == nullptr) continue;
    file->close(monotonic_now() + kPidFileLastMoment);
    hear_pid_file(*file);
  }
  chronicle_.close();
}

}  // namespace pw
