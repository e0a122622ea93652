#pragma once
#include <string>

#include "core/process_tree.hpp"
#include "core/step_ranks.hpp"

namespace pw {

/// What the keeper of a rank's wait is to do.
struct RankKeeping {
  StepRanks ranks;
  std::string state;     ///< empty: no book
  std::string step;      ///< the book's name
  int slurmstepd = 0;    ///< 0: the node is not looked at
  ProcessEntry wrapper;  ///< whom it works for
};

/// Words between os/rank_wait and its keeper, each the first letter of a message.
namespace rank_word {
inline constexpr char kEnded = 'e';    ///< ranks: "3,5"
inline constexpr char kOver = 'o';     ///< all have ended; to the keeper: say so to the others
inline constexpr char kTrouble = 't';  ///< a warning
}  // namespace rank_word

/// Looks at the processes of the node and at os/rank_book until the run has gone, and tells what is
/// new; in a process of its own, since both may hang. Returns when the run says no more.
void keep_ranks(const RankKeeping& keeping, int socket);

}  // namespace pw
