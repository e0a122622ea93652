#include "verbs/job_look.hpp"

#include "config/environment.hpp"
#include "core/batch_options.hpp"
#include "os/clock.hpp"
#include "verbs/job_watch.hpp"

namespace pw {
namespace {

constexpr Nanos kAfterStart = Seconds(2);  // what ends before needs no advice

}  // namespace

bool JobLook::is_ours(const SlurmJob& job) {
  const std::string task = environment_value("SLURM_ARRAY_TASK_ID");
  const bool first = task.empty() || task == environment_value("SLURM_ARRAY_TASK_MIN");
  return first && job.rank == 0 && job.restarts == 0;
}

JobLook::JobLook(const SlurmJob& job, const Settings& settings)
    : job_(job), settings_(settings), due_(monotonic_now() + kAfterStart) {
  // "a" or "t", where --open-mode was given in any way (22.05.8, observed).
  const std::string mode = environment_value("SLURM_OPEN_MODE");
  facts_.appends = mode.empty() ? job.conf.appends : mode.starts_with('a');
}

std::vector<JobAdvice> JobLook::advance() {
  if (due_ && monotonic_now() >= *due_) {
    due_.reset();
    auto question = JobQuestion::start(job_.id, kQuestionLimit);
    if (question) about_job_ = std::move(*question);
  }
  if (about_job_) {
    const auto answer = about_job_->advance();
    if (!answer) return {};
    about_job_.reset();
    if (!*answer) return {};
    facts_.may_requeue = (*answer)->may_requeue;
    facts_.has_end = (*answer)->end.has_value();
    ask_for_script();
  }
  if (!about_script_) return {};
  const auto answer = about_script_->advance();
  if (!answer) return {};
  about_script_.reset();
  const std::string by_environment = environment_value("SBATCH_SIGNAL");
  // It counts instead of the script's.
  const std::string signal(!by_environment.empty() ? by_environment
                           : *answer               ? script_signal(**answer)
                                                   : "");
  if (*answer) facts_.signal = !signal.empty();
  facts_.passes_us_by = !job_.step.empty() && tells_batch_only(signal);
  return advise_on_job(settings_, facts_);
}

// "-" writes to standard output (20.02 and later). A job of salloc has none.
void JobLook::ask_for_script() {
  auto question = Question::start({"write", "batch_script", job_.id, "-"}, kQuestionLimit);
  if (question) about_script_ = std::move(*question);
}

std::optional<Instant> JobLook::wake() const {
  if (due_) return due_;
  if (about_job_) return about_job_->wake();
  if (about_script_) return about_script_->wake();
  return {};
}

const Helper* JobLook::helper() const {
  if (about_job_) return &about_job_->helper();
  return about_script_ ? &about_script_->helper() : nullptr;
}

}  // namespace pw
