#pragma once
#include <optional>
#include <string>

#include "core/end_cause.hpp"
#include "core/job_deadline.hpp"
#include "os/signal_fd.hpp"
#include "slurm/environment.hpp"
#include "slurm/job_question.hpp"

namespace pw {

/// How long a question may take.
inline constexpr Nanos kQuestionLimit = Seconds(8);

/// What slurmctld says of our job from the first notice on: when it will KILL, and why. Called by
/// the Supervisor in its one loop; never on the way of a signal. One question at a time.
class JobWatch {
 public:
  explicit JobWatch(const SlurmJob& job) : job_(job) {}

  enum class Notice { fresh, repeated };  ///< whether it began something
  void heard(Signal signal, NoticeSource source, Notice notice, Instant now);
  /// Whether the answer may be a new one: not for the same signal over and over.
  bool worth_asking() const { return worth_asking_; }
  /// An error if nobody could be asked.
  Result<void> ask();

  struct News {
    std::optional<Deadline> deadline;
    bool final = false;  ///< a preemption: the run is being ended, however far away that is
    EndCause cause = EndCause::unknown;
    std::string trouble;  ///< no answer, and why
  };
  /// Once an answer: what is known by now.
  std::optional<News> advance();

  bool asking() const { return question_.has_value(); }
  std::optional<Instant> wake() const { return question_ ? question_->wake() : std::nullopt; }
  const Helper* helper() const { return question_ ? &question_->helper() : nullptr; }

  bool answered() const { return state_.has_value(); }  ///< once at least
  EndCause cause() const { return cause_; }
  bool running() const { return state_ && state_->phase == JobState::Phase::running; }
  /// EndTime as last seen within a preemption's grace.
  std::optional<std::int64_t> end_in_grace() const { return end_in_grace_; }

 private:
  Nanos kill_wait() const;
  Deadline kill_after_term(Instant now) const;

  const SlurmJob& job_;
  std::optional<JobQuestion> question_;
  bool worth_asking_ = false;
  Signal signal_ = 0;  // the notice that began what is going on
  NoticeSource source_ = NoticeSource::signal;
  std::optional<Instant> term_at_;  // the first TERM since the job was seen running
  Instant asked_at_{};
  std::optional<Instant> told_;  // the deadline as last told
  std::optional<JobState> state_;
  std::optional<std::int64_t> end_in_grace_;
  EndCause cause_ = EndCause::unknown;
};

/// Our clocks, at this moment.
ClockPair clock_pair();

/// The same question, waited for: at the end of a run. Signals that come meanwhile are dropped.
Result<JobState> ask_and_wait(const SlurmJob& job, Nanos limit, const SignalFd& signals);

}  // namespace pw
