#include "core/step_list.hpp"

#include <vector>

#include "core/number.hpp"
#include "core/text.hpp"

namespace pw {
namespace {

struct Step {
  std::string id;  // "812.0", "812_17.0", "812.batch"
  std::string host;
  std::int64_t srun_pid = 0;

  std::string job() const { return id.substr(0, id.find('.')); }
  bool numbered() const { return parse_number(id.substr(id.find('.') + 1)).has_value(); }
};

std::vector<Step> steps_in(std::string_view scontrol_output) {
  std::vector<Step> steps;
  for (const std::string_view line : split(scontrol_output, '\n')) {
    for (std::string_view word : split(line, ' ')) {
      word = trimmed(word);
      if (word.starts_with("StepId=")) steps.push_back({.id = std::string(word.substr(7))});
      if (!word.starts_with("SrunHost:Pid=") || steps.empty()) continue;
      const std::string_view value = word.substr(13);
      const auto colon = value.rfind(':');
      if (colon == std::string_view::npos) continue;
      steps.back().host = value.substr(0, colon);
      steps.back().srun_pid = parse_number(value.substr(colon + 1)).value_or(0);
    }
  }
  return steps;
}

// A short and a full host name may stand for the same machine.
bool same_host(std::string_view a, std::string_view b) {
  return a.substr(0, a.find('.')) == b.substr(0, b.find('.'));
}

}  // namespace

std::optional<std::string> scancel_target(std::string_view scontrol_output, const Srun& srun) {
  const std::vector<Step> steps = steps_in(scontrol_output);
  const Step* here = nullptr;
  const Step* of_our_job = nullptr;
  int found_in_job = 0;
  for (const Step& step : steps) {
    if (step.srun_pid != srun.pid) continue;
    if (same_host(step.host, srun.host)) here = &step;
    if (step.job() != srun.job_id) continue;
    of_our_job = &step;
    ++found_in_job;
  }
  const Step* found = here != nullptr ? here : found_in_job == 1 ? of_our_job : nullptr;
  if (found == nullptr) return {};
  int siblings = 0;
  for (const Step& step : steps) siblings += step.numbered() && step.job() == found->job() ? 1 : 0;
  return siblings == 1 ? found->job() : found->id;
}

}  // namespace pw
