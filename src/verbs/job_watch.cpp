#include "verbs/job_watch.hpp"

#include <signal.h>

#include <vector>

#include "os/clock.hpp"
#include "os/loop.hpp"

namespace pw {
namespace {

constexpr Nanos kSame = Millis(1500);  // slurmctld's times are whole seconds, ours are not

}  // namespace

void JobWatch::heard(Signal signal, NoticeSource source, Notice notice, Instant now) {
  const bool fresh = notice == Notice::fresh || signal_ == 0;
  if (fresh) {
    signal_ = signal;
    source_ = source;
  }
  const bool ending = state_ && !running();
  const bool new_term = signal == SIGTERM && source == NoticeSource::signal && !term_at_;
  if (new_term) term_at_ = now;
  worth_asking_ = fresh || (new_term && !ending);
}

Result<void> JobWatch::ask() {
  worth_asking_ = false;
  asked_at_ = monotonic_now();
  PW_TRY(JobQuestion question, JobQuestion::start(job_.id, kQuestionLimit));
  question_ = std::move(question);
  return {};
}

Nanos JobWatch::kill_wait() const { return job_.conf.kill_wait.value_or(Seconds(30)); }

Deadline JobWatch::kill_after_term(Instant now) const {
  return {now + from_term_to_kill(kill_wait()), Certainty::fact, DeadlineSource::slurmctld};
}

std::optional<JobWatch::News> JobWatch::advance() {
  if (!question_) return {};
  const auto answer = question_->advance();
  if (!answer) return {};
  question_.reset();
  News news;
  const Instant now = monotonic_now();
  if (*answer) {
    state_ = **answer;
    const ClockPair clocks = clock_pair();
    const bool running = state_->phase == JobState::Phase::running;
    if (running && state_->preempted) end_in_grace_ = state_->end;
    // What came before this answer was no end.
    if (running && term_at_ && *term_at_ <= asked_at_) term_at_.reset();
    cause_ = cause_of({.signal = signal_,
                       .source = source_,
                       .restarts = job_.restarts,
                       .now = clocks.wall,
                       .job = state_,
                       .end_in_grace = end_in_grace_});
    // A TERM that came after the question may be Slurm's own: then this RUNNING is of before it.
    const bool outdated = running && term_at_.has_value();
    if (!outdated) {
      news.deadline = deadline_of(*state_, job_.restarts, clocks, kill_wait(), term_at_);
    }
    news.final = cause_ == EndCause::preemption;
    if (news.deadline && told_ && std::chrono::abs(news.deadline->at - *told_) < kSame) {
      news.deadline->at = *told_;
    }
    if (news.deadline) told_ = news.deadline->at;
  } else {
    news.trouble = answer->error().text();
    // Its TERM would have reached us.
    if (running() && told_ && !term_at_ && job_.slurmstepd != 0) {
      news.deadline = kill_after_term(now);
      told_ = news.deadline->at = std::max(news.deadline->at, *told_);
    }
  }
  news.cause = cause_;
  return news;
}

ClockPair clock_pair() {
  const timespec wall = wall_now();
  return {monotonic_now(), wall.tv_sec, Nanos(wall.tv_nsec)};
}

Result<JobState> ask_and_wait(const SlurmJob& job, Nanos limit, const SignalFd& signals) {
  PW_TRY(JobQuestion question, JobQuestion::start(job.id, limit));
  for (;;) {
    if (auto answer = question.advance()) return *answer;
    std::vector<int> fds;
    if (question.helper().output_fd() >= 0) fds.push_back(question.helper().output_fd());
    wait_for(signals, fds, question.wake());
  }
}

}  // namespace pw
