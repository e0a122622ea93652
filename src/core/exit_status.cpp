#include "core/exit_status.hpp"

namespace pw {
namespace {

// Trainers say "preempted by n" as 128+n, whether they exit with it or die of n.
bool ended_as_advised(const RunFacts& facts) {
  const int number = facts.ending.number;
  if (facts.ending.kind == Ending::Kind::signalled) return facts.advised.contains(number);
  return number > kSignalBase && facts.advised.contains(number - kSignalBase);
}

}  // namespace

ExitStatus decide_exit_status(const RunFacts& facts, std::optional<int> exit_preempted,
                              ZeroMeans zero_means) {
  const Ending& ending = facts.ending;
  const bool preempted = facts.in_episode || ended_as_advised(facts);
  if (ending.kind == Ending::Kind::never_started) {
    const bool typed = facts.typed.contains(ending.number);
    return {kSignalBase + ending.number, typed ? ending.number : 0, Outcome::preempted};
  }
  if (ending.kind == Ending::Kind::signalled) {
    const bool typed = facts.typed.contains(ending.number);
    return {kSignalBase + ending.number, typed ? ending.number : 0,
            preempted ? Outcome::preempted : Outcome::killed};
  }
  if (ending.number != 0) {
    return {ending.number, 0, preempted ? Outcome::preempted : Outcome::failed};
  }
  const bool saved_only =
      preempted && facts.notice_relayed && !facts.work_done && zero_means == ZeroMeans::preempted;
  if (!saved_only) return {0, 0, Outcome::finished};
  return {exit_preempted.value_or(0), 0, Outcome::preempted};
}

}  // namespace pw
