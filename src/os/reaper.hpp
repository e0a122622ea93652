#pragma once
#include <sys/types.h>

#include <vector>

#include "core/process_tree.hpp"

namespace pw {

/// Makes this process the parent of every orphan below it (PR_SET_CHILD_SUBREAPER): then the whole
/// tree of the trainer is gone exactly when we have no children left.
void become_subreaper();

/// The next child that has ended and is not reaped; 0: none now, -1: there are no children at all.
pid_t next_ended_child();

/// Reaps an orphan that became our child.
void reap_orphan(pid_t pid);

/// Children that were there before we started anything (`exec preempt-wrap ... > >(tee log)`):
/// they are not of the trainer's tree, and nobody may end them.
std::vector<ProcessId> children_before_start();

}  // namespace pw
