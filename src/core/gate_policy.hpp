#pragma once
#include <cstdint>

#include "core/gate_record.hpp"

namespace pw {

/// A trainer that has not said READY=1 by then gives its place on.
inline constexpr Nanos kLongestStartUp = std::chrono::minutes(10);

/// What one run asks of its gate. Arrays that share a gate may ask for different things.
struct GateLimits {
  Nanos spacing{0};                          ///< between two starts (--start-rate); 0: no rate
  int max_starting = 0;                      ///< at most so many in start-up; 0: any number
  Nanos longest_start_up = kLongestStartUp;  ///< no longer than that is its place kept
  Nanos first_guess = Seconds(1);            ///< at a start-up, as long as none has been seen
  bool ticketed() const { return max_starting > 0; }
};

/// A lease lasts so long and is renewed while its owner is still starting: the time that a place is
/// lost when a node dies.
inline constexpr Nanos kGateLease = Seconds(60);
/// Who has been let in starts within this, or is taken for dead. Longer than the slowest poll.
inline constexpr Nanos kClaimMost = Seconds(30);
inline constexpr Nanos kClaimLeast = Seconds(3);
/// So many may be let in ahead of having started; each takes room in the record.
inline constexpr std::size_t kMostUnclaimed = 16;
/// Nobody is let in sooner before its start: the record takes no times further ahead. It waits in
/// the queue until then.
inline constexpr Nanos kFurthestStart = std::chrono::hours(7 * 24);
/// Clocks further apart are wrong: Slurm's munge refuses such a node. What they wrote is put right.
inline constexpr Nanos kClockError = Seconds(300);
/// Clocks that are kept differ by less.
inline constexpr Nanos kGoodClocks = Seconds(5);
/// Who starts renews its lease, who waits lets in others sooner than this: a gate whose clock makes
/// a longer leap has met a clock that is ahead, or nobody. Then no lease ends by that clock alone.
inline constexpr Nanos kLongestSilence = Seconds(180);

/// The rules of the gate (docs/gate.md): each makes the next record of the newest one; pure. `now`
/// is the caller's own gate time; all first bring the record up to that. Whoever's commit is lost
/// does it again with the newer record.
namespace gate_rules {

/// A gate in which nobody has been yet; also for one whose records are all lost.
GateRecord fresh(std::uint64_t generation, GateTime now);

/// The time of the next record: clocks differ, the gate's own never goes back.
GateTime time_in(const GateRecord& record, GateTime now);

/// Puts right what wrong clocks wrote, forgets leases that are over, and sets the writer's clock.
void bring_up_to(GateRecord& record, GateTime now);

/// So many newer records could not be read: as if each had taken a place, and with tickets nobody
/// is let in until all who start have renewed their leases.
void bridge(GateRecord& record, int unreadable, const GateLimits& limits, GateTime now);

/// --start-rate alone: the start that is ours; sleep to it with nothing held.
GateTime reserve(GateRecord& record, const GateLimits& limits, GateTime now);
/// Gives back a start in the future; one that has passed is lost.
void give_back(GateRecord& record, const GateLimits& limits, GateTime start, GateTime now);

/// --max-starting: a ticket at the end of the queue.
std::uint64_t join(GateRecord& record, const GateLimits& limits, GateTime now);
/// Lets in who is next while there are places; false if nobody.
bool advance(GateRecord& record, const GateLimits& limits, GateTime now);
/// The owner starts, at once or, where it comes too late for its own start and there is a rate, at
/// the next that is free (its lease is not `started` then); false if its lease has lapsed.
bool claim(GateRecord& record, const GateLimits& limits, std::uint64_t ticket, GateTime now);
/// Renewed for as long as it starts; one that was lost with a record comes back.
void renew(GateRecord& record, std::uint64_t ticket, GateTime since, GateTime now);
/// It is through its start-up, or has ended: the place goes to the next.
void release(GateRecord& record, const GateLimits& limits, std::uint64_t ticket, GateTime now);
/// A ticket that nobody will use, let in or not.
void leave(GateRecord& record, const GateLimits& limits, std::uint64_t ticket, GateTime now);

const Lease* lease_of(const GateRecord& record, std::uint64_t ticket);

/// How long until a place is free for the `position`th in the queue, at the pace so far.
Nanos estimate(const GateRecord& record, const GateLimits& limits, std::uint64_t position);

}  // namespace gate_rules
}  // namespace pw
