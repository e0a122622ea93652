#pragma once
#include <span>
#include <string>
#include <vector>

#include "core/process_tree.hpp"

namespace pw {

/// The other tasks that `slurmstepd` started on this node and that still have work to do, in a
/// snapshot. A wrapper (a process of `wrapper`'s name) whose trainer has ended, and which waits
/// like us, has none: nothing lives below it but processes of that name, its own helpers. Of any
/// other program its own life counts. slurmstepd's own children are no tasks.
std::vector<ProcessId> working_siblings(std::span<const ProcessEntry> table, int slurmstepd,
                                        const ProcessEntry& wrapper);

}  // namespace pw
