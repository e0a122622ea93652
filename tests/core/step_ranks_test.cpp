#include "core/step_ranks.hpp"

#include <doctest/doctest.h>

using namespace pw;

TEST_CASE("tasks per node, as Slurm writes them") {
  struct Row {
    const char* text;
    std::int64_t node;
    std::int64_t here;  // 0 with all 0: nothing
    std::int64_t all;
  };
  const Row rows[] = {{"1", 0, 1, 1},
                      {"4", 0, 4, 4},
                      {"2(x3),1", 0, 2, 7},
                      {"2(x3),1", 2, 2, 7},
                      {"2(x3),1", 3, 1, 7},
                      {"2(x3),1", 4, 0, 0},
                      {"1,2,3", 1, 2, 6},
                      {"8(x125000)", 124999, 8, 1000000},
                      {"8(x125001)", 0, 0, 0},
                      {"1000000(x1000000)", 0, 0, 0},
                      {"1(x9223372036854775807)", 0, 0, 0},
                      {"99999999999999999999", 0, 0, 0},
                      {"", 0, 0, 0},
                      {"2(x3", 0, 0, 0},
                      {"2(x)", 0, 0, 0},
                      {"2(x0)", 0, 0, 0},
                      {"2(3)", 0, 0, 0},
                      {"(x3)", 0, 0, 0},
                      {"2(x3)1", 0, 0, 0},
                      {"-2", 0, 0, 0},
                      {"2,", 0, 0, 0},
                      {",2", 0, 0, 0},
                      {" 2", 0, 0, 0}};
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CAPTURE(row.node);
    const auto tasks = node_tasks(row.text, row.node);
    CHECK(tasks.has_value() == (row.all > 0));
    if (!tasks) continue;
    CHECK(tasks->here == row.here);
    CHECK(tasks->all == row.all);
  }
}

TEST_CASE("one task among those of its step, and who is on its node") {
  using Ranks = std::vector<int>;
  struct Row {
    const char* what;
    StepRankWords words;  // rank, count, node, tasks per node, ranks of the node
    std::optional<Ranks> here;
  };
  const Row rows[] = {
      {"one node", {"1", "4", "0", "4", "0,1,2,3"}, Ranks{0, 1, 2, 3}},
      {"one node, no list", {"1", "4", "0", "4", ""}, Ranks{0, 1, 2, 3}},
      {"block", {"3", "5", "1", "3,2", "3,4"}, Ranks{3, 4}},
      {"cyclic", {"3", "4", "1", "2(x2)", "3,1"}, Ranks{1, 3}},
      {"cyclic, of Slurm 22.05.8", {"2", "5", "0", "4,1", "0,2,3,4"}, Ranks{0, 2, 3, 4}},
      {"no list", {"3", "4", "1", "2(x2)", ""}, Ranks{}},
      {"only a list", {"3", "4", "", "", "1,3"}, Ranks{1, 3}},
      {"of the whole job", {"3", "4", "1", "8(x2)", "1,3"}, Ranks{1, 3}},
      {"list of the batch script", {"0", "4", "0", "2(x2)", "0"}, Ranks{}},
      {"list without us", {"3", "4", "1", "2(x2)", "0,1"}, Ranks{}},
      {"list too long", {"3", "4", "1", "2(x2)", "0,1,3"}, Ranks{}},
      {"list with one twice", {"3", "4", "1", "2(x2)", "3,3"}, Ranks{}},
      {"list beyond the step", {"3", "4", "1", "2(x2)", "3,4"}, Ranks{}},
      {"list garbled", {"3", "4", "1", "2(x2)", "1-3"}, Ranks{}},
      {"node beyond the step", {"3", "4", "9", "2(x2)", ""}, Ranks{}},
      {"nonsense around", {"3", "4", "x", "?(!", "\n"}, Ranks{}},
      {"one task", {"0", "1", "0", "1", "0"}, {}},
      {"no count", {"0", "", "0", "2", "0"}, {}},
      {"no rank", {"", "4", "0", "4", ""}, {}},
      {"rank beyond", {"4", "4", "0", "4", ""}, {}},
      {"negative", {"-1", "4", "0", "4", ""}, {}},
      {"absurd", {"0", "1000001", "0", "4", ""}, {}},
      {"no task", {"0", "0", "0", "0", ""}, {}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const auto ranks = step_ranks(row.words);
    CHECK(ranks.has_value() == row.here.has_value());
    if (!ranks || !row.here) continue;
    CHECK(ranks->here == *row.here);
    CHECK(std::to_string(ranks->rank) == row.words.rank);
    CHECK(std::to_string(ranks->count) == row.words.count);
    CHECK(ranks->all_here() == (row.here->size() == static_cast<std::size_t>(ranks->count)));
  }
}
