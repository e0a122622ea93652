#include "os/proc_tree.hpp"

#include <algorithm>

#include "os/process_table.hpp"
#include "os/signal_state.hpp"

namespace pw {

void ProcTree::read() {
  read_ = true;
  auto table = read_process_table();
  if (!table) return;
  for (ProcessEntry& entry : table->entries) {
    const bool known = std::find(excluded_.begin(), excluded_.end(), entry.id) != excluded_.end();
    if (!known && entry.alive()) children_.emplace(entry.parent, std::move(entry));
  }
}

std::vector<ProcessEntry> ProcTree::children(int pid) {
  if (!read_) read();
  std::vector<ProcessEntry> found;
  const auto [begin, end] = children_.equal_range(pid);
  for (auto child = begin; child != end; ++child) found.push_back(child->second);
  return found;
}

std::optional<SignalState> ProcTree::signals(const ProcessEntry& process, Signal signal) {
  return read_signal_state(process.id.pid, signal);
}

}  // namespace pw
