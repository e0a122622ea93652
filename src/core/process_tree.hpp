#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace pw {

/// A process for as long as the machine runs: a PID alone is reused, with its start time it is not.
struct ProcessId {
  int pid = 0;
  std::uint64_t start = 0;  ///< clock ticks after boot, proc(5) stat field 22
  friend bool operator==(const ProcessId&, const ProcessId&) = default;
};

/// One row of the process table, from /proc/PID/stat.
struct ProcessEntry {
  ProcessId id;
  int parent = 0;
  int group = 0;
  char state = '?';
  int threads = 1;
  std::string name;

  /// A zombie is dead, unless it is a leader whose other threads still run.
  bool alive() const { return (state != 'Z' && state != 'X') || threads > 1; }
  bool stopped() const { return state == 'T'; }
};

/// The living descendants of `root` in a snapshot, without those in `excluded` and what is below
/// them. Parents that are missing or form a ring (the table changed while it was read) do no harm.
std::vector<ProcessEntry> living_descendants(std::span<const ProcessEntry> table, int root,
                                             std::span<const ProcessId> excluded);

}  // namespace pw
