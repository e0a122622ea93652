#include "slurm/job_question.hpp"

#include "config/environment.hpp"
#include "os/clock.hpp"

namespace pw {
namespace {

// With it the times need neither a time zone nor a guess at the site's format.
constexpr Nanos kToDie = Seconds(2);
constexpr const char* kTimeFormat = "SLURM_TIME_FORMAT=";

}  // namespace

Result<JobQuestion> JobQuestion::start(const std::string& id, Nanos limit) {
  auto environment = trainer_environment();
  std::erase_if(environment,
                [](const std::string& entry) { return entry.starts_with(kTimeFormat); });
  environment.push_back(std::string(kTimeFormat) + "%s");
  PW_TRY(Helper helper, Helper::start({"scontrol", "show", "job", "-o", id}, std::move(environment),
                                      Helper::Output::captured, monotonic_now() + limit));
  return JobQuestion(std::move(helper));
}

Instant JobQuestion::wake() const { return helper_.limit() + (late_ ? kToDie : Nanos(0)); }

std::optional<Result<JobState>> JobQuestion::advance() {
  if (monotonic_now() >= helper_.limit() && !std::exchange(late_, true)) helper_.kill();
  if (helper_.output_fd() >= 0) helper_.read_output();
  const auto ending = helper_.reap();
  if (!ending && late_ && monotonic_now() >= wake()) {
    return Error{"scontrol show job did not answer, and cannot be killed", {}};
  }
  if (!ending) return {};
  if (late_) return Error{"scontrol show job did not answer in time", {}};
  if (*ending == Ending{Ending::Kind::exited, 0}) return parse_job_state(helper_.output());
  const bool exited = ending->kind == Ending::Kind::exited;
  return Error{"scontrol show job " + std::string(exited ? "exited " : "died of signal ") +
                   std::to_string(ending->number),
               {}};
}

}  // namespace pw
