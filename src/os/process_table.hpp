#pragma once
#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "core/process_tree.hpp"
#include "core/result.hpp"
#include "core/signal.hpp"
#include "core/time.hpp"

namespace pw {

/// How long a reading of the whole table may take.
inline constexpr Nanos kTableLimit = Seconds(2);

struct ProcessTable {
  std::vector<ProcessEntry> entries;  ///< in no order
  bool whole = true;                  ///< false: the time was over before all were read
};

/// False where /proc is not mounted, or its numbers are those of another PID namespace.
bool proc_is_ours();

/// All processes that /proc shows. An error where /proc is not mounted or is that of
/// another PID namespace: then nobody's PID may be taken from it.
Result<ProcessTable> read_process_table();

/// One process, if /proc shows it.
std::optional<ProcessEntry> read_process(pid_t pid);

/// Signals exactly this process, by a pidfd whose start time was checked after it was opened.
/// 0 or errno; ESRCH also if the PID belongs to another process by now.
int send_to_process(const ProcessId& process, Signal signal, const Payload& payload = {});

}  // namespace pw
