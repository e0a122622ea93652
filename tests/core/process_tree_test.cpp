#include "core/process_tree.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace pw;

namespace {

ProcessEntry row(int pid, int parent, char state = 'S', int threads = 1) {
  return {.id = {pid, static_cast<std::uint64_t>(pid) * 10},
          .parent = parent,
          .group = 0,
          .state = state,
          .threads = threads,
          .name = "p"};
}

std::vector<int> pids(const std::vector<ProcessEntry>& entries) {
  std::vector<int> result;
  for (const ProcessEntry& entry : entries) result.push_back(entry.id.pid);
  std::sort(result.begin(), result.end());
  return result;
}

}  // namespace

TEST_CASE("the tree is who descends from us and lives") {
  const std::vector<ProcessEntry> table{
      row(1, 0),   row(10, 1), row(11, 10), row(12, 11),         row(13, 10, 'Z'),
      row(14, 13), row(20, 1), row(21, 20), row(15, 10, 'Z', 3), row(16, 10, 'X')};
  CHECK(pids(living_descendants(table, 10, {})) == std::vector<int>{11, 12, 14, 15});
  CHECK(pids(living_descendants(table, 99, {})).empty());
}

TEST_CASE("what is excluded takes its descendants along, but only with the right start time") {
  const std::vector<ProcessEntry> table{row(10, 1), row(11, 10), row(12, 11), row(13, 10)};
  const std::vector<ProcessId> helper{{11, 110}};
  const std::vector<ProcessId> reused{{11, 7}};
  CHECK(pids(living_descendants(table, 10, helper)) == std::vector<int>{13});
  CHECK(pids(living_descendants(table, 10, reused)) == std::vector<int>{11, 12, 13});
}

TEST_CASE("a ring of parents, as a torn snapshot may show, ends") {
  const std::vector<ProcessEntry> table{row(10, 12), row(11, 10), row(12, 11), row(13, 13)};
  CHECK(pids(living_descendants(table, 10, {})) == std::vector<int>{11, 12});
}
