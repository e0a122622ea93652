#include "core/gate_policy.hpp"

#include <doctest/doctest.h>

namespace pw {
namespace {

using namespace gate_rules;

constexpr GateTime kZero{Seconds(1'764'000'000)};
constexpr GateLimits kRate{.spacing = Seconds(1)};
constexpr GateLimits kTwo{.max_starting = 2};

GateTime at(double seconds) { return kZero + Nanos(static_cast<std::int64_t>(seconds * 1e9)); }

GateRecord crowded() {
  GateRecord record = fresh(0xffffffff, kZero);
  record.tickets = 40'000;
  record.admitted = 39'000;
  record.reserved = 1'000'000;
  record.next = at(5e5);
  record.start_up = Seconds(100);
  record.blocked_until = at(30);
  for (std::uint64_t n = 0; n < kMostLeases; ++n) {
    const bool started = n >= kMostUnclaimed;
    record.leases.push_back({.ticket = 1 + n,
                             .start = at(started ? -600.0 : 500'000.123),
                             .until = at(started ? 60.0 : 500'030.123),
                             .started = started});
  }
  for (std::size_t n = 0; n < kMostFreed; ++n) record.freed.push_back(at(1e5 + double(n)));
  for (std::uint64_t n = 0; n < 8; ++n) record.gone.push_back(39'900 + 2 * n);
  return record;
}

}  // namespace

TEST_CASE("how long until a place is free: by the start-ups seen, before that by a guess") {
  GateRecord record = fresh(1, kZero);
  CHECK(estimate(record, kTwo, 4) == Seconds(2));
  CHECK(estimate(record, {.max_starting = 2, .first_guess = Seconds(8)}, 4) == Seconds(16));
  record.start_up = Seconds(20);
  CHECK(estimate(record, {.max_starting = 2, .first_guess = Seconds(8)}, 4) == Seconds(40));
}

TEST_CASE("the longest record fits, and reading and writing again moves nothing") {
  const std::string text = encode(crowded());
  CHECK(text.size() <= 900);
  auto read = decode_gate_record(text);
  REQUIRE(read);
  CHECK(read->leases.size() == kMostLeases);
  CHECK(read->gone.size() == 8);
  CHECK(encode(*read) == text);
  // Also under another writer's clock: a lease must not creep.
  const auto until = read->leases.back().until;
  for (int n = 0; n < 100; ++n) {
    read->clock += Millis(7);
    read = decode_gate_record(encode(*read));
    REQUIRE(read);
  }
  CHECK(read->leases.back().until == until);
}

TEST_CASE("what is no record is none") {
  const std::string good = encode(fresh(1, kZero));
  REQUIRE(decode_gate_record(good));
  for (const std::string& bad :
       {std::string(), std::string("pw1"), std::string("pw2") + good.substr(3),
        good + " L=", good + " L=1:2", good + " L=9:1:1", good + " z=1",
        good.substr(0, good.size() - 4), good + " X=-1", std::string("garbage")}) {
    CAPTURE(bad);
    CHECK_FALSE(decode_gate_record(bad));
  }
}

TEST_CASE("starts are one spacing apart, from the first free moment on") {
  GateRecord record = fresh(1, kZero);
  CHECK(reserve(record, kRate, at(0)) == at(0));
  CHECK(reserve(record, kRate, at(0)) == at(1));
  CHECK(reserve(record, kRate, at(0.5)) == at(2));
  CHECK(reserve(record, kRate, at(10)) == at(10));
  CHECK(reserve(record, kRate, at(10)) == at(11));
}

TEST_CASE("a start that is given back goes to the next one") {
  GateRecord record = fresh(1, kZero);
  for (int n = 0; n < 4; ++n) reserve(record, kRate, at(0));
  give_back(record, kRate, at(3), at(0));  // the last one
  CHECK(record.next == at(3));
  give_back(record, kRate, at(1), at(0));  // one in the middle
  CHECK(reserve(record, kRate, at(0)) == at(1));
  CHECK(reserve(record, kRate, at(0)) == at(3));
  give_back(record, kRate, at(0), at(2));  // one that has passed
  CHECK(reserve(record, kRate, at(2)) == at(4));
}

TEST_CASE("tickets are let in in order, at most so many at a time") {
  GateRecord record = fresh(1, kZero);
  for (std::uint64_t n = 1; n <= 4; ++n) CHECK(join(record, kTwo, at(0)) == n);
  CHECK(advance(record, kTwo, at(0)));
  CHECK(lease_of(record, 1) != nullptr);
  CHECK(lease_of(record, 2) != nullptr);
  CHECK(lease_of(record, 3) == nullptr);
  CHECK_FALSE(advance(record, kTwo, at(0)));
  CHECK(claim(record, kTwo, 1, at(0)));
  release(record, kTwo, 1, at(20));
  CHECK(record.start_up == Seconds(20));
  CHECK(lease_of(record, 3) != nullptr);
}

TEST_CASE("a slow rate lets nobody in so early that the record could not be read again") {
  const GateLimits slow{.spacing = std::chrono::hours(20), .max_starting = 20};
  GateRecord record = fresh(1, kZero);
  for (int n = 0; n < 20; ++n) {
    join(record, slow, at(0));
    advance(record, slow, at(0));
    REQUIRE(decode_gate_record(encode(record)));
  }
  CHECK(lease_of(record, 9) != nullptr);
  CHECK(lease_of(record, 10) == nullptr);
}

TEST_CASE("who does not claim is taken for dead") {
  GateRecord record = fresh(1, kZero);
  join(record, kTwo, at(0));
  advance(record, kTwo, at(0));
  CHECK_FALSE(claim(record, kTwo, 1, at(31)));
  CHECK(record.leases.empty());
}

TEST_CASE("a lease lasts as long as it is renewed") {
  GateRecord record = fresh(1, kZero);
  join(record, kTwo, at(0));
  advance(record, kTwo, at(0));
  claim(record, kTwo, 1, at(0));
  renew(record, 1, at(0), at(40));
  bring_up_to(record, at(99));
  CHECK(lease_of(record, 1) != nullptr);
  bring_up_to(record, at(101));
  CHECK(lease_of(record, 1) == nullptr);
  renew(record, 1, at(0), at(102));  // it lives after all
  CHECK(lease_of(record, 1) != nullptr);
}

TEST_CASE("a ticket that is given back is skipped") {
  GateRecord record = fresh(1, kZero);
  for (int n = 0; n < 5; ++n) join(record, kTwo, at(0));
  leave(record, kTwo, 5, at(0));
  CHECK(record.tickets == 4);
  leave(record, kTwo, 4, at(0));
  leave(record, kTwo, 1, at(0));  // let in by then
  CHECK(lease_of(record, 1) == nullptr);
  CHECK(join(record, kTwo, at(0)) == 4);
  CHECK(lease_of(record, 3) != nullptr);
}

TEST_CASE("many tickets that are given back at once hold nobody up") {
  const GateLimits one{.max_starting = 1};
  for (const std::uint64_t step : {1U, 2U}) {  // all of a block, or every second one
    CAPTURE(step);
    GateRecord record = fresh(1, kZero);
    for (int n = 0; n < 300; ++n) join(record, one, at(0));
    advance(record, one, at(0));
    REQUIRE(claim(record, one, 1, at(0)));
    for (std::uint64_t ticket = 200; ticket > 1; ticket -= std::min(ticket, step)) {
      leave(record, one, ticket, at(1));
      record = *decode_gate_record(encode(record));
    }
    release(record, one, 1, at(2));
    CHECK(lease_of(record, step == 1 ? 201 : 3) != nullptr);
    CHECK(encode(record).size() <= kRecordMost);
    CHECK(decode_gate_record(encode(record)));
  }
}

TEST_CASE("records that were lost give nobody a second place") {
  GateRecord record = fresh(1, kZero);
  reserve(record, kRate, at(0));
  bridge(record, 3, kRate, at(0));
  CHECK(reserve(record, kRate, at(0)) >= at(4));
  GateRecord queue = fresh(1, kZero);
  join(queue, kTwo, at(0));
  bridge(queue, 2, kTwo, at(0));
  CHECK(join(queue, kTwo, at(0)) == 4);
  CHECK_FALSE(advance(queue, kTwo, at(59)));
  CHECK(advance(queue, kTwo, at(60)));
}

TEST_CASE("clocks that differ") {
  GateRecord record = fresh(1, kZero);
  CHECK(reserve(record, kRate, at(200)) == at(200));
  // Behind: the gate's clock does not go back.
  CHECK(reserve(record, kRate, at(0)) == at(201));
  CHECK(record.clock == at(200));
  // So far ahead that it is wrong: nobody waits for it.
  CHECK(reserve(record, kRate, at(1200)) == at(1200));
  CHECK(reserve(record, kRate, at(201)) <= at(203));
  GateRecord queue = fresh(1, kZero);
  join(queue, kTwo, at(600));
  advance(queue, kTwo, at(600));
  join(queue, kTwo, at(0));
  CHECK(lease_of(queue, 1)->start <= at(1));
}

TEST_CASE("a leap of the clock ends no lease, time does") {
  GateRecord record = fresh(1, kZero);
  for (int n = 0; n < 2; ++n) join(record, kTwo, at(0));
  advance(record, kTwo, at(0));
  for (const std::uint64_t ticket : {1, 2}) claim(record, kTwo, ticket, at(0));
  for (const double ahead : {200.0, 600.0, 86'400.0}) {
    CAPTURE(ahead);
    GateRecord leapt = record;
    join(leapt, kTwo, at(1 + ahead));
    CHECK(leapt.leases.size() == 2);
    CHECK_FALSE(advance(leapt, kTwo, at(1 + ahead)));
    CHECK(advance(leapt, kTwo, at(62 + ahead)));
  }
  CHECK(lease_of(record, 1) != nullptr);
  bring_up_to(record, at(61));
  CHECK(record.leases.empty());
}

TEST_CASE("what a wrong clock wrote is to be written down when it is put right") {
  GateRecord record = fresh(1, kZero);
  join(record, kTwo, at(86'400));
  advance(record, kTwo, at(86'400));
  claim(record, kTwo, 1, at(86'400));
  bring_up_to(record, at(0));
  CHECK(record.amended);
  CHECK(record.leases.front().until == at(60));
  GateRecord again = *decode_gate_record(encode(record));
  bring_up_to(again, at(1));
  CHECK_FALSE(again.amended);
  CHECK(again.leases.front().until == at(60));
}

TEST_CASE("lost records of a clock that was ahead give nobody a second start") {
  GateRecord record = fresh(1, kZero);
  GateRecord lost = record;
  const GateTime start = reserve(lost, kRate, at(4));
  bridge(record, 1, kRate, at(0));
  CHECK(reserve(record, kRate, at(0)) >= start + kRate.spacing);
}

}  // namespace pw
