#pragma once
#include <optional>
#include <string>

#include "core/time.hpp"
#include "os/notify_socket.hpp"

namespace pw {

/// What the main process of a systemd unit of Type=notify says to its manager (sd_notify(3)); for
/// `run --service` and `watch`. Never blocks; without NOTIFY_SOCKET it says nothing.
class ServiceVoice {
 public:
  /// `address`: NOTIFY_SOCKET.
  explicit ServiceVoice(const std::string& address) : upwards_(NotifyUpwards::to(address)) {}

  void ready() { say("READY=1"); }
  void alive() { say("WATCHDOG=1"); }
  void stopping() { say("STOPPING=1"); }

  /// One line for `systemctl status`; said again only when it changes.
  void status(const std::string& line);

  /// A start or a stop that is under way may last `more` from now on, whatever TimeoutStartSec and
  /// TimeoutStopSec say.
  void extend(Nanos more);

 private:
  void say(const std::string& text);
  std::optional<NotifyUpwards> upwards_;
  std::string status_;
};

}  // namespace pw
