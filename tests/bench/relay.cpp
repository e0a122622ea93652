#include <algorithm>
#include <map>
#include <random>
#include <stdexcept>

#include "measure.hpp"
#include "sample.hpp"

namespace pw::bench {
namespace {

// Fresh processes for each batch: on which processors the kernel puts a wrapper and its child is
// luck, worth more than what is measured, and stays with them.
constexpr int kBatches = 60;
constexpr int kRounds = 15;
// Of the two that are compared.
constexpr int kCopies = 3;
constexpr Millis kLost{50};

struct Relay {
  const Contender* contender;
  Run run;
};

std::vector<Relay> start_all(Field& field) {
  std::vector<const Contender*> order;
  for (const Contender& contender : field.contenders) {
    const bool compared = contender.name == kOurs || contender.name == kReference;
    order.insert(order.end(), compared ? kCopies : 1, &contender);
  }
  std::shuffle(order.begin(), order.end(), field.random);
  std::vector<Relay> relays;
  for (const Contender* contender : order) {
    relays.push_back({contender, Run(contender->relay + Words{field.echo_signal})});
  }
  for (Relay& relay : relays) {
    if (!relay.run.ready(Seconds(10))) throw std::runtime_error("a relay did not start");
  }
  sleep_for(Millis(8));  // until the wrappers sleep; bash sets its traps after the start
  return relays;
}

void run_batch(Field& field, std::map<std::string, Sample>& samples) {
  std::vector<Relay> relays = start_all(field);
  std::uniform_int_distribution<int> pause_micros(100, 300);
  for (int round = 0; round < kRounds; ++round) {
    std::shuffle(relays.begin(), relays.end(), field.random);
    for (Relay& relay : relays) {
      sleep_for(Micros(pause_micros(field.random)));
      const Instant sent = now();
      relay.run.send(SIGUSR1);
      const auto told = relay.run.next(SIGUSR1, kLost);
      if (told) samples[relay.contender->name].add(in_micros(instant_of(*told) - sent));
    }
  }
}

}  // namespace

Finding measure_relay(Field& field) {
  std::map<std::string, Sample> samples;
  for (int batch = 0; batch < kBatches * field.effort; ++batch) run_batch(field, samples);
  const double reference = samples[kReference].median();
  Line p50{"relay p50, us", {}};
  Line p99{"  p99", {}};
  Line ratio{"  p50 x reference", {}};
  for (const auto& [name, sample] : samples) {
    p50.cells[name] = text(sample.median(), 1);
    p99.cells[name] = text(sample.quantile(0.99), 1);
    ratio.cells[name] = text(sample.median() / reference, 2);
  }
  return {{p50, ratio, p99},
          {at_most("relay p50", samples[kOurs].median(), 1.15, kReference, reference)}};
}

}  // namespace pw::bench
