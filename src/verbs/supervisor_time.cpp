// Notices that nobody sends: a time limit of our own, and the job's end coming near.
#include <algorithm>

#include "os/clock.hpp"
#include "os/random.hpp"
#include "verbs/supervisor.hpp"

namespace pw {
namespace {

constexpr Nanos kArraySpread = Seconds(3);

}  // namespace

void Supervisor::watch_the_end() {
  if (!plan_.settings.notice_before_end) return;
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
  if (end && (!wake || *end < *wake)) wake = end;
  return wake;
}

void Supervisor::advance_own_notices() {
  const Signal as = plan_.settings.notice_as;
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

void Supervisor::give_notice(const event::NoticeGiven& notice) {
  caught_ = {};
  source_ = notice.source;
  happen(notice);
  source_ = NoticeSource::signal;
}

}  // namespace pw
