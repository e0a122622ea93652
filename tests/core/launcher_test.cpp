#include "core/launcher.hpp"

#include <doctest/doctest.h>

using namespace pw;

TEST_CASE("how launchers take a notice to their ranks") {
  struct Row {
    const char* name;
    bool known;
    std::optional<Afterwards> ends_ranks = {};
    Signal no_more_work = 0;
  };
  const Row rows[] = {
      {"torchrun", true, Afterwards::term},
      {"accelerate", true, Afterwards::term},
      {"mpirun", true, Afterwards::nothing},
      {"parallel", true, std::nullopt, SIGHUP},
      {"bash", false},
      {"srun", false},
      {"python3", false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const LauncherManner* manner = manner_of(row.name);
    REQUIRE((manner != nullptr) == row.known);
    if (manner == nullptr) continue;
    CHECK(manner->ends_ranks == row.ends_ranks);
    CHECK(manner->no_more_work == row.no_more_work);
  }
}

TEST_CASE("an mpirun, and what it starts to reach another machine") {
  CHECK(is_mpi_launcher("mpirun"));
  CHECK_FALSE(is_mpi_launcher("srun"));
  CHECK(reaches_another_machine("ssh"));
  CHECK(reaches_another_machine("srun"));
  CHECK_FALSE(reaches_another_machine("python3"));
}
