#pragma once
#include "core/delivery.hpp"
#include "core/supervision.hpp"
#include "os/proc_tree.hpp"
#include "verbs/named_target.hpp"
#include "verbs/trainer_tree.hpp"

namespace pw {

/// Takes a notice to those who can act on it (--to handlers): looks at the tree, asks
/// core/delivery, and lets the tree send. One for a run; the latest notice counts.
class Courier {
 public:
  struct Plan {
    Transparent transparent;
    SignalSet given;  ///< the mask that the trainer was started with
    NoHandler no_handler = NoHandler::term;
    std::string target_pid_file;  ///< the trainer names who is to get it; empty: nobody
    bool told_by_file = false;    ///< the notice file tells it as well
    int slurm_tells = 0;          ///< the process group that Slurm signals (pgid); 0: everybody
  };
  /// What came of one round.
  struct Round {
    Recipients sent;
    Recipients agents = {};             ///< those that were kept from starting another run
    std::vector<ProcessEntry> waiting;  ///< who the notice is held for
    bool told = false;
    bool agents_pending = false;
  };

  Courier(TrainerTree& tree, Plan plan, Instant trainer_started);

  Round relay(const action::Relay& relay, Delivery::Agents agents);
  Round look();
  Round look_at_agents();
  Round end_hold(const action::EndHold& end);
  /// The TERM before the end, to those that have been started since the notice.
  Recipients tell_newcomers();

  /// Why nobody is named, once a notice came; empty if somebody is, or was not asked for.
  const std::string& name_trouble() const { return named_.trouble(); }

 private:
  bool reached_by_slurm(const ProcessEntry& process) const;
  void note_told(ProcTree& view, const ProcessEntry& trainer, const Delivery::Step& step);
  void stop_agent(Round& round, const Delivery::Send& send);
  Round begin_with_named(ProcTree& view, const ProcessEntry& trainer);
  std::optional<ProcessEntry> root_of(const std::optional<ProcessEntry>& trainer);
  Round carry_out(const Delivery::Step& step);
  Round told_by_slurm(ProcTree& view, const ProcessEntry& trainer, const Delivery::Step& step);

  TrainerTree& tree_;
  Delivery delivery_;
  Instant trainer_started_;
  NamedTarget named_;
  bool name_awaited_ = false;
  Instant noticed_at_{};
  bool told_by_file_;
  int slurm_tells_;
  Signal signal_ = 0;
  Payload payload_;
};

}  // namespace pw
