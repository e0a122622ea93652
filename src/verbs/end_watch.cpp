#include "verbs/end_watch.hpp"

#include "os/clock.hpp"
#include "verbs/job_watch.hpp"

namespace pw {

EndWatch::EndWatch(const SlurmJob& job, Nanos before, Nanos apart)
    : job_(job), approach_(before, monotonic_now() + apart) {
  const Instant now = monotonic_now();
  if (job.end && *job.end > now) approach_.learn(job.end, now);
}

std::optional<Deadline> EndWatch::advance() {
  hear();
  const Instant now = monotonic_now();
  if (!question_ && approach_.wants_to_ask(now)) {
    approach_.asked();
    auto question = JobQuestion::start(job_.id, kQuestionLimit);
    if (question) {
      question_ = std::move(*question);
    } else {
      fail(question.error().text(), now);
    }
  }
  if (!approach_.take_due(now)) return {};
  const Nanos kill_wait = from_term_to_kill(job_.conf.kill_wait.value_or(Seconds(30)));
  return Deadline{*approach_.end() + kill_wait, Certainty::fact, DeadlineSource::slurmctld};
}

void EndWatch::hear() {
  if (!question_) return;
  const auto answer = question_->advance();
  if (!answer) return;
  question_.reset();
  const ClockPair ours = clock_pair();
  if (!*answer) return fail(answer->error().text(), ours.now);
  approach_.learn(end_of(**answer, job_.restarts, ours), ours.now);
}

void EndWatch::fail(const std::string& why, Instant now) {
  approach_.failed(now);
  if (!std::exchange(told_, true)) trouble_ = why;
}

std::optional<Instant> EndWatch::wake() const {
  auto wake = approach_.wake();
  if (question_ && (!wake || question_->wake() < *wake)) wake = question_->wake();
  return wake;
}

}  // namespace pw
