#include "verbs/end_watch.hpp"

#include "os/clock.hpp"
#include "verbs/job_watch.hpp"

namespace pw {

EndWatch::EndWatch(const SlurmJob& job, Nanos before, Nanos apart)
    : job_(job), approach_(before, monotonic_now() + apart) {}

std::optional<Deadline> EndWatch::advance() {
  hear();
  const Instant now = monotonic_now();
  const bool due = approach_.take_due(now);
  if (!question_ && approach_.wants_to_ask(now)) ask(now);
  if (!due) return {};
  const Nanos kill_wait = from_term_to_kill(job_.conf.kill_wait.value_or(Seconds(30)));
  // The notice's own question tells the fact.
  return Deadline{*approach_.end() + kill_wait, Certainty::guess, DeadlineSource::slurmctld};
}

void EndWatch::ask(Instant now) {
  approach_.asked();
  auto question = JobQuestion::start(job_.id, kQuestionLimit);
  if (question) {
    question_ = std::move(*question);
  } else {
    fail(question.error().text(), now);
  }
}

void EndWatch::again() { approach_.again(monotonic_now()); }

void EndWatch::hear() {
  if (!question_) return;
  const auto answer = question_->advance();
  if (!answer) return;
  question_.reset();
  const ClockPair ours = clock_pair();
  if (!*answer) return fail(answer->error().text(), ours.now);
  const bool runs = (*answer)->phase == JobState::Phase::running;
  if (!runs) return approach_.failed(ours.now);  // suspended: it goes on with another end
  approach_.learn(end_of(**answer, job_.restarts, ours), ours.now);
}

void EndWatch::fail(const std::string& why, Instant now) {
  // Stale after a change, but better than none.
  if (!approach_.end() && job_.end && *job_.end > now) approach_.learn(job_.end, now);
  approach_.failed(now);
  if (!std::exchange(told_, true)) trouble_ = why;
}

std::optional<Instant> EndWatch::wake() const {
  return earlier(approach_.wake(), question_ ? question_->wake() : std::nullopt);
}

}  // namespace pw
