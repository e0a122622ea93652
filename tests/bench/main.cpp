#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include "idle.hpp"
#include "measure.hpp"

// bench BINARY: exit 0 when all budgets hold, 1 when one does not, 77 when a peer is missing.
namespace pw::bench {
namespace {

constexpr int kSkipped = 77;
// What is counted (lost signals, processes, bytes) has one try.
constexpr int kTries = 3;

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && std::string(value) == "1";
}

void append(Finding& all, Finding more) {
  all.lines.insert(all.lines.end(), more.lines.begin(), more.lines.end());
  all.budgets.insert(all.budgets.end(), more.budgets.begin(), more.budgets.end());
}

// A measurement in microseconds; the machine is shared, so it is tried until each of its budgets
// has held once.
class Timed {
 public:
  explicit Timed(Finding (*measure)(Field&)) : measure_(measure) {}

  Finding run(Field& field) {
    Finding finding = measure_(field);
    held_.resize(finding.budgets.size());
    for (std::size_t i = 0; i < held_.size(); ++i) {
      held_[i] = held_[i] || finding.budgets[i].holds;
    }
    return finding;
  }
  bool holds() const { return std::find(held_.begin(), held_.end(), false) == held_.end(); }

 private:
  Finding (*measure_)(Field&);
  std::vector<bool> held_;
};

bool all_hold(Field& field, const FreshCopies& copies) {
  std::vector<Timed> timed{Timed(measure_start), Timed(measure_relay), Timed(measure_escalation)};
  Idle idle(field);
  Finding all;
  for (Timed& measurement : timed) append(all, measurement.run(field));
  Finding counted = measure_storm(field);
  append(counted, measure_race(field));
  append(counted, measure_size(field));
  append(counted, idle.finish());
  append(all, counted);
  print(field, all);
  for (int attempt = 2; attempt <= kTries; ++attempt) {
    std::erase_if(timed, [](const Timed& measurement) { return measurement.holds(); });
    if (timed.empty()) break;
    copies.renew();
    std::printf("\ntry %d of %d of what did not hold\n", attempt, kTries);
    Finding again;
    for (Timed& measurement : timed) append(again, measurement.run(field));
    print(field, again);
  }
  return counted.holds() &&
         std::all_of(timed.begin(), timed.end(), [](const Timed& m) { return m.holds(); });
}

int skip(const std::vector<std::string>& missing) {
  std::string names;
  for (const std::string& peer : missing) names += " " + peer;
  std::printf("skipped: not installed:%s\n", names.c_str());
  return is_set("PW_REQUIRE_ALL") ? 1 : kSkipped;
}

int run(const std::string& binary) {
  if (const auto missing = missing_peers(); !missing.empty()) return skip(missing);
  keep_house();
  const auto programs = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  FreshCopies copies(programs);
  Field field = make_field(binary, programs, copies);
  if (is_set("PW_FULL")) field.effort = 4;
  const bool good = all_hold(field, copies);
  std::printf("bench: %s\n", good ? "all budgets hold" : "a budget does not hold");
  return good ? 0 : 1;
}

}  // namespace
}  // namespace pw::bench

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: bench BINARY\n");
    return 2;
  }
  try {
    return pw::bench::run(argv[1]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench: %s\n", error.what());
    return 1;
  }
}
