#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "core/signal.hpp"
#include "core/time.hpp"

namespace pw {

/// One middle step between the relay and SIGKILL: send `signal`, then wait `lasts`.
struct Rung {
  Signal signal;
  Nanos lasts;
  friend bool operator==(const Rung&, const Rung&) = default;
};

/// What the user asked for: --grace D, --ladder, or neither (auto).
struct LadderPlan {
  std::optional<Nanos> grace;  ///< from the relay to SIGKILL; nothing: auto, as the README says
  bool own_rungs = false;      ///< `rungs` are the user's; else one TERM before the end
  Nanos relay_lasts{0};        ///< with own rungs: how long the relay alone may take
  std::vector<Rung> rungs;
  friend bool operator==(const LadderPlan&, const LadderPlan&) = default;
};

/// `relay@60s,TERM@15s,ABRT@3s,KILL`: begins with relay, ends with KILL; grace is the sum.
Result<LadderPlan> parse_ladder(std::string_view text);

/// The ladder of one episode, laid out backwards from the KILL instant, so that with too little
/// time the middle rungs fall out first. Without a KILL instant nothing is due by time.
class Ladder {
 public:
  Ladder() = default;
  Ladder(LadderPlan plan, Signal relayed, Instant relay_at, std::optional<Instant> kill_at);

  std::optional<Instant> kill_at() const { return kill_at_; }
  bool killed() const { return killed_; }

  /// When the next rung is due, if time alone decides it.
  std::optional<Instant> due() const;

  /// The next rung's signal, SIGKILL last; it counts as taken.
  Signal take_next();

  /// Moves the KILL instant and lays out again the rungs that are still to come.
  void move_kill(Instant now, std::optional<Instant> kill_at);

  /// The relay itself was late (it was held): its share of the time counts from `relay_at`.
  void restart(Instant relay_at, Instant now, std::optional<Instant> kill_at);

  /// The same rungs with the same lengths, all later or earlier by as much as the KILL instant.
  void shift_kill(Instant kill_at) { kill_at_ = kill_at; }

 private:
  struct Pending {
    Signal signal;
    Nanos before_kill;
  };
  void lay_out(Instant from);

  LadderPlan plan_;
  Signal relayed_ = 0;
  Instant relay_at_{};
  std::optional<Instant> kill_at_;
  std::vector<Rung> to_come_;     // not yet taken, also those that have no time now
  std::vector<Pending> pending_;  // the last of to_come_: those that have
  bool climbed_ = false;
  bool killed_ = false;
};

}  // namespace pw
