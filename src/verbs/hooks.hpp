#pragma once
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/signal.hpp"
#include "core/time.hpp"
#include "os/helper.hpp"
#include "verbs/chronicle.hpp"

namespace pw {

/// The user's --on-notice and --on-exit commands: run by /bin/sh beside the relay, never before it,
/// each for at most 30 s and not past the deadline; what they leave in the background ends with
/// them. As root only commands that nobody else can change. They learn of the notice by
/// PREEMPT_SIGNAL, PREEMPT_CAUSE, PREEMPT_DEADLINE (seconds since 1970) and PREEMPT_NOTICE_FILE.
class Hooks {
 public:
  /// `notice_file` is empty without --notice-file.
  Hooks(Chronicle& chronicle, std::string notice_file)
      : chronicle_(chronicle), notice_file_(std::move(notice_file)) {}

  struct Notice {
    Signal signal = 0;  ///< 0: there was none
    std::optional<Instant> deadline = {};
    std::string_view cause = "signal";
  };
  void run(const std::string& name, const std::string& command, const Notice& notice,
           std::optional<int> exit_status = {});

  /// Reaps and ends what is over; to be called when a child has ended or next_limit() has passed.
  void advance();

  bool running() const { return !running_.empty(); }
  std::optional<Instant> next_limit() const;

  /// Whether one is left that even SIGKILL has not ended for a while; we do not wait for it.
  bool all_given_up() const;
  std::vector<ProcessId> ids() const;
  bool owns(int pid) const;

 private:
  struct Running {
    std::string name;
    Helper helper;
  };
  std::vector<std::string> environment(const Notice& notice, std::optional<int> exit_status) const;

  Chronicle& chronicle_;
  std::string notice_file_;
  std::list<Running> running_;
};

}  // namespace pw
