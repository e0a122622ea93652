#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/targets.hpp"
#include "core/time.hpp"

namespace pw {

/// An agent that forwards and was told while it cleaned up after its run may wait for its
/// wandb-core for ever (seen on a busy machine with 0.31.0): after this long it is told again.
inline constexpr Nanos kAgentHangs = Seconds(5);

/// How a `wandb agent` is kept from starting the next run on a node that goes away, without harm to
/// the run that it has (verified on wandb 0.31.0, tests/wandb/test_bare.py). The notice itself goes
/// past it to the trainer: forwarded by the agent it would be followed by the next run at once.
///
/// - Without --forward-signals one INT makes it ask for no more work and wait for its trainer; a
///   second one would be a TERM for the trainer. It comes before the notice.
/// - With --forward-signals, which the kernel shows by a handler for TERM, every signal would go on
///   to the trainer: it gets TERM when its trainer is gone, before it has asked for the next run.
/// - In the background of a script INT is ignored: the same.
///
/// Pure; one for an episode. Never to be used for advice, after which work goes on.
class AgentRule {
 public:
  struct Send {
    ProcessEntry to;
    Signal signal;
  };

  /// What the agents that a look at the tree has met get now.
  std::vector<Send> meet(TreeView& view, std::span<const ProcessEntry> agents, Instant now);

  /// Another look at those that are told last.
  std::vector<Send> look(TreeView& view, Instant now);

  /// Whether somebody is to be told last, or has not gone since: look again before it has asked for
  /// the next run.
  bool pending() const { return !last_.empty(); }

  /// Whether any agent has been told.
  bool told() const { return told_; }

 private:
  bool knows(const ProcessId& id) const;
  struct Last {
    ProcessEntry agent;
    std::optional<Instant> told_at;
  };
  void decide(std::vector<Send>& sends, TreeView& view, const Last& last, Instant now);

  std::vector<ProcessId> known_;
  std::vector<Last> last_;
  bool told_ = false;
};

/// The kernel's name of the agent, which is that of its script. It may also be another command of
/// W&B's, but argv is not read to tell: that waits for the memory of a process that may hang.
inline constexpr std::string_view kAgentName = "wandb";
bool is_agent(const ProcessEntry& process);

/// Those that an agent runs at the moment, each in a process group of its own; neither its
/// wandb-core nor Python's resource tracker.
std::vector<ProcessEntry> runs_of_agent(TreeView& view, const ProcessEntry& agent);

}  // namespace pw
