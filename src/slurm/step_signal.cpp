#include "slurm/step_signal.hpp"

#include <unistd.h>

#include <array>

#include "config/environment.hpp"
#include "core/signal_name.hpp"
#include "core/step_list.hpp"
#include "os/clock.hpp"

namespace pw {
namespace {

constexpr Nanos kLimit = Seconds(10);

std::string host_name() {
  std::array<char, 256> name{};
  gethostname(name.data(), name.size() - 1);
  return name.data();
}

}  // namespace

Result<StepSignal> StepSignal::start(int srun_pid, Signal signal, std::string job_id) {
  PW_TRY(Question steps, Question::start({"show", "step"}, kLimit));
  return StepSignal(std::move(steps), srun_pid, signal, std::move(job_id));
}

std::optional<std::string> StepSignal::advance() {
  if (scancel_) return hear_scancel();
  const auto steps = steps_.advance();
  return steps ? send(*steps) : std::nullopt;
}

// scancel -s of a job reaches its steps, not the batch script.
std::optional<std::string> StepSignal::send(const Result<std::string>& steps) {
  const std::string host = host_name();
  const Srun srun{.host = host, .job_id = job_id_, .pid = srun_pid_};
  const auto found = steps ? scancel_target(*steps, srun) : std::nullopt;
  if (!found) doubt_ = steps ? "srun's step is not among them" : steps.error().text();
  target_ = found.value_or(job_id_);
  if (target_.empty()) return "the step of srun was not found (" + doubt_ + "); it was not told";
  auto next =
      Helper::start({"scancel", "--signal=" + signal_name(signal_), target_}, trainer_environment(),
                    Helper::Output::to_stderr, monotonic_now() + kLimit);
  if (!next) return next.error().text() + "; the step was not told";
  scancel_.emplace(std::move(*next));
  return {};
}

std::optional<std::string> StepSignal::hear_scancel() {
  scancel_->enforce_limit();
  const auto ending = scancel_->reap();
  if (!ending && !scancel_->given_up()) return {};
  const bool done = ending == Ending{Ending::Kind::exited, 0};
  return "scancel --signal=" + signal_name(signal_) + " " + target_ +
         (done ? "" : " failed; the step was not told") +
         (doubt_.empty() ? "" : " (all steps of the job: " + doubt_ + ")");
}

}  // namespace pw
