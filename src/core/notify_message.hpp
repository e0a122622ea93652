#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "core/time.hpp"

namespace pw {

/// One datagram of the sd_notify protocol (sd_notify(3)): lines of NAME=value, a newline after the
/// last one or not. What we do not know or cannot understand is left out, never an error.
struct NotifyMessage {
  enum class Watchdog { silent, alive, trigger };  ///< WATCHDOG=1, WATCHDOG=trigger
  bool ready = false;                              ///< READY=1
  bool stopping = false;                           ///< STOPPING=1: the notice was understood
  Watchdog watchdog = Watchdog::silent;
  std::optional<Nanos> extend;        ///< EXTEND_TIMEOUT_USEC, at most a year
  std::optional<std::string> status;  ///< STATUS, as it came
};

/// Longer datagrams are dropped whole, as systemd does (NOTIFY_BUFFER_MAX of 252).
inline constexpr std::size_t kNotifyLongest = 4096;

/// Nothing for a datagram with a NUL byte inside; one at its end is a C string's own.
std::optional<NotifyMessage> parse_notify_message(std::string_view datagram);

/// Who ends a trainer that says WATCHDOG=trigger: one of the two, not both.
enum class HangEndedBy { us, manager };

/// What of a datagram may be passed on to the service manager above us, lines with a newline each;
/// empty if nothing. Left out: MAINPID, because the main process is us, and must stay us for our
/// exit status and for KillMode=mixed; what belongs to a descriptor, which we do not take (FDSTORE,
/// BARRIER); and what steers the manager (NOTIFYACCESS).
std::string passed_upwards(std::string_view datagram, HangEndedBy hang);

/// Two texts of passed_upwards(), the older one not sent yet, as one: the later of two values of a
/// name counts.
std::string merged_upwards(std::string_view older, std::string_view newer);

}  // namespace pw
