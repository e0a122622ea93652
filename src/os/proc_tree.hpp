#pragma once
#include <unordered_map>

#include "core/targets.hpp"

namespace pw {

/// One look at the processes below us, through /proc. The process table is read when somebody's
/// children are asked for, and once: a trainer that can act itself costs one file. `excluded` and
/// what is below them are not of the tree. Where /proc tells nothing there are no children.
class ProcTree : public TreeView {
 public:
  explicit ProcTree(std::vector<ProcessId> excluded) : excluded_(std::move(excluded)) {}

  std::vector<ProcessEntry> children(int pid) override;
  std::optional<SignalState> signals(const ProcessEntry& process, Signal signal) override;

 private:
  void read();

  std::vector<ProcessId> excluded_;
  bool read_ = false;
  std::unordered_multimap<int, ProcessEntry> children_;
};

}  // namespace pw
