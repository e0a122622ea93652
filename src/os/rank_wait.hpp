#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/rank_roll.hpp"
#include "os/aside.hpp"

namespace pw {

/// --wait-ranks, for one rank whose trainer has ended in an episode: says so to the others, and
/// when it may leave (core/rank_roll). Those of our node are seen in the process table, those of
/// others in os/rank_book, both by a process of its own (os/aside), since either may hang. Without
/// other nodes no disk is touched. The supervisor drives it in its loop; nothing here blocks but
/// close().
class RankWait {
 public:
  struct Plan {
    StepRanks ranks;
    std::string state;   ///< os/state_folder's; empty: there is none, so only our node is seen
    std::string step;    ///< core/run_key's step_name()
    int slurmstepd = 0;  ///< our parent; 0: nobody on our node can be seen
    Instant limit{};
  };
  explicit RankWait(Plan plan) : plan_(std::move(plan)), roll_(plan_.ranks) {}

  void open();

  /// To be asked when fd() is readable or wake() has come.
  RankRoll::Verdict advance();
  int fd() const { return keeper_ ? keeper_->fd() : -1; }
  Instant wake() const { return plan_.limit; }
  /// The scheduler's own end may come near.
  void limit_to(Instant limit) { plan_.limit = limit; }

  /// "waiting for ranks 3, 5 of 8, at most 1m20s".
  std::string text() const;
  /// What went wrong, each once.
  std::vector<std::string> troubles() { return std::exchange(troubles_, {}); }
  std::optional<ProcessId> helper() const;  ///< not of the trainer's tree

  /// Before we leave: rank 0 clears up for all if all have ended. At most until `limit`.
  void close(Instant limit);

 private:
  void hear(const std::string& message);

  Plan plan_;
  RankRoll roll_;
  std::optional<Aside> keeper_;
  std::vector<std::string> troubles_;
};

}  // namespace pw
