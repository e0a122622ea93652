#pragma once
#include <span>
#include <string>
#include <vector>

#include "core/parking.hpp"
#include "os/process_end.hpp"

namespace pw {

/// The launchers between the trainer's command and those that a notice reaches, in an episode: who
/// would end its ranks is kept still while one of them saves (core/parking), who would start more
/// work is told not to. Acts after the notice itself was sent, on single processes, by pidfds that
/// were checked; a kernel without pidfds parks nobody.
class Overseers {
 public:
  /// What was done to a launcher, for log and journal.
  struct Deed {
    enum class What { parked, went_on, ended, no_more_work };
    int pid = 0;
    std::string name;
    What what = What::parked;
    int error = 0;  ///< errno
  };
  using Deeds = std::vector<Deed>;

  /// Looks at what is above those who got the notice or wait for it, up to us; after each round.
  Deeds meet(std::span<const int> told, std::span<const int> waiting);
  /// The ends of ranks that have come.
  Deeds advance();
  /// The episode is over: everybody goes on.
  Deeds leave();

  bool idle() const { return ends_.empty() && no_more_work_.empty(); }
  bool keep_still(int pid) const { return parking_.parked(pid); }
  bool keep_somebody_still() const { return !parking_.parked_ones().empty(); }
  /// Somebody has continued them: a CONT to the group, or to the job.
  void keep_still_again() const;

  /// The trainer is this launcher, though the kernel calls it python; empty: as the kernel says.
  void know(int trainer, std::string launcher) {
    trainer_ = trainer;
    launcher_ = std::move(launcher);
  }
  /// To wait for.
  void add_fds(std::vector<int>& fds) const;

 private:
  void meet_above(Deeds& deeds, int process, Parking::Why why);
  void watch(const ProcessEntry& rank, const ProcessEntry& launcher, Afterwards afterwards,
             Parking::Why why);
  void tell_no_more_work(Deeds& deeds, const ProcessEntry& launcher, Signal signal);
  Deed carry_out(const Parking::Act& act) const;
  void wake_those_above(int launcher) const;

  std::vector<ProcessEntry> line_of_descent(int pid) const;

  int trainer_ = 0;
  std::string launcher_;
  Parking parking_;
  std::vector<ProcessEnd> ends_;
  std::vector<ProcessId> no_more_work_;  // who was told so
};

}  // namespace pw
