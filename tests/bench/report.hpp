#pragma once
#include <map>
#include <string>
#include <vector>

#include "contender.hpp"

namespace pw::bench {

/// One row of the table: a cell per contender, by name; missing cells are left empty.
struct Line {
  std::string what;
  std::map<std::string, std::string> cells;
};

/// One row of section 13 of the design, with the sentence that tells why it holds or not.
struct Budget {
  std::string sentence;
  bool holds = false;
};

struct Finding {
  std::vector<Line> lines;
  std::vector<Budget> budgets;

  bool holds() const;
};

/// "start: 312 us <= 1.05 x catatonit (310 us)", and whether that is so.
Budget at_most(const std::string& what, double ours, double factor, const std::string& peer,
               double theirs);

void print(const Field& field, const Finding& finding);

}  // namespace pw::bench
