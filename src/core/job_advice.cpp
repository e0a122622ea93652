#include "core/job_advice.hpp"

namespace pw {

std::vector<JobAdvice> advise_on_job(const Settings& settings, const JobFacts& facts) {
  std::vector<JobAdvice> advice;
  const bool requeues = settings.requeue != RequeueMode::none;
  if (requeues && !facts.may_requeue) {
    advice.push_back({LogLevel::warning,
                      "the job may not be requeued (--no-requeue, or JobRequeue=0 without "
                      "--requeue): --requeue cannot bring it back"});
  }
  if (requeues && !facts.appends) {
    advice.push_back({LogLevel::warning,
                      "without sbatch --open-mode=append the next run overwrites this output"});
  }
  if (settings.notice_before_end && facts.signal == true) {
    advice.push_back({LogLevel::warning,
                      "the batch script has a --signal: where that comes first, up to a minute "
                      "early, it is the notice, and not --notice-before-end"});
  }
  if (facts.passes_us_by) {
    advice.push_back({LogLevel::warning,
                      "--signal=B: signals the batch script alone, which dies of it, and this step "
                      "gets TERM: leave out the B:, or write exec preempt-wrap ... srun ... in the "
                      "batch script"});
  }
  const bool told_in_time = settings.notice_before_end || settings.notices.empty();
  if (facts.has_end && !told_in_time && facts.signal == false) {
    advice.push_back({LogLevel::info,
                      "the batch script has no --signal: unless sbatch was given it, the first "
                      "notice of the time limit is its TERM, KillWait before SIGKILL "
                      "(--notice-before-end 90s gives one in time)"});
  }
  return advice;
}

}  // namespace pw
