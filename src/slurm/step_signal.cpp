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

Result<Helper> start_helper(std::vector<std::string> command, Helper::Output output) {
  return Helper::start(std::move(command), trainer_environment(), output, monotonic_now() + kLimit);
}

std::string host_name() {
  std::array<char, 256> name{};
  gethostname(name.data(), name.size() - 1);
  return name.data();
}

}  // namespace

Result<StepSignal> StepSignal::start(int srun_pid, Signal signal, std::string job_id) {
  PW_TRY(Helper helper, start_helper({"scontrol", "show", "step"}, Helper::Output::captured));
  return StepSignal(std::move(helper), srun_pid, signal, std::move(job_id));
}

std::optional<std::string> StepSignal::advance() {
  if (monotonic_now() >= helper_.limit()) helper_.kill();
  if (helper_.output_fd() >= 0) helper_.read_output();
  const auto ending = helper_.reap();
  if (!ending) return {};
  if (stage_ == Stage::finding) return send();
  const bool done = *ending == Ending{Ending::Kind::exited, 0};
  return "scancel --signal=" + signal_name(signal_) + " " + target_ +
         (done ? "" : " failed; the step was not told");
}

// Without the step the whole job is told: scancel -s reaches its steps, not the batch script.
std::optional<std::string> StepSignal::send() {
  const std::string host = host_name();
  const Srun srun{.host = host, .job_id = job_id_, .pid = srun_pid_};
  target_ = scancel_target(helper_.output(), srun).value_or(job_id_);
  if (target_.empty()) return "the step of srun was not found; it was not told";
  auto next = start_helper({"scancel", "--signal=" + signal_name(signal_), target_},
                           Helper::Output::to_stderr);
  if (!next) return next.error().text() + "; the step was not told";
  helper_ = std::move(*next);
  stage_ = Stage::sending;
  return {};
}

}  // namespace pw
