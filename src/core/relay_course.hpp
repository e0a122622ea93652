#pragma once
#include <optional>

#include "core/signal.hpp"
#include "core/time.hpp"

namespace pw {

enum class NoHandler { term, send, skip };  ///< --no-handler: what when the hold ends in vain

/// What a process would do with a signal now.
enum class Reception {
  dies,     ///< nobody takes it (or it is ignored): it would be lost, or deadly
  blocked,  ///< no thread lets it in: meant to be fetched, or a runtime's short moment
  takes,    ///< it has a handler
};

/// How one process is told and waited for by the verb `relay`. The grace is counted from the begin,
/// the hold included; the wait from when it was told, so that a short one cuts no hold off.
struct RelayPlan {
  Signal signal = SIGTERM;
  std::optional<Nanos> grace;  ///< -k; nothing: no KILL ever
  Nanos hold = Seconds(20);    ///< of USR1, USR2 and RT, at most a quarter of the grace
  NoHandler no_handler = NoHandler::term;
  Nanos wait = Seconds(60);
};

enum class RelayStep { wait, send, send_term, skip, kill, gone, killed, still_there };

/// The course of one relay: pure, asked again at next_wake() and whenever something is seen. It
/// says each step once; TERM and INT are never held, and no KILL comes without a grace.
class RelayCourse {
 public:
  RelayCourse(const RelayPlan& plan, Instant begin) : plan_(plan), begin_(begin) {}

  bool holding() const { return stage_ == Stage::held; }

  /// `reception` counts while holding() only. After send, send_term, skip and kill: ask again.
  RelayStep step(Instant now, bool alive, Reception reception);

  Instant next_wake() const { return wake_; }

 private:
  enum class Stage { held, told, killed };
  RelayStep step_held(Instant now, Reception reception);
  bool needs_handler() const;
  Nanos longest_hold() const;

  RelayPlan plan_;
  Instant begin_;
  Stage stage_ = Stage::held;
  Instant wake_;
  Nanos pause_ = Millis(1);
  std::optional<Instant> blocked_since_;
  Instant told_at_;
  Instant killed_at_;
};

}  // namespace pw
