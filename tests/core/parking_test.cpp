#include "core/parking.hpp"

#include <doctest/doctest.h>

using namespace pw;

namespace {

constexpr ProcessId kTorchrun{10, 1};
constexpr ProcessId kFirst{11, 2};
constexpr ProcessId kSecond{12, 3};
using End = Parking::End;
using What = Parking::What;

Parking with_two_ranks(Afterwards afterwards) {
  Parking parking;
  parking.watch({kFirst, kTorchrun, afterwards});
  parking.watch({kSecond, kTorchrun, afterwards});
  return parking;
}

std::optional<What> what(const std::optional<Parking::Act>& act) {
  if (!act) return std::nullopt;
  CHECK(act->launcher == kTorchrun);
  return act->what;
}

}  // namespace

TEST_CASE("a launcher is parked from the first failed rank to the last rank's end") {
  struct Row {
    Afterwards afterwards;
    End first, second;
    std::optional<What> after_first, after_second;
  };
  const Row rows[] = {
      {Afterwards::term, End::failed, End::failed, What::park, What::end},
      {Afterwards::term, End::unknown, End::failed, What::park, What::end},
      {Afterwards::term, End::failed, End::done, What::park, What::end},
      {Afterwards::term, End::done, End::failed, std::nullopt, What::end},
      {Afterwards::term, End::done, End::done, std::nullopt, std::nullopt},
      {Afterwards::nothing, End::failed, End::failed, What::park, What::go_on},
      {Afterwards::nothing, End::done, End::failed, std::nullopt, std::nullopt},
  };
  for (const Row& row : rows) {
    CAPTURE(static_cast<int>(row.first));
    CAPTURE(static_cast<int>(row.second));
    Parking parking = with_two_ranks(row.afterwards);
    CHECK(what(parking.ended(kFirst, row.first)) == row.after_first);
    CHECK(parking.parked(kTorchrun.pid) == (row.after_first == What::park));
    CHECK(what(parking.ended(kSecond, row.second)) == row.after_second);
    CHECK_FALSE(parking.parked(kTorchrun.pid));
    CHECK(parking.ranks().empty());
  }
}

TEST_CASE("a rank is watched once, and an end that was told counts no second time") {
  Parking parking = with_two_ranks(Afterwards::term);
  parking.watch({kFirst, kTorchrun, Afterwards::term});
  CHECK(parking.ranks().size() == 2);
  CHECK(what(parking.ended(kFirst, End::failed)) == What::park);
  CHECK(what(parking.ended(kFirst, End::failed)) == std::nullopt);
  CHECK(what(parking.ended({99, 9}, End::failed)) == std::nullopt);
}

TEST_CASE("nobody waits for a rank that was not told when the hold is over") {
  for (const bool first_has_ended : {true, false}) {
    CAPTURE(first_has_ended);
    Parking parking;
    parking.watch({kFirst, kTorchrun, Afterwards::term});
    parking.watch({kSecond, kTorchrun, Afterwards::term, Parking::Why::waits});
    if (first_has_ended) CHECK(what(parking.ended(kFirst, End::failed)) == What::park);
    const auto acts = parking.hold_is_over();
    REQUIRE(acts.size() == (first_has_ended ? 1 : 0));
    if (first_has_ended) CHECK(what(acts[0]) == What::end);
    CHECK_FALSE(parking.watches(kSecond));
    if (!first_has_ended) CHECK(what(parking.ended(kFirst, End::failed)) == What::end);
  }
}

TEST_CASE("a rank that was told after a while is waited for when the hold is over") {
  Parking parking;
  parking.watch({kFirst, kTorchrun, Afterwards::term});
  parking.watch({kSecond, kTorchrun, Afterwards::term, Parking::Why::waits});
  parking.watch({kSecond, kTorchrun, Afterwards::term, Parking::Why::told});
  CHECK(parking.hold_is_over().empty());
  CHECK(what(parking.ended(kFirst, End::failed)) == What::park);
  CHECK(what(parking.ended(kSecond, End::failed)) == What::end);
}

TEST_CASE("launchers do not mind the ranks of others") {
  constexpr ProcessId kOther{20, 5};
  Parking parking = with_two_ranks(Afterwards::term);
  parking.watch({{21, 6}, kOther, Afterwards::nothing});
  CHECK(parking.ended({21, 6}, End::failed) == std::nullopt);
  CHECK(parking.ranks().size() == 2);
  CHECK_FALSE(parking.parked(kTorchrun.pid));
}

TEST_CASE("who leaves the episode lets everybody go on") {
  Parking parking = with_two_ranks(Afterwards::term);
  CHECK(parking.leave().empty());
  parking = with_two_ranks(Afterwards::term);
  parking.ended(kFirst, End::failed);
  const auto acts = parking.leave();
  REQUIRE(acts.size() == 1);
  CHECK(acts[0].launcher == kTorchrun);
  CHECK(acts[0].what == What::go_on);
  CHECK(parking.ranks().empty());
  CHECK_FALSE(parking.parked(kTorchrun.pid));
}
