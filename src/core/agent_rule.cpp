#include "core/agent_rule.hpp"

#include <algorithm>
#include <utility>

namespace pw {

bool is_agent(const ProcessEntry& process) { return process.name == kAgentName; }

std::vector<ProcessEntry> runs_of_agent(TreeView& view, const ProcessEntry& agent) {
  auto runs = view.children(agent.id.pid);
  std::erase_if(runs, [](const ProcessEntry& child) {
    return child.group != child.id.pid || is_bystander(child.name);
  });
  return runs;
}

bool AgentRule::knows(const ProcessId& id) const {
  return std::find(known_.begin(), known_.end(), id) != known_.end();
}

std::vector<AgentRule::Send> AgentRule::meet(TreeView& view, std::span<const ProcessEntry> agents,
                                             Instant now) {
  std::vector<Send> sends;
  for (const ProcessEntry& agent : agents) {
    if (knows(agent.id)) continue;
    known_.push_back(agent.id);
    decide(sends, view, {agent, {}}, now);
  }
  return sends;
}

std::vector<AgentRule::Send> AgentRule::look(TreeView& view, Instant now) {
  std::vector<Send> sends;
  for (const Last& last : std::exchange(last_, {})) decide(sends, view, last, now);
  return sends;
}

void AgentRule::decide(std::vector<Send>& sends, TreeView& view, const Last& last, Instant now) {
  const auto state = view.signals(last.agent, SIGTERM);
  if (!state) return;  // it has ended
  const bool forwards = state->caught.contains(SIGTERM);
  const bool deaf = state->ignored.contains(SIGINT);
  if (last.told_at && !forwards) return;  // it is about to end, or has, and nobody has reaped it
  const bool busy = (forwards || deaf) && !runs_of_agent(view, last.agent).empty();
  if (busy || (last.told_at && now - *last.told_at < kAgentHangs)) {
    last_.push_back(last);
    return;
  }
  sends.push_back({last.agent, forwards || deaf ? SIGTERM : SIGINT});
  told_ = true;
  if (forwards) last_.push_back({last.agent, now});
}

}  // namespace pw
