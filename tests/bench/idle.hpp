#pragma once
#include <vector>

#include "proc.hpp"
#include "report.hpp"
#include "run.hpp"

namespace pw::bench {

/// Watches wrappers whose child does nothing, for 10 s: other measurements fill the time.
class Idle {
 public:
  explicit Idle(const Field& field);
  Finding finish();

 private:
  struct Watched {
    std::string name;
    Run run;
    ProcessFacts before;
  };

  const Field& field_;
  std::vector<Watched> watched_;
  Instant since_;
};

}  // namespace pw::bench
