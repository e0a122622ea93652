// What slurmctld says of our job, from the first notice to the requeue.
#include <signal.h>

#include <algorithm>

#include "core/duration.hpp"
#include "os/clock.hpp"
#include "os/far_file.hpp"
#include "os/loop.hpp"
#include "os/rank_wait.hpp"
#include "os/reaper.hpp"
#include "verbs/job_paths.hpp"
#include "verbs/requeuer.hpp"
#include "verbs/supervisor.hpp"

namespace pw {
namespace {

constexpr Nanos kHookWaits = Seconds(2);                    // for the cause
constexpr Nanos kBeforeKill = kQuestionLimit + Seconds(2);  // the last look before our SIGKILL
constexpr Nanos kBetweenLooks = Seconds(1);
constexpr Nanos kBetweenTries = Seconds(5);  // when many are preempted slurmctld has much to do
constexpr Nanos kAfterRelay = Millis(5);     // whoever was told has the processor first
constexpr Nanos kRankApart = Millis(5);      // slurmctld gets 200 questions a second of one step
constexpr Nanos kRanksMost = Seconds(5);
constexpr Nanos kDoneFileLimit = Seconds(10);
constexpr Nanos kLastMoment = Seconds(3);  // a requeue needs it before Slurm's SIGKILL
constexpr Nanos kRanksWithoutEnd = std::chrono::hours(1);  // no deadline: nobody is in a hurry
constexpr Nanos kLastQuestion = Seconds(10);
constexpr Nanos kParting = Seconds(2);

}  // namespace

// All ranks of a step ask in the same moment.
Nanos Supervisor::apart_from_other_ranks() const {
  return std::min<Nanos>(plan_.job->rank * kRankApart, kRanksMost);
}

// Who asks slurmctld for us at this moment.
std::vector<const Helper*> Supervisor::askers() const {
  std::vector<const Helper*> found;
  for (const Helper* asker :
       {job_watch_ ? job_watch_->helper() : nullptr, end_watch_ ? end_watch_->helper() : nullptr,
        job_look_ ? job_look_->helper() : nullptr}) {
    if (asker != nullptr) found.push_back(asker);
  }
  return found;
}

void Supervisor::look_at_job() {
  const auto advice = job_look_->advance();
  if (run_.facts().notice_relayed) return;  // it has been told in time or not
  for (const JobAdvice& line : advice) chronicle_.log(line.level, line.text);
}

// After the relay. Only notes it down: called while the state machine's actions are carried out, of
// which an answer would make new ones.
void Supervisor::ask_slurm(const action::Judge& judge, JobWatch::Notice notice) {
  if (!plan_.job || !tree_) return;
  if (!job_watch_) job_watch_.emplace(*plan_.job);
  job_watch_->heard(judge.signal, judge.source, notice, monotonic_now());
  if (!job_watch_->worth_asking()) return;
  ask_due_ = monotonic_now() + kAfterRelay + apart_from_other_ranks();
}

// A limit may have been extended, and Slurm looks at limits every 30 s: before our SIGKILL it is
// asked again, and while the job runs its own is KillWait away.
void Supervisor::advance_job() {
  if (hook_due_ && monotonic_now() >= *hook_due_) run_notice_hook();
  if (!job_watch_) return;
  if (const auto news = job_watch_->advance()) take_job_news(*news);
  if (!ask_due_ || job_watch_->asking() || monotonic_now() < *ask_due_) return;
  ask_due_.reset();
  if (const auto asked = job_watch_->ask(); !asked)
    take_job_news({.trouble = asked.error().text()});
}

void Supervisor::take_job_news(const JobWatch::News& news) {
  if (!news.trouble.empty() && std::exchange(told_trouble_, news.trouble) != news.trouble) {
    const bool matters = plan_.settings.requeue != RequeueMode::none;
    chronicle_.log(matters ? LogLevel::warning : LogLevel::info,
                   "Slurm was not heard: " + news.trouble);
  }
  if (news.deadline && plan_.settings.lead_known && run_.phase() == Phase::draining) {
    caught_ = covered_term_.value_or(CaughtSignal{});  // which may be a notice of its own now
    happen(event::DeadlineLearned{*news.deadline, news.final});
    if (run_.phase() == Phase::running && end_watch_) end_watch_->again();
  }
  const bool said = news.cause != EndCause::unknown || episode_source_ == NoticeSource::signal;
  if (said && std::exchange(told_cause_, news.cause) != news.cause) {
    narrator_.cause(cause_word(news.cause), time_left());
  }
  if (hook_due_) run_notice_hook();
  const auto kill_at = run_.kill_at();
  const bool by_grace = plan_.settings.ladder.grace.has_value();
  if (run_.phase() != Phase::draining || !kill_at || by_grace) return;
  const Nanos apart = apart_from_other_ranks();
  Instant again =
      monotonic_now() + (job_watch_->answered() ? kBetweenLooks : kBetweenTries) + apart;
  if (job_watch_->answered()) {
    if (!job_watch_->running() || (!news.deadline && news.trouble.empty())) return;
    again = std::max(again, *kill_at - kBeforeKill - apart);
  }
  // A notice that came meanwhile is asked about before.
  ask_due_ = std::min(ask_due_.value_or(Instant::max()), again);
}

void Supervisor::run_notice_hook() {
  hook_due_.reset();
  const auto deadline = run_.deadline();
  if (deadline) notice_.deadline = deadline->at;
  const bool ours = episode_source_ != NoticeSource::signal;
  const bool said = job_watch_ && job_watch_->cause() != EndCause::unknown;
  if (job_watch_ && (said || !ours)) notice_.cause = cause_word(job_watch_->cause());
  hooks_.run("on-notice", plan_.settings.on_notice, notice_);
}

// In Slurm it waits a moment to be told why.
void Supervisor::start_notice_hook() {
  if (plan_.settings.on_notice.empty()) return;
  if (!plan_.job || run_.hung() || run_.cancelled()) {
    return hooks_.run("on-notice", plan_.settings.on_notice, notice_);
  }
  if (!hook_due_) hook_due_ = monotonic_now() + kHookWaits;
}

bool Supervisor::work_is_done() {
  const std::string& path = plan_.settings.done_file;
  if (path.empty()) return false;
  const auto there = file_is_there(path, kDoneFileLimit);
  if (!there) chronicle_.warn("whether the done file " + path + " is there could not be seen");
  return there.value_or(false);
}

// With srun's --kill-on-bad-exit or --wait our exit status would end the others while they save,
// and so would a requeue. A rank that need not wait tells the others that it has ended, and leaves.
void Supervisor::wait_for_ranks(Outcome outcome) {
  const bool waits = plan_.settings.wait_ranks.has_value();
  const bool requeues = plan_.settings.requeue != RequeueMode::none;
  if (!tree_ || !plan_.job || !plan_.job->ranks || (!waits && !requeues)) return;
  const bool preempted = outcome == Outcome::preempted;
  if (run_.hung() || run_.cancelled() || (!preempted && !run_.episode_at())) return;
  const SlurmJob& job = *plan_.job;
  const Instant now = monotonic_now();
  const bool first = job.rank == 0 && requeues && preempted;
  Nanos most = plan_.settings.wait_ranks.value_or(Nanos(0));
  if (first) most = std::max<Nanos>(most, kRanksWithoutEnd);
  Instant limit = now + most;
  const auto withdrawn = run_.withdrawn_end();
  if (withdrawn && *withdrawn > now && !run_.episode_at()) limit = std::min(limit, *withdrawn);
  if (const auto deadline = run_.deadline()) {
    limit = std::min(limit, std::max(deadline->at - kLastMoment, now));
  }
  const auto folder = state_folder_for(plan_.settings);
  if (!folder) chronicle_.warn(folder.error().text() + "; ranks of other nodes are not seen");
  RankWait wait({.ranks = *job.ranks,
                 .state = folder ? *folder : "",
                 .step = step_name({job.cluster, job.id, job.restarts}, job.step),
                 .slurmstepd = job.slurmstepd,
                 .limit = limit});
  wait.open();
  bool told = false;
  while (wait.advance() == RankRoll::Verdict::waiting) {
    if (!std::exchange(told, true)) chronicle_.log(LogLevel::info, wait.text());
    std::vector<int> fds;
    if (wait.fd() >= 0) fds.push_back(wait.fd());
    chronicle_.flush();
    const auto caught = wait_for(signals_, fds, wait.wake());
    if (caught && caught->signal == SIGTERM) end_wait_for_ranks(wait);
  }
  for (const std::string& trouble : wait.troubles()) chronicle_.warn(trouble);
  wait.close(monotonic_now() + kParting);
}

// Slurm ends the job now, unless that TERM was only the begin of a grace.
void Supervisor::end_wait_for_ranks(RankWait& wait) {
  const Instant term = monotonic_now();
  const auto state = ask_and_wait(*plan_.job, kLastMoment, signals_);
  if (state && state->phase == JobState::Phase::running) return;
  const Nanos to_kill = from_term_to_kill(plan_.job->conf.kill_wait.value_or(Seconds(30)));
  last_term_ = term;
  wait.limit_to(std::min(wait.wake(), term + std::max(to_kill - kLastMoment, Nanos(0))));
}

// At the start of a preemption's grace Slurm tells the steps alone, not the batch script: a wrapper
// around srun learns nothing of the notice that ended its trainer (22.05.8, observed).
bool Supervisor::told_below_us() const {
  const bool batch = plan_.job && plan_.job->step.empty();
  if (!batch || !tree_ || run_.episode_at() || run_.hung() || run_.cancelled()) return false;
  if (!Requeuer::is_ours(plan_.settings, plan_.job)) return false;
  const auto job = ask_and_wait(*plan_.job, kLastQuestion, signals_);
  return job && job->phase == JobState::Phase::running && job->preempted.has_value();
}

void Supervisor::tell_why_it_stays_away() {
  if (plan_.settings.requeue != RequeueMode::none || !job_watch_) return;
  if (!job_watch_->running() || job_watch_->cause() != EndCause::time_limit) return;
  chronicle_.log(LogLevel::info,
                 "not requeued: --requeue is none (#SBATCH --requeue only allows a requeue)");
}

std::optional<int> Supervisor::requeue(const RunFacts& facts, const ExitStatus& status) {
  if (!Requeuer::is_ours(plan_.settings, plan_.job)) {
    if (status.outcome == Outcome::preempted) tell_why_it_stays_away();
    return {};
  }
  Requeuer::Run run{.facts = facts,
                    .preempted = status.outcome == Outcome::preempted && facts.typed.empty(),
                    .signal = notice_.signal,
                    .source = episode_source_};
  if (facts.ending.kind == Ending::Kind::never_started) run.signal = facts.ending.number;
  if (job_watch_) {
    run.at_notice = job_watch_->cause();
    run.end_in_grace = job_watch_->end_in_grace();
  }
  const Instant until = run_.episode_at().value_or(monotonic_now());
  if (tree_) run.ran = std::max(until - started_, Nanos(0));
  if (const auto deadline = run_.deadline()) run.deadline = deadline->at;
  if (last_term_) {
    const Instant kill =
        *last_term_ + from_term_to_kill(plan_.job->conf.kill_wait.value_or(Seconds(30)));
    run.deadline = run.deadline ? std::min(*run.deadline, kill) : kill;
  }
  return Requeuer(plan_.settings, *plan_.job, plan_.host, signals_, chronicle_).end(run);
}

}  // namespace pw
