#include "core/batch_doubt.hpp"

#include <doctest/doctest.h>

using namespace pw;
using namespace std::chrono_literals;

TEST_CASE("TERM and CONT of slurmstepd in a batch script") {
  const Instant start{1000h};
  BatchDoubt cont_first;
  CHECK_FALSE(cont_first.cont_came(start));
  CHECK(cont_first.term_came(start + 250ms) == Carrier::slurm);
  CHECK_FALSE(cont_first.due());

  BatchDoubt term_first;
  CHECK_FALSE(term_first.term_came(start));
  CHECK(term_first.due() == start + 300ms);
  CHECK(term_first.cont_came(start + 250ms));
  CHECK_FALSE(term_first.due());

  BatchDoubt alone;
  CHECK_FALSE(alone.cont_came(start));  // of an earlier B:USR1
  CHECK_FALSE(alone.term_came(start + 300ms));
  CHECK(alone.due() == start + 600ms);
  alone.decide();
  CHECK_FALSE(alone.due());
}
