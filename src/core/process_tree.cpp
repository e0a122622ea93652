#include "core/process_tree.hpp"

#include <algorithm>
#include <unordered_map>

namespace pw {

std::vector<ProcessEntry> living_descendants(std::span<const ProcessEntry> table, int root,
                                             std::span<const ProcessId> excluded) {
  std::unordered_multimap<int, const ProcessEntry*> children;
  children.reserve(table.size());
  for (const ProcessEntry& entry : table) {
    if (entry.id.pid != entry.parent) children.emplace(entry.parent, &entry);
  }
  std::vector<ProcessEntry> found;
  std::vector<int> parents{root};
  while (!parents.empty()) {
    const int parent = parents.back();
    parents.pop_back();
    const auto [begin, end] = children.equal_range(parent);
    for (auto child = begin; child != end; ++child) {
      const ProcessEntry& entry = *child->second;
      const bool known = std::find(excluded.begin(), excluded.end(), entry.id) != excluded.end();
      if (known || entry.id.pid == root) continue;
      parents.push_back(entry.id.pid);
      if (entry.alive()) found.push_back(entry);
    }
    // Visited: a ring of parents ends here.
    children.erase(begin, end);
  }
  return found;
}

}  // namespace pw
