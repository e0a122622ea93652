#include "idle.hpp"

#include <stdexcept>

#include "clock.hpp"
#include "sample.hpp"

namespace pw::bench {
namespace {

constexpr Seconds kWatch{10};
constexpr Millis kSettle{500};
constexpr int kCopies = 32;
constexpr long kAllowedRssKb = 2500;
constexpr long kAllowedPrivateKb = 100;

Run start(const Contender& contender, const std::string& program) {
  Run run(contender.plain + Words{program});
  if (!run.ready(Seconds(10))) throw std::runtime_error(contender.name + " did not start");
  return run;
}

double mean_private_kb(const Contender& contender, const std::string& program) {
  std::vector<Run> copies;
  for (int copy = 0; copy < kCopies; ++copy) copies.push_back(start(contender, program));
  sleep_for(Millis(100));
  long sum = 0;
  for (const Run& copy : copies) sum += facts_of(copy.pid()).private_kb;
  return static_cast<double>(sum) / kCopies;
}

std::string sentence(std::size_t processes, const ProcessFacts& before, const ProcessFacts& after) {
  return "idle: " + std::to_string(processes) + " process, " + std::to_string(after.threads) +
         " thread, " + std::to_string(after.switches - before.switches) + " wake-ups, " +
         std::to_string(after.cpu_ticks - before.cpu_ticks) + " ticks of CPU in 10 s";
}

std::string kb(long value) { return std::to_string(value); }

}  // namespace

Idle::Idle(const Field& field) : field_(field) {
  for (const Contender& contender : field.contenders) {
    if (contender.name == kNone) continue;
    watched_.push_back({contender.name, start(contender, field.echo_signal), {}});
  }
  sleep_for(kSettle);
  for (Watched& watched : watched_) watched.before = facts_of(watched.run.pid());
  since_ = now();
}

Finding Idle::finish() {
  sleep_for(since_ + kWatch - now());
  Finding finding{{{"idle: wake-ups in 10 s", {}}, {"  RSS, kB", {}}, {"  private of 32, kB", {}}},
                  {}};
  for (const Watched& watched : watched_) {
    const ProcessFacts after = facts_of(watched.run.pid());
    finding.lines[0].cells[watched.name] = std::to_string(after.switches - watched.before.switches);
    finding.lines[1].cells[watched.name] = kb(after.rss_kb);
    if (watched.name != kOurs) continue;
    // Its children are the trainer and, if there were any, helpers.
    const std::size_t processes = children_of(watched.run.pid()).size();
    const bool still =
        after.switches == watched.before.switches && after.cpu_ticks == watched.before.cpu_ticks;
    finding.budgets.push_back({sentence(processes, watched.before, after),
                               processes == 1 && after.threads == 1 && still});
    finding.budgets.push_back(
        {"idle: RSS " + kb(after.rss_kb) + " kB, allowed " + kb(kAllowedRssKb),
         after.rss_kb <= kAllowedRssKb});
  }
  watched_.clear();
  for (const Contender& contender : field_.contenders) {
    if (contender.name == kNone || contender.name == kBash) continue;
    const double mean = mean_private_kb(contender, field_.echo_signal);
    finding.lines[2].cells[contender.name] = text(mean);
    if (contender.name != kOurs) continue;
    finding.budgets.push_back({"idle: " + text(mean) +
                                   " kB private per copy at 32 copies, allowed " +
                                   kb(kAllowedPrivateKb),
                               mean <= kAllowedPrivateKb});
  }
  return finding;
}

}  // namespace pw::bench
