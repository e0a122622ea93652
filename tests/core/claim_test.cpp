#include "core/claim.hpp"

#include <doctest/doctest.h>

using namespace pw;

namespace {

const Claimant kOwner{.host = "n1", .boot = "b-1", .space = 4026531836, .process = {4711, 99}};

Claimant with(void (*change)(Claimant&)) {
  Claimant other = kOwner;
  change(other);
  return other;
}

}  // namespace

TEST_CASE("a claim is one line, and is read back") {
  CHECK(encode({Claim::State::trying, kOwner}) == "trying n1 4711 99 b-1 4026531836");
  for (const auto state : {Claim::State::trying, Claim::State::done, Claim::State::withdrawn}) {
    const Claim claim{state, kOwner};
    CHECK(parse_claim(encode(claim)) == claim);
  }
  const Claimant odd{.host = "a host\n", .boot = "", .space = 0, .process = {1, 0}};
  CHECK(encode({Claim::State::done, odd}) == "done a_host_ 1 0 - 0");
}

TEST_CASE("what is no claim is not taken for one") {
  const char* const rows[] = {
      "",
      "trying",
      "trying n1 4711 99 b-1",
      "trying n1 4711 99 b-1 4026531836 more",
      "tryin n1 4711 99 b-1 4026531836",
      "done n1 0 99 b-1 4026531836",
      "done n1 -4 99 b-1 4026531836",
      "done n1 4711 99 b-1 x",
      "done n1 99999999999 99 b-1 4026531836",
      "done n1 4711 99999999999999999999 b-1 4026531836",
      "done  4711 99 b-1 4026531836",
      "done n\t1 4711 99 b-1 4026531836",
      "/home/ada/elsewhere",
  };
  for (const char* row : rows) {
    CAPTURE(row);
    CHECK_FALSE(parse_claim(row));
  }
}

TEST_CASE("only what was in our own sight can be proven gone") {
  CHECK(within_sight(kOwner, kOwner));
  CHECK(within_sight(kOwner, with([](Claimant& c) { c.process = {1, 1}; })));
  CHECK_FALSE(within_sight(kOwner, with([](Claimant& c) { c.host = "n2"; })));
  CHECK_FALSE(within_sight(kOwner, with([](Claimant& c) { c.boot = "b-2"; })));
  CHECK_FALSE(within_sight(kOwner, with([](Claimant& c) { c.space = 4026532000; })));
  const Claimant blind = with([](Claimant& c) { c.space = 0; });
  CHECK_FALSE(within_sight(blind, blind));
  const Claimant unbooted = with([](Claimant& c) { c.boot = "-"; });
  CHECK_FALSE(within_sight(unbooted, unbooted));
}
