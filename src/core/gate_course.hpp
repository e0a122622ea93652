#pragma once
#include <cstdint>
#include <optional>

#include "core/gate_control.hpp"
#include "core/gate_policy.hpp"

namespace pw {

/// Waiters read `ctl` at least this often; who runs, once a minute.
inline constexpr Nanos kControlEvery = Seconds(10);
inline constexpr Nanos kControlWhileRunning = Seconds(60);
/// The longest sleep between two looks of a queue; shorter than a claim.
inline constexpr Nanos kSlowestPoll = Seconds(20);

/// One run's way through its gate, as a pure state machine: what to do next, and what to make of
/// the newest record. Driven by verbs/gate_keeper with a real ledger, by the simulation (tests/sim)
/// and by `gate plan`. Order of calls: told(control), next(now), then what the step says.
class GateCourse {
 public:
  struct Step {
    enum class What {
      look,       ///< read the newest record, then saw()
      commit,     ///< put change()'s record after the newest, then committed(); lost: again
      sleep,      ///< until `until`, then next() again; told() what `ctl` says at least every 10 s
      start,      ///< read `ctl` once more and, if next() still says so: start, then began()
      stopped,    ///< the gate was stopped: end without a start
      cancelled,  ///< cancelled: the same, or stop the trainer gracefully
      over,       ///< nothing more to do but to watch `ctl`
    };
    What what;
    GateTime until{};
  };

  /// `seed` spreads the looks; `round_trip` is that of one request to the ledger.
  GateCourse(GateLimits limits, std::uint64_t seed, Nanos round_trip = Nanos(0))
      : limits_(limits), dice_(seed), round_trip_(round_trip) {}

  void told(const GateControl& control);
  Step next(GateTime now);

  void saw(const GateRecord& newest, GateTime now);
  /// The record to commit after `newest`; nothing: it has become pointless, ask next() again.
  std::optional<GateRecord> change(const GateRecord& newest, GateTime now);
  void committed(const GateRecord& record, GateTime now);

  void began(GateTime now);
  /// READY=1, the time of --ready D, or the end of the trainer: the lease is given back.
  void through();
  /// A notice came: the place is given back by the next commit, if there is anything to give.
  void leave();

  bool waiting() const { return stage_ < Stage::starting; }
  bool holds_place() const;  ///< something would have to be given back

  struct Outlook {
    std::optional<Nanos> wait;   ///< until the start, estimated in a queue
    std::uint64_t position = 0;  ///< 1: the next one; 0: not known yet
  };
  Outlook outlook(GateTime now) const;

 private:
  enum class Stage { outside, reserved, queued, admitted, claimed, starting, through };
  enum class Intent { nothing, reserve, join, advance, claim, renew, release, leave };

  Step want(Intent intent);
  Step sleep_until(GateTime now, GateTime until) const;
  Step next_reserved(GateTime now);
  Step next_admitted(GateTime now);
  Nanos poll_after(const GateRecord& newest, GateTime now);
  bool late(GateTime now, GateTime start) const;
  std::uint64_t queue_place(const GateRecord& record) const;
  void place_in(const GateRecord& record, GateTime now);
  double dice();

  GateLimits limits_;
  std::uint64_t dice_;
  Nanos round_trip_;
  GateControl control_;
  std::uint64_t resets_seen_ = 0;
  Stage stage_ = Stage::outside;
  Intent intent_ = Intent::nothing;
  std::uint64_t generation_ = 0;
  std::uint64_t ticket_ = 0;
  std::uint64_t position_ = 0;
  Nanos estimate_{0};
  GateTime start_{};      // reserved, or of the lease, by our own clock
  GateTime place_{};      // reserved, by the gate's
  GateTime reserving_{};  // of the record that is being committed
  GateTime next_look_{};
  GateTime began_{};
  GateTime renew_at_{};
  int could_advance_ = 0;  // looks in a row that found a place which nobody gave away
  GateTime seen_clock_{};
  GateTime seen_since_{};
  bool front_ = false;
  bool leaving_ = false;
};

}  // namespace pw
