#include "core/targets.hpp"

#include <algorithm>

namespace pw {
namespace {

// Deeper than any real tree: a table that changed while it was read may show a ring.
constexpr int kDepthMax = 64;

bool contains(std::span<const ProcessId> ids, const ProcessId& id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
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
  if (takes_for_those_below(process.name)) {
    search.found.targets.push_back(process);
    return true;
  }
  const auto state = search.view.signals(process, search.signal);
  if (!state) return false;
  const Handling handling = handling_of(*state, search.signal, given_);
  const bool handles = handling == Handling::caught || handling == Handling::blocked;
  const bool runtime = has_runtime_handlers(*state);
  if (runtime && above == Above::a_program) return false;
  const bool passed_by = transparent_.contains(process.name) || runtime;
  if (handles && !passed_by && able_(process, handling)) {
    search.found.targets.push_back(process);
    return true;
  }
  const auto children = search.view.children(process.id.pid);
  const bool alone = children.empty();
  if (handles && runtime && alone && !transparent_.contains(process.name)) {
    search.found.targets.push_back(process);
    return true;
  }
  const std::size_t begin = search.found.branches.size();
  bool somebody = false;
  for (const ProcessEntry& child : children) {
    const Above next = passed_by ? above : Above::a_program;
    somebody = visit(search, child, next, depth + 1) || somebody;
  }
  if (somebody) return true;
  Branch branch{process, {process}, {}, {}};
  if (!passed_by) branch.nearest.push_back(process);
  const auto first = search.found.branches.begin() + static_cast<std::ptrdiff_t>(begin);
  for (auto below = first; below != search.found.branches.end(); ++below) {
    branch.members.insert(branch.members.end(), below->members.begin(), below->members.end());
    if (passed_by) {
      branch.nearest.insert(branch.nearest.end(), below->nearest.begin(), below->nearest.end());
    }
    if (!branch.own_handler) branch.own_handler = below->own_handler;
  }
  if (!branch.own_handler && passed_by && handling == Handling::caught) {
    branch.own_handler = process;
  }
  search.found.branches.erase(first, search.found.branches.end());
  search.found.branches.push_back(std::move(branch));
  return false;
}

}  // namespace pw
