#pragma once
#include <optional>
#include <vector>

#include "core/job_advice.hpp"
#include "slurm/environment.hpp"
#include "slurm/job_question.hpp"

namespace pw {

/// Looks once at the job's own options, a moment after the start of its first run, and says what
/// cannot work with them (core/job_advice). One process of a whole array does: the others would
/// only repeat it. A question that fails is no trouble of the run.
class JobLook {
 public:
  static bool is_ours(const SlurmJob& job);
  JobLook(const SlurmJob& job, const Settings& settings);

  /// Goes on as far as it can without blocking.
  std::vector<JobAdvice> advance();
  std::optional<Instant> wake() const;
  const Helper* helper() const;

 private:
  void ask_for_script();

  const SlurmJob& job_;
  const Settings& settings_;
  std::optional<Instant> due_;
  std::optional<JobQuestion> about_job_;
  std::optional<Question> about_script_;
  JobFacts facts_;
};

}  // namespace pw
