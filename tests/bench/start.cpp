#include <map>
#include <stdexcept>

#include "measure.hpp"
#include "sample.hpp"

namespace pw::bench {
namespace {

constexpr int kRounds = 500;
constexpr int kAtOnceRounds = 125;

struct Samples {
  Sample start;    // before the spawn of the wrapper -> main of the child
  Sample exit;     // before _exit of the child -> the wrapper is reaped
  Sample at_once;  // before the spawn -> the wrapper is reaped, of a child that exits at once
};

enum class Child { settles, exits_at_once };

void run_once(const Words& wrapper, const std::string& stamp, Child child, Samples& samples) {
  const Words at_once = child == Child::settles ? Words{} : Words{"at-once"};
  Run run(wrapper + Words{stamp} + at_once);
  const auto ended = run.wait(Seconds(10));
  const auto first = run.next(Millis(0));
  const auto last = run.next(Millis(0));
  if (!ended || ended->status != 0 || !last) throw std::runtime_error("stamp did not run");
  if (child == Child::exits_at_once) return samples.at_once.add(in_micros(ended->at - run.begun()));
  samples.start.add(in_micros(instant_of(*first) - run.begun()));
  samples.exit.add(in_micros(ended->at - instant_of(*last)));
}

// Of all contenders.
class Quantiles {
 public:
  Quantiles(const std::map<std::string, Samples>& all, Sample Samples::*which, double part = 0.5) {
    for (const auto& [name, samples] : all) values_[name] = (samples.*which).quantile(part);
  }
  double of(const std::string& name) const { return values_.at(name); }
  Line line(const std::string& what) const { return row(what, 1, 0); }
  Line ratios(const std::string& what = "  x catatonit") const {
    return row(what, of(kCatatonit), 2);
  }
  Budget within(const std::string& what, double factor, const std::string& peer) const {
    return at_most(what, of(kOurs), factor, peer, of(peer));
  }

 private:
  Line row(const std::string& what, double unit, int decimals) const {
    Line line{what, {}};
    for (const auto& [name, value] : values_) line.cells[name] = text(value / unit, decimals);
    return line;
  }

  std::map<std::string, double> values_;
};

}  // namespace

Finding measure_start(Field& field) {
  std::map<std::string, Samples> all;
  for (int round = 0; round < kRounds * field.effort; ++round) {
    const bool at_once_too = round % (kRounds / kAtOnceRounds) == 0;
    for (const std::size_t place : field.shuffled()) {
      const auto& [name, plain, relay, escalate] = field.contenders[place];
      run_once(plain, field.stamp, Child::settles, all[name]);
      if (at_once_too) run_once(plain, field.stamp, Child::exits_at_once, all[name]);
    }
  }
  const Quantiles start(all, &Samples::start);
  const Quantiles exit(all, &Samples::exit);
  const Quantiles at_once(all, &Samples::at_once);
  // Information: other work on the machine reaches these the least.
  const Line start_p10 = Quantiles(all, &Samples::start, 0.1).ratios("  p10 x catatonit");
  const Line exit_p10 = Quantiles(all, &Samples::exit, 0.1).ratios("  p10 x catatonit");
  return {{start.line("start, us"), start.ratios(), start_p10, exit.line("exit overhead, us"),
           exit.ratios(), exit_p10, at_once.line("run of `true`, us"), at_once.ratios()},
          {start.within("start", 1.05, kCatatonit), start.within("start", 1, kTini),
           exit.within("exit overhead", 1.15, kCatatonit)}};
}

}  // namespace pw::bench
