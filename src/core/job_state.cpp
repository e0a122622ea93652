#include "core/job_state.hpp"

#include <array>
#include <utility>

#include "core/number.hpp"

namespace pw {
namespace {

// The value of ` KEY=value `; the job's name, which may hold anything, comes before UserId.
std::optional<std::string_view> field(std::string_view line, std::string_view key) {
  const std::string word = " " + std::string(key) + "=";
  const auto at = line.find(word);
  if (at == std::string_view::npos) return {};
  const std::string_view value = line.substr(at + word.size());
  return value.substr(0, value.find(' '));
}

// "None", "Unknown" and the like are no times.
std::optional<std::int64_t> time_field(std::string_view line, std::string_view key) {
  const auto text = field(line, key);
  return text ? parse_number(*text) : std::nullopt;
}

JobState::Phase phase_of(std::string_view name) {
  using Phase = JobState::Phase;
  static constexpr std::array kPhases = std::to_array<std::pair<std::string_view, Phase>>({
      {"PENDING", Phase::pending},
      {"REQUEUED", Phase::pending},
      {"REQUEUE_HOLD", Phase::pending},
      {"SPECIAL_EXIT", Phase::pending},
      {"CONFIGURING", Phase::running},
      {"RUNNING", Phase::running},
      {"SIGNALING", Phase::running},
      {"STAGE_OUT", Phase::completing},
      {"SUSPENDED", Phase::suspended},
      {"STOPPED", Phase::suspended},
      {"COMPLETING", Phase::completing},
  });
  for (const auto& [word, phase] : kPhases) {
    if (word == name) return phase;
  }
  return Phase::over;
}

}  // namespace

Result<JobState> parse_job_state(std::string_view text) {
  std::string_view line = text.substr(0, text.find('\n'));
  if (!line.starts_with("JobId=")) return Error{"scontrol show job: no JobId", {}};
  const auto user = line.find(" UserId=");
  if (user != std::string_view::npos) line = line.substr(user);
  JobState job;
  const auto name = field(line, "JobState");
  if (!name || name->empty()) return Error{"scontrol show job: no JobState", {}};
  job.name = *name;
  job.phase = phase_of(*name);
  job.reason = field(line, "Reason").value_or("None");
  const auto restarts = time_field(line, "Restarts");
  if (!restarts) return Error{"scontrol show job: no Restarts", {}};
  job.restarts = *restarts;
  job.may_requeue = field(line, "Requeue").value_or("1") != "0";
  job.start = time_field(line, "StartTime");
  job.end = time_field(line, "EndTime");
  job.preempted = time_field(line, "PreemptTime");
  return job;
}

}  // namespace pw
