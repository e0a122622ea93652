#pragma once
#include <optional>
#include <span>
#include <vector>

#include "core/agent_rule.hpp"
#include "core/settings.hpp"
#include "core/targets.hpp"
#include "core/time.hpp"

namespace pw {

/// A process that is seen blocking a signal twice, this far apart, and at each look between, can
/// act on it: runtimes block everything only for moments.
inline constexpr Nanos kBlockedFor = Millis(50);
/// A tree older than this is through its start-up: who has no handler now will not have one soon.
inline constexpr Nanos kGrownUp = Seconds(60);

/// Whether a signal waits for somebody who can act on it. TERM and INT never do: everyone dies of
/// them by design, and their senders count on it.
constexpr bool can_be_held(Signal signal) {
  return signal == SIGUSR1 || signal == SIGUSR2 || is_realtime(signal);
}

/// How one notice comes to those who can act on it (--to handlers): each branch of the tree gets it
/// when it is able, none twice. Pure: fed with looks at the tree, it answers with what to send.
/// Used for one notice after another; the shell carries out and reports nothing back.
class Delivery {
 public:
  enum class Why {
    able,         ///< it can act on the signal
    own_trap,     ///< nobody below it can: a script's own handler
    no_handler,   ///< nobody of its branch can: what --no-handler says
    last_resort,  ///< nobody in the whole tree can: the trainer alone
    agent,        ///< a wandb agent, so that it starts no other run
  };
  struct Send {
    ProcessEntry to;
    Signal signal;
    Why why;
  };
  /// What to do after a look. `waiting`: those that the notice is still held for, by the nearest
  /// one that would act.
  struct Step {
    std::vector<Send> sends;
    std::vector<ProcessEntry> waiting;
    bool agents_pending = false;  ///< look_at_agents() soon
  };
  /// Whether agents in the tree are kept from starting another run: not after advice.
  enum class Agents { stop, let_alone };

  Delivery(Transparent transparent, SignalSet given, NoHandler no_handler)
      : transparent_(std::move(transparent)), given_(given), no_handler_(no_handler) {}

  /// A new notice. `trainer` is the root of the tree, at work since `started`.
  Step begin(TreeView& view, const ProcessEntry& trainer, Instant started, Signal signal,
             Instant now, Extent extent = Extent::whole_tree);
  /// For the next begin().
  void set_agents(Agents agents) { stop_agents_ = agents; }
  /// The agents alone, where the notice is for a process that the trainer has named.
  Step agents_below(TreeView& view, const ProcessEntry& root, Instant now);
  /// Slurm has signalled every process of the tree itself (proctrack/linuxproc): who was there and
  /// is told by it gets no copy of ours. To be called before the sends of begin() are carried out.
  void told_by_slurm(TreeView& view, const ProcessEntry& process);

  /// Another look, while somebody waits. `trainer` is nothing once it has ended.
  Step look(TreeView& view, const std::optional<ProcessEntry>& trainer,
            std::span<const ProcessEntry> orphans, Instant now);

  enum class HoldEnd {
    time_is_over,
    advice_is_over,  ///< only a script's own trap gets it: nobody is ended for mere advice
  };
  /// The hold is over: who still waits gets what --no-handler says.
  Step end_hold(TreeView& view, const std::optional<ProcessEntry>& trainer,
                std::span<const ProcessEntry> orphans, HoldEnd end, Instant now);
  /// A signal that is not held came meanwhile: it goes to the branches that still wait.
  Step replace(TreeView& view, const std::optional<ProcessEntry>& trainer,
               std::span<const ProcessEntry> orphans, Signal signal, Instant now);

  /// The TERM before the end, to who handles it and was never told: started since the notice.
  Step tell_newcomers(TreeView& view, const ProcessEntry& trainer);

  /// A look at the agents that are told when their run is gone.
  Step look_at_agents(TreeView& view, Instant now);
  bool told_anybody() const { return !told_.empty() || agents_.told(); }
  /// All processes of the branches that still wait.
  const std::vector<ProcessId>& waiting() const { return waiting_; }

 private:
  bool blocks_for_long(const ProcessEntry& process, Instant now);
  /// Who can take the signal that is delivered; with a memory of who blocks it since when.
  Frontier seek(TreeView& view, std::span<const ProcessEntry> roots, Instant now);
  /// Who can take a signal that is never held.
  Frontier seek_at_once(TreeView& view, std::span<const ProcessEntry> roots, Signal signal) const;
  std::vector<ProcessEntry> roots(const std::optional<ProcessEntry>& trainer,
                                  std::span<const ProcessEntry> orphans) const;
  Step take(TreeView& view, std::span<const ProcessEntry> roots,
            const std::optional<ProcessEntry>& trainer, Instant now);
  void send(Step& step, const ProcessEntry& to, Signal signal, Why why);
  void give_up(Step& step, TreeView& view, const Branch& branch);
  void send_to_launchers(Step& step, const Frontier& found, Signal signal);
  void stop_agents(Step& step, TreeView& view, const Frontier& found, Instant now);
  void last_resort(Step& step, Signal signal, const Frontier& found,
                   const std::optional<ProcessEntry>& trainer);
  bool send_term(Step& step, TreeView& view, std::span<const ProcessEntry> roots);

  struct Blocking {
    ProcessId id;
    Instant since;
    bool seen;
  };

  Transparent transparent_;
  SignalSet given_;
  NoHandler no_handler_;
  Signal signal_ = 0;
  Extent extent_ = Extent::whole_tree;
  Instant begun_{};
  Instant started_{};
  std::vector<ProcessId> told_;
  std::vector<ProcessId> waiting_;
  std::vector<Blocking> blocking_;
  AgentRule agents_;  // for the whole run: a second INT would end what the first one spared
  Agents stop_agents_ = Agents::stop;
};

}  // namespace pw
