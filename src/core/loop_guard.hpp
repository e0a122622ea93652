#pragma once
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "core/progress.hpp"
#include "core/time.hpp"

namespace pw {

/// More such runs in a row than this, and the job is not requeued any more.
inline constexpr int kShortRunsMost = 5;

/// What is kept of a job from one of its runs to the next.
struct RequeueHistory {
  std::int64_t restarts = 0;         ///< of the last run that was judged
  std::int64_t progressed_at = 0;    ///< of the last run that made progress
  int short_runs = 0;                ///< in a row, without progress
  std::optional<Progress> progress;  ///< the furthest
  friend bool operator==(const RequeueHistory&, const RequeueHistory&) = default;
};

/// "pw1 r=3 p=1 s=0 f=n:1200".
std::string encode(const RequeueHistory& history);
/// Nothing if it is garbled: then it counts as if there were none.
std::optional<RequeueHistory> decode_requeue_history(std::string_view text);

enum class KillSwitch { absent, there };

/// What the run that ends now was.
struct GuardedRun {
  std::int64_t restarts = 0;     ///< SLURM_RESTART_COUNT
  std::optional<Nanos> ran;      ///< from its start to the notice; nothing: it was never started
  std::optional<int> exit_code;  ///< nothing: never started, or it died of a signal
  KillSwitch kill_switch = KillSwitch::absent;
  std::optional<Progress> progress;
};

struct LoopLimits {
  std::int64_t max_requeues = 50;   ///< --max-requeues
  Nanos min_runtime = Seconds(60);  ///< --min-runtime
  std::set<int> final_exits;        ///< --final-exit
  std::string kill_switch;          ///< --kill-switch, for the sentence
  bool counts_progress = false;     ///< --progress-file was given
};

/// Whether a preempted job may come back once more: a looping one shall not do so for ever. Pure;
/// asked once at the end of a run, when all else speaks for a requeue. What may have been counted
/// for another job of that number (more restarts than ours) counts for nothing.
struct LoopVerdict {
  bool allowed = false;
  std::string text;        ///< "3 of 50", or why not: the end of "not requeued: "
  RequeueHistory history;  ///< to be kept, whatever becomes of it
};
LoopVerdict judge_loop(const std::optional<RequeueHistory>& kept, const GuardedRun& run,
                       const LoopLimits& limits);

}  // namespace pw
