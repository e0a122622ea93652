#pragma once
#include <optional>

#include "core/time.hpp"

namespace pw {

/// --notice-before-end D: when to give the notice, and when to ask slurmctld again for the job's
/// end. A limit may be changed at any time, so it is asked at the start, each time when half of the
/// time that is left is over, and 10 s before it acts: 14 questions for a job of a day. A question
/// that fails leaves what was known: a notice too early loses less than none. Woken late the job
/// was suspended, which moves its end: it is asked again before it acts.
class EndApproach {
 public:
  EndApproach(Nanos before, Instant first_question) : before_(before), ask_at_(first_question) {}

  /// The answer at `now`; nothing: the job has no end, or none that makes sense.
  void learn(std::optional<Instant> end, Instant now);
  void failed(Instant now);
  void asked() {
    ask_at_.reset();
    pending_ = true;
  }
  /// The notice came too early, and was advice: there will be another.
  void again(Instant now);

  bool wants_to_ask(Instant now) const { return ask_at_ && now >= *ask_at_; }
  /// Once: the notice is to be given.
  bool take_due(Instant now);
  std::optional<Instant> wake() const;
  std::optional<Instant> end() const { return end_; }

 private:
  Nanos before_;
  std::optional<Instant> ask_at_;
  std::optional<Instant> end_;
  Instant heard_at_{};
  bool pending_ = false;    // asked, not answered yet
  bool overslept_ = false;  // nothing before the answer
  bool given_ = false;
};

}  // namespace pw
