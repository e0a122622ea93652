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

namespace pw {

/// What became of one signal to one process.
struct Recipient {
  enum class How { sent, by_slurm, by_scancel, withheld, failed };
  int pid = 0;
  std::string_view name;  ///< valid as long as the tree
  How how = How::sent;
  int error = 0;  ///< errno of a failed one
};
using Recipients = std::vector<Recipient>;

/// The trainer and all its descendants: sends what the state machine asks for and remembers who
/// was notified. Signals other processes than the trainer only through pidfds checked against
/// their start time. Never signals our helpers, nor children that were there before the start.
class TrainerTree {
 public:
  using Scancel = std::function<void(int srun_pid, Signal signal)>;

  struct Plan {
    std::string name;     ///< the trainer's words, for sentences
    std::string program;  ///< base name of its first word
    ProcessGroup group = ProcessGroup::own;
    std::vector<ProcessId> foreign;  ///< children before the start
  };
  TrainerTree(Child trainer, Plan plan, Scancel scancel);

  bool trainer_has_ended() const;    ///< also when nobody has reaped it yet
  bool trainer_has_stopped() const;  ///< state T; told once for each stop
  int trainer_pid() const { return trainer_.pid(); }
  std::optional<Ending> reap_trainer() { return trainer_.reap(); }

  void set_helpers(std::vector<ProcessId> helpers) { helpers_ = std::move(helpers); }

  Recipients relay(Signal signal, const Payload& payload, Audience audience, Carrier carrier);
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
  void notify(const ProcessEntry& entry, Signal signal);
  void for_each_other(const std::function<void(const ProcessEntry&)>& visit);
  Recipient send_trainer(Signal signal, const Payload& payload);
  Recipient send_other(const ProcessEntry& entry, Signal signal, const Payload& payload);
  Recipient through_srun(int pid, std::string_view name, Signal signal);
  std::string_view kept(const std::string& name) { return *names_.insert(name).first; }
  void relay_to_others(Signal signal, const Payload& payload, Audience audience, Recipients& sent);
  Recipients signal_group(Signal signal);
  bool somebody_unseen() const;

  Child trainer_;
  Plan plan_;
  Scancel scancel_;
  std::vector<ProcessId> notified_;
  std::set<std::string> names_;  // of others, for Recipient
  std::vector<ProcessId> helpers_;
  std::optional<Error> table_error_;
  bool table_readable_ = true;
  bool childless_ = false;
};

}  // namespace pw
