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

/// How long a reading of the whole table may take: what is not read by then is left out.
inline constexpr Nanos kTableLimit = Seconds(2);

/// False where /proc is not mounted, or its numbers are those of another PID namespace.
bool proc_is_ours();

/// All processes that /proc shows, in no order. An error where /proc is not mounted or is that of
/// another PID namespace: then nobody's PID may be taken from it.
Result<std::vector<ProcessEntry>> read_process_table();

/// One process, if /proc shows it.
std::optional<ProcessEntry> read_process(pid_t pid);

/// Signals exactly this process, by a pidfd whose start time was checked after it was opened.
/// 0 or errno; ESRCH also if the PID belongs to another process by now.
int send_to_process(const ProcessId& process, Signal signal, const Payload& payload = {});

}  // namespace pw
