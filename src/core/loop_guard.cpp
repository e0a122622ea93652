#include "core/loop_guard.hpp"

#include <limits>

#include "core/duration.hpp"
#include "core/number.hpp"
#include "core/text.hpp"

namespace pw {
namespace {

constexpr std::string_view kVersion = "pw1";

std::optional<std::int64_t> field(std::string_view word, std::string_view key) {
  return word.starts_with(key) ? parse_number(word.substr(key.size())) : std::nullopt;
}

RequeueHistory with_run(const std::optional<RequeueHistory>& kept, const GuardedRun& run,
                        const LoopLimits& limits) {
  const bool known = kept && kept->restarts <= run.restarts;
  RequeueHistory next = known ? *kept : RequeueHistory{};
  // A second wrapper in the same run: that has been counted.
  const bool counted = known && kept->restarts == run.restarts;
  next.restarts = run.restarts;
  if (limits.counts_progress && is_further(run.progress, next.progress)) {
    next.progressed_at = run.restarts;
    next.progress = run.progress;
    next.short_runs = 0;
  } else if (run.ran && *run.ran >= limits.min_runtime) {
    next.short_runs = 0;
  } else if (run.ran && !counted) {
    ++next.short_runs;
  }
  return next;
}

std::string refusal(const RequeueHistory& history, std::int64_t count, const GuardedRun& run,
                    const LoopLimits& limits) {
  if (run.kill_switch == KillSwitch::there) {
    return "the kill switch " + limits.kill_switch + " is there";
  }
  if (run.exit_code && limits.final_exits.contains(*run.exit_code)) {
    return "the trainer exited " + std::to_string(*run.exit_code) + ", which --final-exit names";
  }
  if (count >= limits.max_requeues) {
    const std::string most = " (--max-requeues " + std::to_string(limits.max_requeues) + ")";
    const std::string times = std::to_string(count) + (count == 1 ? " time" : " times");
    return "it was restarted " + times +
           (limits.counts_progress ? " without progress" : " already") + most;
  }
  if (history.short_runs > kShortRunsMost) {
    return "each of its last " + std::to_string(history.short_runs) + " runs was shorter than " +
           spoken(limits.min_runtime) + (limits.counts_progress ? " and made no progress" : "") +
           " (--min-runtime; 0 to try things out)";
  }
  return "";
}

}  // namespace

std::string encode(const RequeueHistory& history) {
  return std::string(kVersion) + " r=" + std::to_string(history.restarts) +
         " p=" + std::to_string(history.progressed_at) +
         " s=" + std::to_string(history.short_runs) + " f=" + progress_text(history.progress);
}

std::optional<RequeueHistory> decode_requeue_history(std::string_view text) {
  constexpr std::int64_t kMost = std::numeric_limits<int>::max() / 2;
  const auto words = split(text, ' ');
  if (words.size() != 5 || words[0] != kVersion || !words[4].starts_with("f=")) return {};
  const auto restarts = field(words[1], "r=");
  const auto progressed_at = field(words[2], "p=");
  const auto short_runs = field(words[3], "s=");
  const auto progress = parse_progress(words[4].substr(2));
  if (!restarts || !progressed_at || !short_runs || !progress) return {};
  if (*restarts > kMost || *progressed_at > *restarts || *short_runs > *restarts + 1) return {};
  return RequeueHistory{.restarts = *restarts,
                        .progressed_at = *progressed_at,
                        .short_runs = static_cast<int>(*short_runs),
                        .progress = *progress};
}

LoopVerdict judge_loop(const std::optional<RequeueHistory>& kept, const GuardedRun& run,
                       const LoopLimits& limits) {
  const RequeueHistory history = with_run(kept, run, limits);
  // Slurm's own requeues are restarts, too.
  const std::int64_t count = run.restarts - (limits.counts_progress ? history.progressed_at : 0);
  const std::string why = refusal(history, count, run, limits);
  const std::string which =
      std::to_string(count + 1) + " of " + std::to_string(limits.max_requeues);
  return {.allowed = why.empty(), .text = why.empty() ? which : why, .history = history};
}

}  // namespace pw
