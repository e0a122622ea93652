#include "verbs/requeuer.hpp"

#include <signal.h>

#include <algorithm>

#include "config/environment.hpp"
#include "core/duration.hpp"
#include "os/clock.hpp"
#include "os/loop.hpp"
#include "verbs/job_paths.hpp"
#include "verbs/job_watch.hpp"

namespace pw {
namespace {

constexpr Nanos kQuestion = Seconds(10);
constexpr Nanos kCall = Seconds(20);
constexpr int kTries = 3;
constexpr Nanos kBetween = Seconds(1);
constexpr Nanos kDisk = Seconds(5);
constexpr Nanos kBeyondDeadline = Seconds(60);
constexpr Nanos kLongestStay = std::chrono::minutes(15);

Instant bounded(Nanos limit, const std::optional<Instant>& deadline) {
  const Instant now = monotonic_now();
  if (!deadline) return now + limit;
  return std::max(std::min(now + limit, *deadline - Millis(500)), now + Seconds(1));
}

// Who waits for the job to come back wants to know why it does not.
std::string_view done_in_episode(const Requeuer::Run& run) {
  if (!run.facts.in_episode) return "";
  if (run.facts.work_done) return "the work is done: --done-file is there";
  return "the trainer exited 0, which counts as done (--exit-preempted 85 where it means "
         "\"saved\")";
}

}  // namespace

Requeuer::Requeuer(const Settings& settings, const SlurmJob& job, const std::string& host,
                   const SignalFd& signals, Chronicle& chronicle)
    : settings_(settings), job_(job), host_(host), signals_(signals), chronicle_(chronicle) {}

std::optional<int> Requeuer::end(const Run& run) {
  deadline_ = run.deadline;
  facts_ = {.mode = settings_.requeue,
            .preempted = run.preempted,
            .work_done = run.facts.work_done,
            .signal = run.signal,
            .source = run.source,
            .at_notice = run.at_notice,
            .preemption_requeues = job_.conf.preemption_requeues,
            .has_grace = job_.conf.grace_time.value_or(Nanos(0)) > Nanos(0),
            .exit_code = settings_.requeue_exit ? settings_.requeue_exit : job_.conf.requeue_exit,
            .exit_is_the_jobs = job_.step.empty() && job_.slurmstepd != 0};
  if (run.facts.work_done || !run.preempted) {
    const std::string_view why = done_in_episode(run);
    return why.empty() ? std::nullopt : tell({RequeueDecision::Do::nothing, std::string(why)});
  }
  judge_loop(run);
  ask(run);
  return carry_out(decide_requeue(facts_), run);
}

void Requeuer::judge_loop(const Run& run) {
  GuardedRun guarded{.restarts = job_.restarts, .ran = run.ran};
  if (run.facts.ending.kind == Ending::Kind::exited) guarded.exit_code = run.facts.ending.number;
  const auto folder = state_folder_for(settings_);
  std::optional<RequeueHistory> history;
  if (folder) {
    auto keeper = RequeueKeeper::start({.state = *folder,
                                        .run = {job_.cluster, job_.id, job_.restarts},
                                        .host = host_,
                                        .progress_file = settings_.progress_file,
                                        .kill_switch = settings_.kill_switch});
    if (keeper) keeper_.emplace(std::move(*keeper));
    if (!keeper) chronicle_.warn(keeper.error().text());
  } else {
    chronicle_.warn(folder.error().text() + "; requeues are not counted");
  }
  if (const auto looked = kept(RequeueKeeper::Order::look)) {
    history = looked->history;
    guarded.progress = looked->progress;
    guarded.kill_switch = looked->kill_switch;
  }
  const LoopVerdict verdict = pw::judge_loop(history, guarded,
                                             {.max_requeues = settings_.max_requeues,
                                              .min_runtime = settings_.min_runtime,
                                              .final_exits = settings_.final_exits,
                                              .kill_switch = settings_.kill_switch,
                                              .counts_progress = !settings_.progress_file.empty()});
  if (verdict.allowed) count_ = verdict.text;
  if (!verdict.allowed) facts_.refusal = verdict.text;
  if (!keeper_) return;
  keeper_->note(verdict.history);
  kept(RequeueKeeper::Order::note);
}

// Of a job that waits it is a guess at the next run's.
std::optional<Nanos> Requeuer::job_began() const {
  const auto& job = facts_.job;
  if (!job || !job->start || job->phase == JobState::Phase::pending) return {};
  return Seconds(*job->start);
}

// What the disk does not say in time is as if there were none of it.
std::optional<RequeueKeeper::Answer> Requeuer::kept(RequeueKeeper::Order order) {
  if (!keeper_) return {};
  if (order == RequeueKeeper::Order::look) keeper_->look();
  if (order == RequeueKeeper::Order::claim) keeper_->claim(job_began());
  if (order == RequeueKeeper::Order::done) keeper_->done();
  if (order == RequeueKeeper::Order::withdraw) keeper_->withdraw();
  const auto answer = keeper_->answer(bounded(kDisk, deadline_));
  if (!answer) {
    chronicle_.warn("the state folder does not answer; nothing is kept of this requeue");
    keeper_.reset();
    return {};
  }
  if (!answer->trouble.empty()) chronicle_.warn(answer->trouble);
  return answer;
}

void Requeuer::ask(const Run& run) {
  facts_.job.reset();
  facts_.now = EndCause::unknown;
  const auto answer = ask_and_wait(job_, bounded(kQuestion, deadline_) - monotonic_now(), signals_);
  if (!answer) return chronicle_.warn(answer.error().text());
  facts_.job = *answer;
  facts_.now = cause_of({.signal = run.signal,
                         .source = run.source,
                         .restarts = job_.restarts,
                         .now = wall_now().tv_sec,
                         .job = facts_.job,
                         .end_in_grace = run.end_in_grace});
}

std::optional<int> Requeuer::carry_out(const RequeueDecision& decision, const Run& run) {
  switch (decision.what) {
    case RequeueDecision::Do::call:
      if (!claim()) return {};
      return carry_out(call(run), run);
    case RequeueDecision::Do::linger: linger(); return tell(decision);
    default: return tell(decision);
  }
}

// Without a marker scontrol's own answer still tells whether somebody was first.
bool Requeuer::claim() {
  const auto answer = kept(RequeueKeeper::Order::claim);
  if (!answer || !answer->claimed || *answer->claimed == RequeueMarker::Claimed::ours) return true;
  const bool done = *answer->claimed == RequeueMarker::Claimed::done_already;
  tell({RequeueDecision::Do::theirs, (answer->owner.empty() ? "another process" : answer->owner) +
                                         (done ? " has requeued it" : " requeues it")});
  return false;
}

RequeueDecision Requeuer::call(const Run& run) {
  std::string trouble;
  for (int tries = 0; tries < kTries; ++tries) {
    if (tries > 0) {
      const Instant again = monotonic_now() + kBetween;
      if (deadline_ && again > *deadline_ - kBetween) break;
      while (monotonic_now() < again) wait_for(signals_, {}, again);
    }
    const auto failed = call_once();
    if (!failed) {
      kept(RequeueKeeper::Order::done);
      chronicle_.log(LogLevel::info, "requeued " + job_.id + " (" + count_ + ")");
      chronicle_.journal("requeue", JournalRecord()
                                        .add("result", "requeued")
                                        .add("by", "scontrol")
                                        .add("count", count_)
                                        .add("cause", cause_word(known_cause(facts_))));
      return {};
    }
    trouble = *failed;
    // Refused, because somebody was first?
    ask(run);
    if (facts_.now == EndCause::cancel || facts_.now == EndCause::requeue) break;
  }
  kept(RequeueKeeper::Order::withdraw);
  const RequeueDecision again = decide_requeue(facts_);
  if (again.what != RequeueDecision::Do::call) return again;
  return decide_without_scontrol(facts_, trouble);
}

// What it says itself, it says on our standard error.
std::optional<std::string> Requeuer::call_once() {
  auto helper = Helper::start({"scontrol", "requeue", job_.id}, trainer_environment(),
                              Helper::Output::to_stderr, bounded(kCall, deadline_));
  if (!helper) return helper.error().text();
  for (;;) {
    if (const auto ending = helper->reap()) {
      if (helper->killed()) return "scontrol requeue did not answer in time";
      if (*ending == Ending{Ending::Kind::exited, 0}) return {};
      const bool exited = ending->kind == Ending::Kind::exited;
      return "scontrol requeue " + std::string(exited ? "exited " : "died of signal ") +
             std::to_string(ending->number);
    }
    if (helper->given_up()) return "scontrol requeue did not answer, and cannot be killed";
    wait_for(signals_, {}, helper->wake());
    helper->enforce_limit();
  }
}

// Slurm's next TERM is the end of the grace: it has decided by then.
void Requeuer::linger() {
  const Instant now = monotonic_now();
  const Instant until =
      deadline_ ? std::max(*deadline_, now) + kBeyondDeadline : now + kLongestStay;
  chronicle_.log(LogLevel::info,
                 "staying until Slurm ends the job, at most " + spoken(until - now));
  while (monotonic_now() < until) {
    chronicle_.flush();
    const auto caught = wait_for(signals_, {}, until);
    if (caught && caught->signal == SIGTERM) return;
  }
}

std::optional<int> Requeuer::tell(const RequeueDecision& decision) {
  using Do = RequeueDecision::Do;
  if (decision.what == Do::nothing && decision.why.empty()) return {};
  const bool comes_back = decision.what != Do::nothing;
  std::string line = comes_back ? "left to Slurm's own requeue of " + job_.id : "not requeued";
  if (decision.what == Do::leave) line = "requeued " + job_.id + " (" + count_ + ")";
  chronicle_.log(LogLevel::info, line + ": " + decision.why);
  chronicle_.journal("requeue", JournalRecord()
                                    .add("result", decision.what == Do::leave ? "requeued"
                                                   : comes_back               ? "by-slurm"
                                                                              : "no")
                                    .add("why", decision.why)
                                    .add("cause", cause_word(known_cause(facts_))));
  if (decision.what != Do::leave) return {};
  return facts_.exit_code;
}

}  // namespace pw
