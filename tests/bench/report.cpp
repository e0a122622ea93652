#include "report.hpp"

#include <algorithm>
#include <cstdio>

#include "sample.hpp"

namespace pw::bench {

bool Finding::holds() const {
  return std::all_of(budgets.begin(), budgets.end(), [](const Budget& b) { return b.holds; });
}

Budget at_most(const std::string& what, double ours, double factor, const std::string& peer,
               double theirs) {
  return {what + ": " + text(ours, 1) + " us is " + text(ours / theirs, 3) + " x " + peer + " (" +
              text(theirs, 1) + " us), allowed " + text(factor, 2),
          ours <= factor * theirs};
}

void print(const Field& field, const Finding& finding) {
  std::printf("%-24s", "");
  for (const Contender& contender : field.contenders) std::printf("%13s", contender.name.c_str());
  std::printf("\n");
  for (const Line& line : finding.lines) {
    std::printf("%-24s", line.what.c_str());
    for (const Contender& contender : field.contenders) {
      const auto cell = line.cells.find(contender.name);
      std::printf("%13s", cell == line.cells.end() ? "" : cell->second.c_str());
    }
    std::printf("\n");
  }
  for (const Budget& budget : finding.budgets) {
    std::printf("  %-6s %s\n", budget.holds ? "holds" : "FAILS", budget.sentence.c_str());
  }
  std::fflush(stdout);
}

}  // namespace pw::bench
