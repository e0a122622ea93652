#include "core/targets.hpp"

#include <algorithm>

#include "core/agent_rule.hpp"
#include "core/launcher.hpp"

namespace pw {
namespace {

// Deeper than any real tree: a table that changed while it was read may show a ring.
constexpr int kDepthMax = 64;

bool contains(std::span<const ProcessId> ids, const ProcessId& id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

// The branch of `root`, grown from those below it.
Branch grown(const ProcessEntry& root, std::vector<Branch> below, bool passed_by, bool has_trap) {
  Branch branch{root, {root}, {}, {}};
  if (!passed_by) branch.nearest.push_back(root);
  for (const Branch& part : below) {
    branch.members.insert(branch.members.end(), part.members.begin(), part.members.end());
    if (passed_by) {
      branch.nearest.insert(branch.nearest.end(), part.nearest.begin(), part.nearest.end());
    }
    if (!branch.own_handler) branch.own_handler = part.own_handler;
  }
  if (!branch.own_handler && has_trap) branch.own_handler = root;
  return branch;
}

// They are reached through their mpirun only.
bool has_ranks_elsewhere(TreeView& view, const ProcessEntry& process) {
  if (!is_mpi_launcher(process.name)) return false;
  const auto children = view.children(process.id.pid);
  return std::any_of(children.begin(), children.end(),
                     [](const ProcessEntry& child) { return reaches_another_machine(child.name); });
}

}  // namespace

// The branches grow from the leaves: `open` are those found below the process that is visited, and
// it makes one of them and itself if none of its children has a target.
struct TargetRule::Search {
  TreeView& view;
  Signal signal;
  std::span<const ProcessId> told;
  Frontier found;
};

Frontier TargetRule::frontier(TreeView& view, std::span<const ProcessEntry> roots, Signal signal,
                              std::span<const ProcessId> told) const {
  Search search{view, signal, told, {}};
  for (const ProcessEntry& root : roots) visit(search, root, Above::only_transparent, 0);
  return std::move(search.found);
}

// Returns whether somebody at or below `process` gets the signal, or has got it.
bool TargetRule::visit(Search& search, const ProcessEntry& process, Above above, int depth) const {
  if (contains(search.told, process.id)) return true;
  if (depth > kDepthMax || is_bystander(process.name)) return false;
  const auto is_target = [&] {
    search.found.targets.push_back(process);
    return true;
  };
  if (takes_for_those_below(process.name) || has_ranks_elsewhere(search.view, process)) {
    return is_target();
  }
  const auto state = search.view.signals(process, search.signal);
  if (!state) return false;
  const Handling handling = handling_of(*state, search.signal, given_);
  const bool alone = extent_ == Extent::root_alone;
  const bool agent = !alone && is_agent(process);
  if (agent) search.found.agents.push_back(process);
  const bool named = !alone && (agent || transparent_.contains(process.name));
  const bool runtime = !alone && !agent && has_runtime_handlers(*state);
  const bool acts = handling == Handling::caught || handling == Handling::blocked;
  if (acts && !named && !runtime && able_(process, handling)) return is_target();
  std::vector<ProcessEntry> children;
  if (agent) {
    children = runs_of_agent(search.view, process);
  } else if (!alone) {
    children = search.view.children(process.id.pid);
  }
  const bool helper = runtime && above == Above::a_program;
  if (acts && !named && runtime && !helper && children.empty()) return is_target();

  const bool passed_by = named || runtime;
  const std::size_t before = search.found.branches.size();
  bool somebody = false;
  for (const ProcessEntry& child : children) {
    const Above next = passed_by ? above : Above::a_program;
    somebody = visit(search, child, next, depth + 1) || somebody;
  }
  if (somebody && !helper) return true;
  std::vector<Branch> below(search.found.branches.begin() + static_cast<std::ptrdiff_t>(before),
                            search.found.branches.end());
  search.found.branches.resize(before);
  if (helper) return somebody;
  search.found.branches.push_back(grown(process, std::move(below), passed_by,
                                        passed_by && !agent && handling == Handling::caught));
  return false;
}

}  // namespace pw
