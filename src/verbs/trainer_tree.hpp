#pragma once
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/process_tree.hpp"
#include "core/settings.hpp"
#include "core/supervision.hpp"
#include "os/child.hpp"
#include "os/launch.hpp"
#include "verbs/recipient.hpp"

namespace pw {

/// The trainer and all its descendants: sends what the state machine asks for and remembers who
/// was notified. Signals other processes than the trainer only through pidfds checked against
/// their start time. Never signals our helpers, nor children that were there before the start.
class TrainerTree {
 public:
  using Scancel = std::function<void(int srun_pid, Signal signal)>;

  struct Plan {
    std::string name;     ///< the trainer's words, for sentences
    std::string program;  ///< base name of its first word
    /// What the trainer is where the kernel calls it python (core/profile); empty: as it says.
    std::string launcher;
    ProcessGroup group = ProcessGroup::own;
    Audience audience = Audience::handlers;
    std::vector<ProcessId> foreign;  ///< children before the start
  };
  TrainerTree(Child trainer, Plan plan, Scancel scancel);

  bool trainer_has_ended() const;    ///< also when nobody has reaped it yet
  bool trainer_has_stopped() const;  ///< state T; told once for each stop
  int trainer_pid() const { return trainer_.pid(); }
  std::optional<Ending> reap_trainer() { return trainer_.reap(); }

  void set_helpers(std::vector<ProcessId> helpers) { helpers_ = std::move(helpers); }
  /// Helpers, and children from before the start: not of the tree.
  std::vector<ProcessId> excluded() const;

  /// Whether this process is the trainer or below us, and none of those.
  bool has(const ProcessId& id) const;

  /// Nothing once it has ended, or where /proc shows nobody.
  std::optional<ProcessEntry> trainer_entry() const;
  /// One notice to one process, which counts as notified from now on; a stopped one is continued.
  Recipient deliver(const ProcessEntry& to, Signal signal, const Payload& payload);
  /// A wandb agent is kept from starting another run: the notice is its trainer's, not its own.
  Recipient stop_agent(const ProcessEntry& agent, Signal signal);
  /// The same, when Slurm has sent it.
  Recipient count_as_notified(const ProcessEntry& process);
  /// For these a notice is held: they are waited for like those that have got it.
  void set_waiting(std::vector<ProcessId> waiting) { waiting_ = std::move(waiting); }

  /// --to child, group and tree; --to handlers is Courier's.
  Recipients relay(Signal signal, const Payload& payload, Carrier carrier);
  /// Replaces `sent`, whose storage is used again: the path of a plain relay allocates nothing.
  void pass(Signal signal, const Payload& payload, Recipients& sent);
  Recipients climb(Signal signal, action::Whom whom);
  Recipients end_stragglers();
  Recipients kill();
  event::TreeSeen look();

  /// The next child that has ended and is not reaped, 0: none now, -1: there are no children.
  int next_ended();
  /// No children at all: nobody of the tree can be left, and nobody can come.
  bool childless() const { return childless_; }

  /// What still lives, the trainer too, for the line that names it.
  std::vector<ProcessEntry> living();

  /// Why the process table cannot be read, once; then only the trainer and its group are reached.
  std::optional<Error> take_table_error();

 private:
  std::vector<ProcessEntry> others();
  bool notified(const ProcessId& id) const;
  bool trainer_notified() const;
  void notify(const ProcessEntry& entry, Signal signal);
  void continue_trainer_if_stopped();
  void for_each_other(const std::function<void(const ProcessEntry&)>& visit);
  Recipient send_trainer(Signal signal, const Payload& payload);
  Recipient send_other(const ProcessEntry& entry, Signal signal, const Payload& payload);
  Recipient through_srun(int pid, std::string_view name, Signal signal);
  std::string_view kept(const std::string& name) { return *names_.insert(name).first; }
  void relay_to_others(Signal signal, const Payload& payload, Recipients& sent);
  Recipients signal_group(Signal signal);
  bool somebody_unseen() const;
  bool has_group() const;

  Child trainer_;
  Plan plan_;
  Scancel scancel_;
  std::vector<ProcessId> notified_;
  std::vector<ProcessId> waiting_;
  std::set<std::string> names_;  // of others, for Recipient
  std::vector<ProcessId> helpers_;
  std::optional<Error> table_error_;
  bool all_seen_ = true;  // in the process table, so far
  bool childless_ = false;
};

}  // namespace pw
