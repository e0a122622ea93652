#include <sys/wait.h>

#include <map>

#include "measure.hpp"

namespace pw::bench {
namespace {

constexpr int kTries = 500;
constexpr int kPeerTries = 40;
constexpr Nanos kWindow = Millis(5);

enum class Outcome { delivered, lost, orphan, hang };

// The trainer got it, or the wrapper ended of it: before the trainer was there, or with it.
bool was_delivered(int status, bool child_got_it, int signal) {
  if (WIFSIGNALED(status)) return WTERMSIG(status) == signal;
  return WEXITSTATUS(status) == 128 + signal || child_got_it;
}

Outcome try_once(const Words& words, int signal, Nanos delay, Nanos patience) {
  Run run(words);
  wait_until(run.begun() + delay);
  run.send(signal);
  const auto ended = run.wait(patience);
  if (!ended) {
    // `once` has left if it was told.
    return run.next(signal, Millis(0)) ? Outcome::hang : Outcome::lost;
  }
  if (!run.nothing_left(patience)) return Outcome::orphan;
  const bool child_got_it = run.next(signal, Millis(0)).has_value();
  return was_delivered(ended->status, child_got_it, signal) ? Outcome::delivered : Outcome::lost;
}

std::string summary(std::map<Outcome, int>& counts) {
  return std::to_string(counts[Outcome::lost]) + " lost, " +
         std::to_string(counts[Outcome::orphan]) + " orphans, " +
         std::to_string(counts[Outcome::hang]) + " hangs";
}

}  // namespace

Finding measure_race(Field& field) {
  Finding finding{{{"start race: tries", {}}, {"  lost/orphans/hangs", {}}}, {}};
  for (const std::size_t place : field.shuffled()) {
    const Contender& contender = field.contenders[place];
    if (contender.name == kNone) continue;
    const bool ours = contender.name == kOurs;
    const int tries = (ours ? kTries : kPeerTries) * field.effort;
    const Nanos patience = ours ? Nanos(Seconds(5)) : Nanos(Millis(200));
    std::map<Outcome, int> counts;
    for (int i = 0; i < tries; ++i) {
      const bool term = i % 2 == 0;
      const Words& wrapper = term ? contender.plain : contender.relay;
      ++counts[try_once(wrapper + Words{field.echo_signal, "once"}, term ? SIGTERM : SIGUSR1,
                        kWindow * i / tries, patience)];
    }
    finding.lines[0].cells[contender.name] = std::to_string(tries);
    finding.lines[1].cells[contender.name] = std::to_string(counts[Outcome::lost]) + "/" +
                                             std::to_string(counts[Outcome::orphan]) + "/" +
                                             std::to_string(counts[Outcome::hang]);
    if (!ours) continue;
    finding.budgets.push_back({"start race: " + summary(counts) + " in " + std::to_string(tries),
                               counts[Outcome::delivered] == tries});
  }
  return finding;
}

}  // namespace pw::bench
