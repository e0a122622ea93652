#pragma once
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "core/notify_message.hpp"
#include "core/settings.hpp"
#include "core/time.hpp"
#include "os/notify_socket.hpp"
#include "verbs/chronicle.hpp"

namespace pw {

/// What the trainer says of itself over the notify socket (--ready notify, --watchdog); told in log
/// and journal, and passed on to the service manager above us. Called by the Supervisor, which acts
/// on it. Not there unless asked for; no flood of messages makes a flood of lines.
class TrainerVoice {
 public:
  explicit TrainerVoice(Chronicle& chronicle) : chronicle_(chronicle) {}

  /// Opens the socket if the settings ask for it, and names it in the trainer's environment. Where
  /// it cannot be, a warning says so, and the trainer runs with its environment as it was.
  void open(const Settings& settings, std::vector<std::string>& environment);

  int fd() const { return socket_ ? socket_->fd() : -1; }  ///< -1: nobody listens

  /// What has come since the last time, in order.
  std::vector<NotifyMessage> hear();

  /// The trainer has asked for `more` time; what came of it.
  void tell_extended(Nanos more, std::optional<Nanos> kill_in);

  /// When hear() should be called next though nothing has come: the queue above us was full.
  std::optional<Instant> next_try() const { return next_try_; }

  /// Hears a last time and removes the socket.
  void close();

 private:
  enum class Trouble { foreign, too_long, malformed, upwards };
  enum class Line { status, stopping, extend };

  void tell(const NotifyMessage& message);
  std::optional<LogLevel> due(Line line);
  void warn_once(Trouble trouble, const std::string& sentence);
  void pass_on(std::string text);

  Chronicle& chronicle_;
  std::optional<NotifySocket> socket_;
  std::optional<NotifyUpwards> upwards_;
  HangEndedBy hang_ended_by_ = HangEndedBy::manager;
  std::string waiting_;  // for the queue above
  std::optional<Instant> next_try_;
  std::string status_;
  std::array<bool, 4> warned_{};
  std::array<std::optional<Instant>, 3> told_at_{};
};

}  // namespace pw
