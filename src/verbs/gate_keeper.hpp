#pragma once
#include <cstdint>
#include <string>

#include "core/gate_course.hpp"

namespace pw {

/// What a keeper is to do.
struct GateKeeping {
  std::string folder;
  GateLimits limits;
  Nanos max_delay{0};      ///< of trouble with the gate, then it is given up
  double place_share = 0;  ///< where in its array the run is, in [0,1): spreads the first tries
  std::int64_t count = 0;  ///< how many start with it; 0: not known
  std::string step_key;    ///< with other ranks: what their step is called; else empty
  int ranks = 1;
  bool follows = false;  ///< rank 0 passes the gate for us
  std::uint64_t seed = 0;
};

/// Words between a run and its keeper, each the first of a message; the rest is said here.
namespace gate_word {
inline constexpr const char* kWait = "wait";            ///< <ns, or -> <position>: told once
inline constexpr const char* kSpread = "spread";        ///< <ns> until it asks for a place
inline constexpr const char* kAlive = "alive";          ///< no news: the disk answers
inline constexpr const char* kPaused = "paused";        ///< reason
inline constexpr const char* kTrouble = "trouble";      ///< a warning
inline constexpr const char* kUnusable = "unusable";    ///< why this can be no gate; the last word
inline constexpr const char* kGiveUp = "give-up";       ///< why; the last word
inline constexpr const char* kStart = "start";          ///< now
inline constexpr const char* kStopped = "stopped";      ///< reason; the last word
inline constexpr const char* kCancelled = "cancelled";  ///< reason; the last word
inline constexpr const char* kLeft = "left";            ///< the place is given back; the last word
inline constexpr const char* kLeave = "leave";          ///< to the keeper: give the place back
inline constexpr const char* kThrough = "through";      ///< to the keeper: the start-up is over
}  // namespace gate_word

/// While it waits a keeper says something at least this often.
inline constexpr Nanos kKeeperSpeaks = kControlEvery;

/// Where the gate's policy meets its ledger: one run's way through it, in a process of its own,
/// since the gate's disk may hang (os/aside). Returns when all is over or the run has gone, whose
/// place and lease it then gives back.
void keep_gate(const GateKeeping& keeping, int socket);

/// For rank 0 that starts without the gate in `delay`: the other ranks of its step, which wait for
/// its word, start then, too. Ends early when the run says something or has gone.
void tell_followers(const GateKeeping& keeping, Nanos delay, int socket);

}  // namespace pw
