#pragma once
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/step_ranks.hpp"
#include "core/time.hpp"

namespace pw {

/// The ranks of a step, and which of them are known to have ended, for one that has ended itself
/// and must not leave before the others have saved: with `srun --kill-on-bad-exit` or `--wait` its
/// exit status would kill them (--wait-ranks). Pure; os/rank_wait tells it what there is to see.
class RankRoll {
 public:
  explicit RankRoll(StepRanks ranks);

  /// One that has said so, or of which it was seen.
  void ended(int rank);
  /// Which processes of our node's other ranks live, each with its rank if that is known. One that
  /// is not here has ended, unless a living one may be it.
  void saw_node(std::span<const std::optional<int>> living);
  /// Rank 0 has said that all have ended, or what we wrote is gone, which it alone would remove.
  void dissolved() { dissolved_ = true; }

  enum class Verdict { waiting, all_ended, limit };
  Verdict verdict(Instant now, Instant limit) const;

  bool has_ended(int rank) const { return ended_[static_cast<std::size_t>(rank)]; }
  /// "ranks 3, 5-7 of 8", "rank 3 of 8"; empty: for none.
  std::string missing_text() const;

 private:
  StepRanks ranks_;
  std::vector<bool> ended_;
  int missing_;
  bool dissolved_ = false;
};

}  // namespace pw
