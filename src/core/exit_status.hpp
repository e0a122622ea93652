#pragma once
#include <optional>

#include "core/settings.hpp"
#include "core/signal.hpp"

namespace pw {

/// Our own exit statuses, as env, nice and timeout have them (README, "Exit status").
inline constexpr int kOwnFailure = 125;
inline constexpr int kNotExecutable = 126;
inline constexpr int kNotFound = 127;
inline constexpr int kSignalBase = 128;

/// How the trainer ended.
struct Ending {
  enum class Kind { exited, signalled, never_started };
  Kind kind = Kind::exited;
  int number = 0;  ///< exit code, or the signal that it died of, or that forestalled its start
  friend bool operator==(const Ending&, const Ending&) = default;
};

enum class Outcome { finished, failed, killed, preempted };

/// What the exit status is decided from.
struct RunFacts {
  Ending ending;
  bool in_episode = false;      ///< it ended between a notice and the tree's end
  bool notice_relayed = false;  ///< somebody was told, so an exit 0 may mean "saved"
  SignalSet advised;            ///< notices relayed with the end far away
  SignalSet typed;              ///< Ctrl-C or Ctrl-\ at our terminal
  bool work_done = false;       ///< --done-file exists
};

struct ExitStatus {
  int status = 0;
  Signal die_of = 0;  ///< end by this signal instead, so that a shell's loop stops
  Outcome outcome = Outcome::finished;
};

/// The truth in one number (README, "Exit status"): the trainer's own, 128+n, or --exit-preempted.
ExitStatus decide_exit_status(const RunFacts& facts, std::optional<int> exit_preempted,
                              ZeroMeans zero_means);

}  // namespace pw
