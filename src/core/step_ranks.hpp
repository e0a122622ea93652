#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pw {

/// What Slurm tells a task of its step, as texts; they come from the environment and may be stale,
/// half set or nonsense.
struct StepRankWords {
  std::string rank;            ///< SLURM_PROCID
  std::string count;           ///< SLURM_STEP_NUM_TASKS
  std::string node;            ///< SLURM_NODEID, of the step
  std::string tasks_per_node;  ///< SLURM_STEP_TASKS_PER_NODE: "2(x3),1"
  std::string node_ranks;      ///< SLURM_GTIDS: "0,2,4", the ranks of this node
};

/// One task among the tasks of its step.
struct StepRanks {
  int rank = 0;
  int count = 1;
  std::vector<int> here;  ///< those of this node, ours too, ascending; empty: not known
  bool all_here() const { return static_cast<int>(here.size()) == count; }
};

/// Nothing: the step has one task, or what is told contradicts itself. Which ranks are here is only
/// believed where nothing contradicts it; --distribution may have put any rank on any node.
std::optional<StepRanks> step_ranks(const StepRankWords& words);

/// How many tasks the node has, and how many there are in all, of a text like "2(x3),1".
struct NodeTasks {
  std::int64_t here;
  std::int64_t all;
};
std::optional<NodeTasks> node_tasks(std::string_view tasks_per_node, std::int64_t node);

}  // namespace pw
