#include "core/step_ranks.hpp"

#include <algorithm>
#include <numeric>

#include "core/number.hpp"
#include "core/text.hpp"

namespace pw {
namespace {

constexpr std::int64_t kRanksMax = 1'000'000;  // Slurm's own limits are below it

struct Run {
  std::int64_t tasks;
  std::int64_t nodes;
};

// "2(x3)", or "1" for one node.
std::optional<Run> run_in(std::string_view text) {
  std::int64_t nodes = 1;
  const auto open = text.find("(x");
  if (open != std::string_view::npos) {
    if (!text.ends_with(')')) return {};
    const auto repeated = parse_number(text.substr(open + 2, text.size() - open - 3));
    if (!repeated) return {};
    nodes = *repeated;
  }
  const auto tasks = parse_number(text.substr(0, open));
  if (!tasks || *tasks > kRanksMax || nodes < 1 || nodes > kRanksMax) return {};
  return Run{*tasks, nodes};
}

// Ascending, each once, all below `count`, `rank` among them; else none.
std::vector<int> ranks_in(std::string_view text, int rank, int count) {
  std::vector<int> ranks;
  for (const std::string_view item : split(text, ',')) {
    const auto number = parse_number(item);
    if (!number || *number >= count || static_cast<int>(ranks.size()) == count) return {};
    ranks.push_back(static_cast<int>(*number));
  }
  std::sort(ranks.begin(), ranks.end());
  const bool twice = std::adjacent_find(ranks.begin(), ranks.end()) != ranks.end();
  if (twice || !std::binary_search(ranks.begin(), ranks.end(), rank)) return {};
  return ranks;
}

}  // namespace

std::optional<NodeTasks> node_tasks(std::string_view tasks_per_node, std::int64_t node) {
  std::int64_t nodes = 0;
  std::int64_t all = 0;
  std::optional<std::int64_t> here;
  for (const std::string_view item : split(tasks_per_node, ',')) {
    const auto run = run_in(item);
    if (!run) return {};
    if (node >= nodes && node < nodes + run->nodes) here = run->tasks;
    nodes += run->nodes;
    all += run->tasks * run->nodes;
    if (nodes > kRanksMax || all > kRanksMax) return {};
  }
  if (!here) return {};
  return NodeTasks{*here, all};
}

std::optional<StepRanks> step_ranks(const StepRankWords& words) {
  const auto rank = parse_number(words.rank);
  const auto count = parse_number(words.count);
  if (!rank || !count || *count < 2 || *count > kRanksMax || *rank >= *count) return {};
  StepRanks ranks{.rank = static_cast<int>(*rank), .count = static_cast<int>(*count)};
  const auto node = parse_number(words.node);
  const auto tasks = node ? node_tasks(words.tasks_per_node, *node) : std::nullopt;
  // A step of a job has other numbers than the job; those of the job are no contradiction.
  const bool of_step = tasks && tasks->all == *count;
  if (of_step && tasks->here == *count) {
    ranks.here.resize(static_cast<std::size_t>(*count));
    std::iota(ranks.here.begin(), ranks.here.end(), 0);
    return ranks;
  }
  ranks.here = ranks_in(words.node_ranks, ranks.rank, ranks.count);
  const bool contradicted = of_step && tasks->here != static_cast<std::int64_t>(ranks.here.size());
  if (contradicted) ranks.here.clear();
  return ranks;
}

}  // namespace pw
