#include <poll.h>
#include <sys/timerfd.h>

#include <map>

#include "measure.hpp"
#include "sample.hpp"

namespace pw::bench {
namespace {

constexpr int kBatches = 2;
constexpr int kCopies = 7;
constexpr Nanos kGrace = Millis(kGraceMillis);
// Apart, so that no two expire together and wait for each other.
constexpr Millis kApart{15};
constexpr double kAllowedMicros = 1000;

// One child that ignores everything, and what is to kill it: its wrapper, or a bare timer of ours.
struct Victim {
  Victim(const Contender& contender, const std::string& program)
      : name(contender.name), run(contender.escalate + Words{program}) {}

  std::string name;
  Run run;
  Fd death;  // pidfd of the child
  Fd timer;
  std::optional<Instant> died;
};

void begin(Victim& victim) {
  const Instant sent = now();
  victim.run.send(SIGUSR1);
  if (victim.name != kNone) return;
  const auto due = (sent + kGrace).time_since_epoch();
  const auto seconds = std::chrono::duration_cast<Seconds>(due);
  const itimerspec when{.it_interval = {}, .it_value = {seconds.count(), (due - seconds).count()}};
  victim.timer = Fd(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
  timerfd_settime(victim.timer.get(), TFD_TIMER_ABSTIME, &when, nullptr);
}

// Sees every death as it comes, and is the bare timer meanwhile.
void watch(std::vector<Victim>& victims, Instant until) {
  while (now() < until) {
    std::vector<pollfd> polled;
    for (const Victim& victim : victims) {
      polled.push_back(
          {.fd = victim.died ? -1 : victim.death.get(), .events = POLLIN, .revents = 0});
      polled.push_back({.fd = victim.timer.get(), .events = POLLIN, .revents = 0});
    }
    const auto left = std::chrono::ceil<Millis>(until - now()).count();
    poll(polled.data(), polled.size(), static_cast<int>(left));
    const Instant seen = now();
    for (std::size_t i = 0; i < victims.size(); ++i) {
      if (polled[2 * i].revents != 0) victims[i].died = seen;
      if (polled[2 * i + 1].revents == 0) continue;
      victims[i].run.send(SIGKILL);
      victims[i].timer.reset();
    }
  }
}

void run_batch(Field& field, std::map<std::string, Sample>& errors) {
  std::vector<Victim> victims;
  for (int copy = 0; copy < kCopies; ++copy) {
    for (const std::size_t place : field.shuffled()) {
      const Contender& contender = field.contenders[place];
      const bool bare = contender.name == kNone;
      if (bare || !contender.escalate.empty()) victims.emplace_back(contender, field.echo_signal);
    }
  }
  for (Victim& victim : victims) {
    if (!victim.run.ready(Seconds(10))) throw std::runtime_error("an escalation did not start");
    victim.death = open_pidfd(victim.run.child());
  }
  sleep_for(Millis(20));
  for (Victim& victim : victims) {
    begin(victim);
    sleep_for(kApart);
  }
  watch(victims, now() + kGrace + Millis(200));
  for (Victim& victim : victims) {
    const auto told = victim.run.next(SIGUSR1, Millis(0));
    if (!told || !victim.died) continue;
    errors[victim.name].add(in_micros(*victim.died - instant_of(*told) - kGrace));
  }
}

}  // namespace

Finding measure_escalation(Field& field) {
  std::map<std::string, Sample> errors;
  for (int batch = 0; batch < kBatches * field.effort; ++batch) run_batch(field, errors);
  Line median{"escalation error, us", {}};
  Line worst{"  worst", {}};
  for (const auto& [name, sample] : errors) {
    median.cells[name] = text(sample.median());
    worst.cells[name] = text(sample.quantile(1));
  }
  const double ours = errors[kOurs].median();
  const double floor = errors[kNone].median();
  const auto killed = errors[kOurs].size();
  const bool all = killed == static_cast<std::size_t>(kBatches * kCopies * field.effort);
  return {{median, worst},
          {{"escalation: " + text(ours) + " us late in the median, a bare timer " + text(floor) +
                " us, allowed 1000 us beyond it; " + std::to_string(killed) + " killed",
            all && ours <= floor + kAllowedMicros}}};
}

}  // namespace pw::bench
