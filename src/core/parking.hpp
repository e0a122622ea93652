#pragma once
#include <optional>
#include <vector>

#include "core/launcher.hpp"
#include "core/process_tree.hpp"

namespace pw {

/// Keeps a launcher that would end its ranks still (SIGSTOP) in an episode, from the end of the
/// first failed rank to the end of the last one: a rank that has saved and exits 138 has failed in
/// its eyes, and a fast save must not cost a slow one. Pure: told of ends, it answers with what to
/// do. A rank that exits 0 parks nobody: no launcher minds that.
class Parking {
 public:
  enum class Why {
    told,   ///< it has got the notice
    waits,  ///< the notice is held for it
  };
  struct Rank {
    ProcessId id;
    ProcessId launcher;
    Afterwards afterwards;
    Why why = Why::told;
  };
  enum class End { done, failed, unknown };
  enum class What {
    park,   ///< SIGSTOP
    go_on,  ///< SIGCONT
    end,    ///< TERM, if it handles that, and SIGCONT
  };
  struct Act {
    ProcessId launcher;
    What what;
  };

  /// A child of a launcher; or one below it is who was told or waits. Told counts for more.
  void watch(const Rank& rank);
  /// Those who have not ended.
  const std::vector<Rank>& ranks() const { return ranks_; }
  bool watches(const ProcessId& rank) const;
  bool parked(int launcher) const;
  std::vector<ProcessId> parked_ones() const;

  std::optional<Act> ended(const ProcessId& rank, End end);
  /// Nothing is held any more: who was not told will not end by itself, so nobody waits for it.
  std::vector<Act> hold_is_over();
  /// The episode is over after all: everybody goes on.
  std::vector<Act> leave();

 private:
  struct Launcher {
    ProcessId id;
    Afterwards afterwards;
    bool failed = false;  ///< one of its ranks has
    bool parked = false;
  };

  std::optional<Act> one_less(const ProcessId& launcher, End end);

  std::vector<Rank> ranks_;
  std::vector<Launcher> launchers_;
};

}  // namespace pw
