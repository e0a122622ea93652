#pragma once
#include <optional>
#include <string_view>

#include "core/signal.hpp"

namespace pw {

/// What a launcher that was kept still (core/parking) is told when its last rank has ended.
enum class Afterwards {
  nothing,  ///< it sees that they have ended, and ends
  term,     ///< it would start them anew on a machine that goes away
};

/// How a launcher takes a notice to its ranks; each row was seen on the real one
/// (docs/launchers.md).
struct LauncherManner {
  std::string_view name;                 ///< comm
  std::optional<Afterwards> ends_ranks;  ///< one has failed: it ends the others or starts all anew
  Signal no_more_work = 0;               ///< this makes it start no further command, and wait
};

/// Nothing: it waits for its child and does no harm.
const LauncherManner* manner_of(std::string_view name);

/// An mpirun forwards what it gets at once, handler or not, and SIGKILLs its ranks 1 s after a
/// TERM: its ranks are told themselves, where none of them is on another machine.
bool is_mpi_launcher(std::string_view name);

/// What an mpirun starts to reach another machine.
bool reaches_another_machine(std::string_view name);

}  // namespace pw
