#pragma once
#include <optional>

#include "core/settings.hpp"
#include "core/signal.hpp"
#include "core/signal_state.hpp"
#include "core/time.hpp"

namespace pw {

/// How one process is told and waited for by the verb `relay`. The grace is counted from the begin,
/// the hold included; the wait from when it was told, so that a short one cuts no hold off.
struct RelayPlan {
  Signal signal = SIGTERM;
  std::optional<Nanos> grace;  ///< -k; nothing: no KILL ever
  Nanos hold = Seconds(20);    ///< of USR1, USR2 and RT, at most a quarter of the grace
  NoHandler no_handler = NoHandler::term;
  Nanos wait = Seconds(60);
  bool term_before_kill =
      false;                  ///< as the ladder of `run` has it: 10 s, or a quarter of the grace
  bool advice = false;        ///< nobody need end
  bool already_told = false;  ///< by one before us: only what follows
  bool to_run = false;        ///< a registered one, which has a word for it (core/queued_notice)
  std::optional<Nanos> lead;  ///< queued with the signal, as what is left of it, in milliseconds
};

enum class RelayStep { wait, send, send_term, skip, last_term, kill, gone, killed, still_there };

/// The course of one relay: pure, asked again at next_wake() and whenever something is seen. It
/// says each step once; TERM and INT are never held, and no KILL comes without a grace.
class RelayCourse {
 public:
  RelayCourse(const RelayPlan& plan, Instant begin)
      : plan_(plan),
        begin_(begin),
        stage_(plan.already_told ? Stage::told : Stage::held),
        told_at_(begin) {}

  bool holding() const { return stage_ == Stage::held; }

  /// `handling` of the plan's signal counts while holding() only. After send, send_term, skip and
  /// kill: ask again.
  RelayStep step(Instant now, bool alive, Handling handling);

  Instant next_wake() const { return wake_; }

  /// SIGKILL comes then, if that is earlier than it was to come.
  void end_by(Instant kill_at);

 private:
  enum class Stage { held, told, killed };
  RelayStep step_held(Instant now, Handling handling);
  Nanos longest_hold() const;
  std::optional<Instant> last_term_at() const;

  RelayPlan plan_;
  Instant begin_;
  Stage stage_ = Stage::held;
  Instant wake_;
  Nanos pause_ = Millis(1);
  std::optional<Instant> blocked_since_;
  Instant told_at_;
  Instant killed_at_;
  bool term_sent_ = false;
};

}  // namespace pw
