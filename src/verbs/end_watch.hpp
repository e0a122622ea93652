#pragma once
#include <optional>
#include <string>

#include "core/deadline.hpp"
#include "core/end_approach.hpp"
#include "slurm/environment.hpp"
#include "slurm/job_question.hpp"

namespace pw {

/// --notice-before-end: asks slurmctld for the job's end when core/end_approach says so, beside the
/// loop, and says when the notice is due. Called by the Supervisor; never on the way of a signal.
class EndWatch {
 public:
  /// `apart`: from the other ranks and tasks that start in the same moment.
  EndWatch(const SlurmJob& job, Nanos before, Nanos apart);

  /// Takes an answer, if there is one.
  void hear();
  /// Goes on as far as it can without blocking; once, when the notice is due: Slurm's SIGKILL.
  std::optional<Deadline> advance();
  /// The notice was advice after all.
  void again();
  std::optional<Instant> wake() const;
  const Helper* helper() const { return question_ ? &question_->helper() : nullptr; }

  /// Why nobody knows of an end; once.
  std::string take_trouble() { return std::exchange(trouble_, {}); }

 private:
  void ask(Instant now);
  void fail(const std::string& why, Instant now);

  const SlurmJob& job_;
  EndApproach approach_;
  std::optional<JobQuestion> question_;
  std::string trouble_;
  bool told_ = false;
};

}  // namespace pw
