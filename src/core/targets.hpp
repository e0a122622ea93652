#pragma once
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "core/process_tree.hpp"
#include "core/signal_state.hpp"
#include "core/transparent.hpp"

namespace pw {

/// One look at a process tree. Asked only for what the rule needs: a trainer that can act hides
/// what is below it, so most looks read one file. The answers do not change during the look.
class TreeView {
 public:
  virtual ~TreeView() = default;
  /// The living ones among the children, in no order.
  virtual std::vector<ProcessEntry> children(int pid) = 0;
  /// What decides about `signal`. Nothing: it is gone, or not ours to see.
  virtual std::optional<SignalState> signals(const ProcessEntry& process, Signal signal) = 0;
};

/// A part of the tree in which nobody can act on the signal yet.
struct Branch {
  ProcessEntry root;
  std::vector<ProcessEntry> members;  ///< the root first
  /// The nearest ones to the root that are not passed by: who would act, were they able.
  std::vector<ProcessEntry> nearest;
  /// The innermost ones that handle the signal and are passed by all the same (a script's own
  /// trap); for them when nobody else comes.
  std::optional<ProcessEntry> own_handler;
};

/// How far the rule looks: the whole tree below a root, or the root itself and nobody else, taken
/// for no launcher whatever its name (--target-pid-file).
enum class Extent { whole_tree, root_alone };

/// Who gets a signal, and where somebody is still missing.
struct Frontier {
  std::vector<ProcessEntry> targets;
  std::vector<Branch> branches;
  std::vector<ProcessEntry> agents;  ///< met on the way, for core/agent_rule
};

/// The rule of --to handlers (verified on the launchers of docs/launchers.md):
/// from each root downwards, a process that can act on the signal and is not transparent is a
/// target and hides what is below it; every other one is passed by. A branch without any target
/// is told of once, by its root. Helpers of a trainer (wandb-core, a Go program below a Python) are
/// neither, and neither are agents. Pure; processes in `told` and what is below them are left out.
class TargetRule {
 public:
  using Able = std::function<bool(const ProcessEntry&, Handling)>;

  /// `given`: the mask that the trainer was started with. `able` decides whether a process with
  /// that handling can act; only `caught` and `blocked` are ever asked.
  TargetRule(const Transparent& transparent, SignalSet given, Able able,
             Extent extent = Extent::whole_tree)
      : transparent_(transparent), given_(given), able_(std::move(able)), extent_(extent) {}

  Frontier frontier(TreeView& view, std::span<const ProcessEntry> roots, Signal signal,
                    std::span<const ProcessId> told) const;

 private:
  struct Search;
  enum class Above { only_transparent, a_program };
  bool visit(Search& search, const ProcessEntry& process, Above above, int depth) const;

  const Transparent& transparent_;
  SignalSet given_;
  Able able_;
  Extent extent_;
};

}  // namespace pw
