#include <sys/wait.h>

#include <algorithm>
#include <map>
#include <vector>

#include "measure.hpp"
#include "proc.hpp"

namespace pw::bench {
namespace {

constexpr int kSignals = 10'000;

struct Result {
  int kinds_lost = 0;
  int told = 0;
  std::size_t zombies = 0;
  bool alive = false;         // and still relays
  bool ends_with_it = false;  // leaves with the child's status, and nothing behind

  bool flawless() const { return kinds_lost == 0 && zombies == 0 && alive && ends_with_it; }
};

std::vector<int> kinds() {
  return {SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGTERM, SIGWINCH, SIGRTMIN, SIGRTMIN + 7};
}

// A kind is lost when none of it comes after the last one was sent: equal ones may melt into one.
int count_lost(Run& run, const std::map<int, Instant>& last_sent, Nanos limit, int& told_count) {
  std::map<int, Instant> missing = last_sent;
  const Instant due = now() + limit;
  while (!missing.empty() && now() < due) {
    const auto told = run.next(Millis(50));
    if (!told) continue;
    ++told_count;
    const auto sent = missing.find(told->what);
    if (sent != missing.end() && instant_of(*told) > sent->second) missing.erase(sent);
  }
  return static_cast<int>(missing.size());
}

std::size_t zombies_of(const Run& run) {
  const auto children = children_of(run.pid());
  return static_cast<std::size_t>(
      std::count_if(children.begin(), children.end(), [](auto c) { return c.state == 'Z'; }));
}

Result run_storm(const Contender& contender, const std::string& program) {
  const Nanos patience = contender.name == kOurs ? Nanos(Seconds(5)) : Nanos(Millis(300));
  Run run(contender.relay + Words{program, "litter"});
  if (!run.ready(Seconds(10))) throw std::runtime_error(contender.name + " did not start");
  sleep_for(Millis(5));
  std::map<int, Instant> last_sent;
  const std::vector<int> all = kinds();
  for (std::size_t i = 0; i < kSignals; ++i) {
    const int kind = all[i % all.size()];
    last_sent[kind] = now();
    run.send(kind);
  }
  Result result;
  result.kinds_lost = count_lost(run, last_sent, patience, result.told);
  // The last orphans of the litter end 40 ms after the child started.
  for (const Instant due = now() + Seconds(1); now() < due; sleep_for(Millis(10))) {
    result.zombies = zombies_of(run);
    if (result.zombies == 0) break;
  }
  while (run.next(Millis(20))) ++result.told;
  if (!run.wait(Nanos(0))) {
    run.send(SIGUSR1);
    result.alive = run.next(SIGUSR1, patience).has_value();
  }
  run.send_child(SIGKILL);
  const auto ended = run.wait(patience);
  result.ends_with_it = ended && run.nothing_left(patience) &&
                        (ended->status == SIGKILL || WEXITSTATUS(ended->status) == 128 + SIGKILL);
  return result;
}

}  // namespace

Finding measure_storm(Field& field) {
  Finding finding{
      {{"storm: kinds lost of 9", {}}, {"  signals relayed", {}}, {"  alive, no zombie", {}}}, {}};
  for (const std::size_t place : field.shuffled()) {
    const Contender& contender = field.contenders[place];
    if (contender.name == kNone) continue;
    const Result result = run_storm(contender, field.echo_signal);
    reap_orphans();
    finding.lines[0].cells[contender.name] = std::to_string(result.kinds_lost);
    finding.lines[1].cells[contender.name] = std::to_string(result.told);
    finding.lines[2].cells[contender.name] = !result.alive ? "dead"
                                             : result.zombies > 0
                                                 ? std::to_string(result.zombies) + " Z"
                                                 : "yes";
    if (contender.name != kOurs) continue;
    finding.budgets.push_back(
        {"storm of 10,000: " + std::to_string(result.kinds_lost) + " kinds lost, " +
             std::to_string(result.zombies) + " zombies, " +
             (result.alive ? "alive and relaying, " : "dead, ") +
             (result.ends_with_it ? "ends with its child" : "does not end with its child"),
         result.flawless()});
  }
  return finding;
}

}  // namespace pw::bench
