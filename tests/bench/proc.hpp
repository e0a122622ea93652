#pragma once
#include <sys/types.h>

#include <vector>

namespace pw::bench {

/// What /proc tells of one process.
struct ProcessFacts {
  long threads = 0;
  long switches = 0;  // voluntary and involuntary
  long cpu_ticks = 0;
  long rss_kb = 0;
  long private_kb = 0;
};

struct ChildFacts {
  pid_t pid;
  char state;  // Z: a zombie
};

/// Throws when the process is gone.
ProcessFacts facts_of(pid_t pid);
std::vector<ChildFacts> children_of(pid_t pid);

}  // namespace pw::bench
