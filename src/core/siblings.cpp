#include "core/siblings.hpp"

#include <algorithm>

namespace pw {
namespace {

constexpr const char* kStepd = "slurmstepd";

// A nested wrapper's name is ours, too, so the look goes on below it.
bool has_work(std::span<const ProcessEntry> table, const ProcessEntry& task,
              const std::string& wrapper) {
  if (task.name != wrapper) return task.alive();
  const auto below = living_descendants(table, task.id.pid, {});
  return std::any_of(below.begin(), below.end(),
                     [&](const ProcessEntry& entry) { return entry.name != wrapper; });
}

}  // namespace

std::vector<ProcessId> working_siblings(std::span<const ProcessEntry> table, int slurmstepd,
                                        const ProcessEntry& wrapper) {
  std::vector<ProcessId> working;
  for (const ProcessEntry& task : table) {
    const bool sibling = task.parent == slurmstepd && task.id != wrapper.id && task.name != kStepd;
    if (sibling && task.alive() && has_work(table, task, wrapper.name)) working.push_back(task.id);
  }
  return working;
}

}  // namespace pw
