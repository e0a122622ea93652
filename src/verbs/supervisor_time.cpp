// Notices that nobody sends: a time limit of our own, the job's end coming near, and the machine's.
#include <algorithm>

#include "config/environment.hpp"
#include "core/duration.hpp"
#include "os/clock.hpp"
#include "os/random.hpp"
#include "verbs/supervisor.hpp"

namespace pw {
namespace {

constexpr Nanos kArraySpread = Seconds(3);
constexpr Nanos kAfterKill = Seconds(5);  // hooks, and what else the end of a run takes
// For a trainer that starts after a wait; what its unit gives is not known here.
constexpr Nanos kStartAfterWait = std::chrono::minutes(5);

}  // namespace

void Supervisor::watch_the_end() {
  if (!plan_.job) {
    return chronicle_.warn("--notice-before-end: this is no Slurm job, so nobody knows of an end");
  }
  // All tasks of an array may start in this moment.
  const bool array = plan_.job->id.find('_') != std::string::npos;
  const auto spread = array ? Nanos(random_bits() % kArraySpread.count()) : Nanos(0);
  end_watch_.emplace(*plan_.job, *plan_.settings.notice_before_end,
                     apart_from_other_ranks() + spread);
}

void Supervisor::begin_own_limit() {
  if (const auto after = plan_.settings.notice_after) limit_at_ = started_ + *after;
}

std::optional<Instant> Supervisor::next_own_notice() const {
  std::optional<Instant> wake = limit_at_;
  const auto end = end_watch_ ? end_watch_->wake() : std::nullopt;
  wake = earlier(wake, end);
  const auto cloud = cloud_ ? cloud_->wake() : std::nullopt;
  wake = earlier(wake, cloud);
  return wake;
}

void Supervisor::advance_own_notices() {
  const Signal as = plan_.settings.notice_as;
  if (cloud_) hear_cloud();
  if (finished_) return;
  if (end_watch_) {
    const auto due = end_watch_->advance();
    if (const std::string trouble = end_watch_->take_trouble(); !trouble.empty()) {
      chronicle_.warn("--notice-before-end: " + trouble + "; it is asked again");
    }
    if (due) give_notice({.source = NoticeSource::job_end, .as = as, .told = *due});
  }
  if (finished_ || !limit_at_ || monotonic_now() < *limit_at_) return;
  limit_at_.reset();
  give_notice({.source = NoticeSource::own_limit, .as = as, .grace = kGraceElsewhere});
}

void Supervisor::watch_the_cloud() {
  cloud_.emplace(plan_.settings.cloud, chronicle_);
  cloud_->open();
}

void Supervisor::hear_cloud() {
  for (const CloudWatch::News& news : cloud_->hear()) {
    if (news.withdrawn) take_withdrawal(cloud_end_, daemon_end_);
    for (const CloudWatch::Notice& notice : news.notices) {
      if (finished_) return;
      take_from_cloud(notice);
    }
  }
}

void Supervisor::take_from_cloud(const CloudWatch::Notice& notice) {
  narrator_.of_cloud(notice.words);
  event::NoticeGiven given{.source = NoticeSource::cloud, .as = plan_.settings.notice_as};
  if (notice.end) {
    cloud_end_ = notice.end;
    given.told = Deadline{*notice.end, Certainty::fact, DeadlineSource::cloud};
  } else {
    given.advice = true;
  }
  const auto before = run_.kill_at();
  give_notice(given);
  if (before && run_.kill_at() && *run_.kill_at() < *before) {
    chronicle_.log(LogLevel::info, notice.words + ": the end comes nearer", time_left());
  }
}

// As if we had asked the cloud ourselves; which signal brought it means nothing.
void Supervisor::take_from_daemon(const QueuedNotice& notice) {
  if (notice.kind == QueuedNotice::Kind::withdrawn) {
    chronicle_.log(LogLevel::info, "preempt-wrap watch: the notice was withdrawn");
    chronicle_.journal("cloud-withdrawn", JournalRecord().add("cloud", "preempt-wrap watch"));
    return take_withdrawal(daemon_end_, cloud_end_);
  }
  narrator_.of_cloud("preempt-wrap watch");
  event::NoticeGiven given{.source = NoticeSource::cloud, .as = plan_.settings.notice_as};
  given.advice = notice.kind == QueuedNotice::Kind::advice;
  if (!given.advice) {
    daemon_end_ = monotonic_now() + notice.left;
    given.told = Deadline{*daemon_end_, Certainty::fact, DeadlineSource::cloud};
  }
  give_notice(given);
}

// Where the trainer has no socket of ours (--ready notify), it has none: only the main process
// speaks for a unit.
void Supervisor::speak_for_the_unit() {
  const std::string theirs = "NOTIFY_SOCKET=" + environment_value("NOTIFY_SOCKET");
  std::erase(plan_.launch.environment, theirs);
}

void Supervisor::tell_started() {
  if (plan_.settings.ready != ReadyWhen::told) service_->ready();
  if (tree_ && more_asked_) service_->extend(kStartAfterWait);
  service_->status(tree_ ? "training" : "waiting for its start");
}

// TimeoutStopSec of the unit is but the least: a stop lasts as long as the episode.
void Supervisor::tell_manager() {
  if (!service_ || !tree_) return;
  const auto kill_at = run_.kill_at();
  if (run_.phase() != Phase::draining) return service_->status("training");
  const Nanos left = kill_at ? *kill_at - monotonic_now() : plan_.policy.max_grace;
  service_->status(kill_at ? "saving, SIGKILL in " + spoken(left) : "saving");
  service_->extend(std::max(left, Nanos(0)) + kGiveUpAfter + kAfterKill);
}

void Supervisor::give_notice(const event::NoticeGiven& notice) {
  caught_ = {};
  happen(notice);
}

// With --register and --cloud two watch the machine: it stays when both say so.
void Supervisor::take_withdrawal(std::optional<Instant>& of, std::optional<Instant> stands) {
  of.reset();
  event::NoticeWithdrawn withdrawn;
  if (stands && monotonic_now() < *stands) {
    withdrawn.stands = Deadline{*stands, Certainty::fact, DeadlineSource::cloud};
  }
  if (run_.phase() != Phase::draining || trainer_ending_) return happen(withdrawn);
  caught_ = covered_term_.value_or(CaughtSignal{});  // which may be a notice of its own now
  told_anew_ = false;
  happen(withdrawn);
  if (finished_) return;
  const bool goes_on = run_.phase() == Phase::draining;
  if (goes_on) tell_that_it_goes_on();
  if (!told_anew_ && goes_on && !withdrawn.stands) learn_who_stands();
  if (!told_anew_ && !goes_on) forget_notice();
  if (!goes_on && end_watch_) end_watch_->again();
  tell_manager();
}

// Who waits for a handler waits no more.
void Supervisor::forget_notice() {
  narrator_.overseen(overseers_.meet({}, {}));
  tree_->set_waiting({});
  if (episode_source_ != NoticeSource::cloud) return;  // another's, which is advice now
  chronicle_.notices().take_back();
  notice_.deadline.reset();
  notice_withdrawn_ = true;
}

void Supervisor::tell_that_it_goes_on() {
  const auto kill_at = run_.kill_at();
  const std::string clock = kill_at ? "; SIGKILL in " + spoken(*kill_at - monotonic_now()) : "";
  chronicle_.log(LogLevel::info, "the run is still to end, by another's word" + clock);
}

// For the hooks and the notice file; the trainer is told nothing again.
void Supervisor::learn_who_stands() {
  if (const auto stands = std::exchange(covered_, {})) {
    episode_source_ = stands->source;
    notice_ = facts_for_hooks(stands->signal, stands->source);
    tell_notice({.signal = stands->source == NoticeSource::signal ? stands->signal : 0,
                 .cause = std::string(notice_.cause)});
  }
  const auto deadline = run_.deadline();
  notice_.deadline = deadline ? std::optional(deadline->at) : std::nullopt;
}

}  // namespace pw
