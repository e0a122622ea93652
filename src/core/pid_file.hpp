#pragma once
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "core/time.hpp"

namespace pw {

/// What makes a PID file believable: pure rules, with which nobody but the process that a file
/// means is ever signalled. os/pid_file_reading and os/pid_target collect the facts. Times are
/// those of the wall clock since 1970; a reason is the end of a sentence that begins with the path.

/// Longer is no PID file: the largest number, with room for the blanks that some programs pad with.
inline constexpr std::size_t kPidFileMax = 64;

enum class Storage { local, network };        ///< network: other hosts may write there, too
enum class HostRule { this_host, any_host };  ///< --any-host

/// What the file says, and what says so.
struct PidFileFacts {
  std::string path;  ///< where it really lies, without symbolic links
  int pid = 0;
  long owner = 0;   ///< uid
  Nanos written{};  ///< its mtime
  Storage storage = Storage::local;
};

/// Who has that PID now.
struct ProcessFacts {
  int leader = 0;               ///< PID of its process; another number is that of a thread
  std::array<long, 2> users{};  ///< real and effective uid
  Nanos started{};              ///< mapped through CLOCK_BOOTTIME; btime moves with every step
};

/// Who asks, where and when.
struct Asker {
  int pid = 0;
  std::string host;
  Nanos now{};
  HostRule host_rule = HostRule::this_host;
};

/// One decimal number from 2 to 4194304 (PID_MAX_LIMIT), blanks around it; else what it is instead.
Result<int> parse_pid(std::string_view text);

/// Words, as in a file that somebody has made for something else: no half-written or old number.
bool holds_words(std::string_view text);

/// Whether the host's name, whole or up to its first dot, stands in the path as a word of its own:
/// n1 is not in run/n10.pid.
bool carries_host(std::string_view path, std::string_view host);

/// Why the file can name no process at all; asked before anybody looks for the process, which
/// another host's file would declare gone.
std::optional<std::string> why_file_refused(const PidFileFacts& file, const Asker& asker);

/// Why this process is not the one that the file means.
std::optional<std::string> why_process_refused(const PidFileFacts& file,
                                               const ProcessFacts& process);

}  // namespace pw
