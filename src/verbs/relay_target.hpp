#pragma once
#include <functional>
#include <optional>
#include <string>

#include "core/queued_notice.hpp"
#include "core/relay_course.hpp"
#include "os/pid_target.hpp"

namespace pw {

/// Exit statuses of `relay`, besides kOwnFailure; 124 and 137 as timeout has them.
inline constexpr int kGone = 0;
inline constexpr int kRefused = 1;
inline constexpr int kStillThere = 124;
inline constexpr int kKilled = 137;

/// One process on its course through `relay`: does what core/relay_course says, and says what it
/// did, a line each. That process only, never its tree, which is not ours.
class RelayTarget {
 public:
  using Log = std::function<void(const std::string& line)>;
  RelayTarget(PidTarget process, const RelayPlan& plan, Instant begin, Log log);

  /// Goes on as far as it can now.
  void advance(Instant now);

  std::optional<int> status() const { return status_; }  ///< when it is over
  const PidTarget& process() const { return process_; }
  const ProcessId& id() const { return process_.id(); }
  bool told() const { return told_; }  ///< it has got a signal
  int fd() const { return process_.fd(); }
  Instant next_wake() const { return course_.next_wake(); }
  void end_by(Instant kill_at) { course_.end_by(kill_at); }
  void tell(const QueuedNotice& notice);  ///< a registered run, once more

 private:
  void perform(RelayStep step, Instant now);
  void send(Signal signal);
  Payload payload() const;
  void remind(const std::string& after);
  void say(const std::string& what);
  void over(int status, const std::string& what);

  PidTarget process_;
  RelayPlan plan_;
  Instant begin_;
  RelayCourse course_;
  Log log_;
  std::optional<int> status_;
  bool said_held_ = false;
  bool told_ = false;
};

}  // namespace pw
