#include "core/rank_roll.hpp"

#include <doctest/doctest.h>

#include "core/siblings.hpp"

using namespace pw;

namespace {

using Verdict = RankRoll::Verdict;
using Living = std::vector<std::optional<int>>;

constexpr Instant kNow{Seconds(100)};
constexpr Instant kLimit{Seconds(180)};

}  // namespace

TEST_CASE("a rank leaves when all have ended, when the roll is dissolved, or at the limit") {
  RankRoll roll({.rank = 1, .count = 3});
  CHECK(roll.verdict(kNow, kLimit) == Verdict::waiting);
  roll.ended(0);
  roll.ended(0);
  roll.ended(-1);
  roll.ended(3);
  CHECK(roll.verdict(kNow, kLimit) == Verdict::waiting);
  CHECK(roll.verdict(kLimit, kLimit) == Verdict::limit);
  RankRoll dissolved = roll;
  dissolved.dissolved();
  CHECK(dissolved.verdict(kNow, kLimit) == Verdict::all_ended);
  roll.ended(2);
  CHECK(roll.verdict(kNow, kLimit) == Verdict::all_ended);
  CHECK(roll.verdict(kLimit, kLimit) == Verdict::all_ended);
}

TEST_CASE("who is not seen on our node has ended, and says nothing of other nodes") {
  struct Row {
    Living living;
    const char* missing;
  };
  const Row rows[] = {
      {{0, 2}, "ranks 0, 2-4 of 5"},
      {{2}, "ranks 2-4 of 5"},
      {{}, "ranks 3, 4 of 5"},
      {{std::nullopt}, "ranks 0, 2-4 of 5"},
      {{std::nullopt, 0}, "ranks 0, 2-4 of 5"},
      {{4}, "ranks 3, 4 of 5"},
  };
  for (const Row& row : rows) {
    RankRoll roll({.rank = 1, .count = 5, .here = {0, 1, 2}});
    roll.saw_node(row.living);
    CHECK(roll.missing_text() == row.missing);
  }
  RankRoll unknown({.rank = 1, .count = 5});
  unknown.saw_node({});
  CHECK(unknown.missing_text() == "ranks 0, 2-4 of 5");
}

TEST_CASE("who is waited for, in a sentence") {
  RankRoll roll({.rank = 0, .count = 4});
  CHECK(roll.missing_text() == "ranks 1-3 of 4");
  roll.ended(2);
  CHECK(roll.missing_text() == "ranks 1, 3 of 4");
  roll.ended(1);
  CHECK(roll.missing_text() == "rank 3 of 4");
  roll.ended(3);
  CHECK(roll.missing_text() == "");
  RankRoll many({.rank = 0, .count = 1000});
  for (int rank = 2; rank < 1000; rank += 2) many.ended(rank);
  CHECK(many.missing_text() == "ranks 1, 3, 5, 7, 9, 11 and 494 more of 1000");
}

TEST_CASE("which siblings still work") {
  const auto process = [](int pid, int parent, const char* name, char state = 'S') {
    return ProcessEntry{.id = {pid, 1}, .parent = parent, .state = state, .name = name};
  };
  const ProcessEntry us = process(10, 5, "preempt-wrap", 'R');
  struct Row {
    const char* what;
    std::vector<ProcessEntry> others;
    bool works;  // the one with PID 20
  };
  const Row rows[] = {
      {"a trainer lives", {process(20, 5, "preempt-wrap"), process(21, 20, "python")}, true},
      {"stopped counts", {process(20, 5, "preempt-wrap"), process(21, 20, "python", 'T')}, true},
      {"it has ended", {process(20, 5, "preempt-wrap"), process(21, 20, "python", 'Z')}, false},
      {"nothing below", {process(20, 5, "preempt-wrap")}, false},
      {"own helpers", {process(20, 5, "preempt-wrap"), process(21, 20, "preempt-wrap")}, false},
      {"a nested wrapper",
       {process(20, 5, "preempt-wrap"), process(21, 20, "preempt-wrap"), process(22, 21, "python")},
       true},
      {"behind a dead launcher",
       {process(20, 5, "preempt-wrap"), process(21, 20, "bash", 'Z'), process(22, 21, "python")},
       true},
      {"a zombie", {process(20, 5, "preempt-wrap", 'Z'), process(21, 20, "python")}, false},
      {"a bare program", {process(20, 5, "python")}, true},
      {"a bare program's zombie", {process(20, 5, "python", 'Z')}, false},
      {"slurmstepd's own", {process(20, 5, "slurmstepd")}, false},
      {"another step's", {process(20, 6, "python")}, false},
      {"gone", {}, false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    std::vector<ProcessEntry> table = row.others;
    table.push_back(us);
    table.push_back(process(11, 10, "preempt-wrap"));
    table.push_back(process(5, 1, "slurmstepd"));
    const auto working = working_siblings(table, 5, us);
    CHECK(working == (row.works ? std::vector<ProcessId>{{20, 1}} : std::vector<ProcessId>{}));
  }
}
