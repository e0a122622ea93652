#include "core/targets.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <set>

#include "fake_tree.hpp"

using namespace pw;

namespace {

std::string pids(const std::vector<ProcessEntry>& processes) {
  std::vector<int> numbers;
  for (const ProcessEntry& process : processes) numbers.push_back(process.id.pid);
  std::sort(numbers.begin(), numbers.end());
  std::string text;
  for (const int number : numbers) text += (text.empty() ? "" : " ") + std::to_string(number);
  return text;
}

std::string roots(const std::vector<Branch>& branches) {
  std::vector<ProcessEntry> entries;
  for (const Branch& branch : branches) entries.push_back(branch.root);
  return pids(entries);
}

Frontier frontier_of(FakeTree& tree, Signal signal, std::vector<ProcessId> told = {}) {
  static const Transparent transparent({"my-launcher"});
  const TargetRule rule(transparent, {}, [](const ProcessEntry&, Handling) { return true; });
  const ProcessEntry root = tree.entry(10);
  return rule.frontier(tree, std::span(&root, 1), signal, told);
}

}  // namespace

TEST_CASE("who gets USR1, and where somebody is missing") {
  struct Row {
    const char* what;
    const char* tree;
    const char* targets;
    const char* branches;
  };
  const Row rows[] = {
      {"a trainer with a handler", "10:python+USR1", "10", ""},
      {"one without, yet", "10:python", "", "10"},
      {"one that ignores it", "10:python-USR1", "", "10"},
      {"it hides its workers", "10:python+USR1 11<10:python+USR1 12<10:python", "10", ""},
      {"past a shell", "10:bash 11<10:python+USR1", "11", ""},
      {"past a shell with a trap", "10:bash+USR1 11<10:python+USR1", "11", ""},
      {"a shell with a trap and a trainer without", "10:bash+USR1 11<10:python", "", "10"},
      {"past two shells and conda", "10:bash 11<10:conda 12<11:sh 13<12:python+USR1", "13", ""},
      {"past what --transparent names", "10:my-launcher+USR1 11<10:python+USR1", "11", ""},
      {"past a launcher without a handler", "10:torchrun+TERM 11<10:python+USR1 12<10:python+USR1",
       "11 12", ""},
      {"ranks that become able one by one",
       "10:torchrun 11<10:python+USR1 12<10:python 13<10:python", "11", "12 13"},
      {"none of them yet", "10:torchrun 11<10:python 12<10:python", "", "10"},
      {"behind a shell each", "10:torchrun 11<10:bash 12<11:python 13<10:bash 14<13:python+USR1",
       "14", "11"},
      {"tini waits for everything, and means its child", "10:tini=USR1?USR1 11<10:python", "",
       "10"},
      {"the same with a child that can", "10:tini=USR1 11<10:python+USR1", "11", ""},
      {"a Go program with a trainer below", "10:go-run* 11<10:python+USR1", "11", ""},
      {"a Go program with one that cannot, yet", "10:go-run* 11<10:python", "", "10"},
      {"a Go program alone", "10:go-trainer*", "10", ""},
      {"a Go program below a shell", "10:bash 11<10:go-trainer*", "11", ""},
      {"a Go helper of a Python without a handler", "10:python 11<10:go-helper*", "", "10"},
      {"a Go program that runs one below a Python", "10:python 11<10:go-run* 12<11:python+USR1",
       "12", ""},
      {"wandb-core is nobody's target", "10:python 11<10:wandb-core* 12<11:gpu_stats", "", "10"},
      {"nor a branch", "10:torchrun 11<10:python+USR1 12<10:wandb-core*", "11", ""},
      {"a nested wrapper holds by itself", "10:bash 11<10:preempt-wrap 12<11:python+USR1", "11",
       ""},
      {"srun forwards by itself", "10:bash 11<10:srun 12<11:srun", "11", ""},
      {"a thread waits for it, all others block it", "10:python=USR1/?USR1", "10", ""},
      {"a thread blocks it, another would die", "10:python=USR1/", "", "10"},
      {"a thread waits for another one", "10:python=USR1/?USR2", "", "10"},
      {"a pipeline", "10:bash 11<10:python+USR1 12<10:tee", "11", "12"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    FakeTree tree(row.tree);
    const Frontier found = frontier_of(tree, SIGUSR1);
    CHECK(pids(found.targets) == row.targets);
    CHECK(roots(found.branches) == row.branches);
  }
}

TEST_CASE("what a branch knows of itself") {
  FakeTree tree("10:bash+USR1 11<10:dash+USR1 12<11:python 13<12:python 14<10:tee");
  const Frontier found = frontier_of(tree, SIGUSR1);
  REQUIRE(found.branches.size() == 1);
  const Branch& branch = found.branches[0];
  CHECK(pids(branch.members) == "10 11 12 13 14");
  CHECK(pids(branch.nearest) == "12 14");
  REQUIRE(branch.own_handler);
  CHECK(branch.own_handler->id.pid == 11);
}

TEST_CASE("who was told, and what is below, is left out") {
  FakeTree tree("10:torchrun 11<10:python+USR1 12<11:python 13<10:python+USR1");
  const ProcessId told{11, 100};
  CHECK(pids(frontier_of(tree, SIGUSR1, {told}).targets) == "13");
  CHECK(frontier_of(tree, SIGUSR1, {told}).branches.empty());
}

TEST_CASE("what is gone or unseen does no harm") {
  FakeTree gone("10:bash 11<10:python+USR1");
  const ProcessEntry root{{9, 1}, 1, 9, 'S', 1, "python"};
  static const Transparent transparent;
  const TargetRule rule(transparent, {}, [](const ProcessEntry&, Handling) { return true; });
  CHECK(rule.frontier(gone, std::span(&root, 1), SIGUSR1, {}).targets.empty());
  FakeTree ring("10:bash 11<12:bash 12<11:bash");
  const ProcessEntry looped = ring.entry(11);
  CHECK(rule.frontier(ring, std::span(&looped, 1), SIGUSR1, {}).targets.empty());
}

TEST_CASE("the mask that we gave ourselves says nothing") {
  SignalState state;
  state.threads.push_back({.blocked = {SIGHUP}, .waits_for = {}});
  CHECK(handling_of(state, SIGHUP, {}) == Handling::blocked);
  CHECK(handling_of(state, SIGHUP, {SIGHUP}) == Handling::deadly);
}

// The rule once more, from the other end: for each process alone, by what is above and below it.
namespace {

class Model {
 public:
  explicit Model(FakeTree& tree) : tree_(tree) {}

  bool is_target(int pid) {
    for (int above = parent(pid); above != 0; above = parent(above)) {
      if (acts(above) || is_bystander(tree_.entry(above).name)) return false;
    }
    return acts(pid);
  }

 private:
  int parent(int pid) { return tree_.has(pid) ? tree_.entry(pid).parent : 0; }
  bool only_transparent_above(int pid) {
    for (int above = parent(pid); above != 0; above = parent(above)) {
      if (!passed_by(above)) return false;
    }
    return true;
  }
  bool passed_by(int pid) {
    static const Transparent transparent;
    return transparent.contains(tree_.entry(pid).name) || has_runtime_handlers(tree_.state(pid));
  }
  bool acts(int pid) {
    const std::string& name = tree_.entry(pid).name;
    static const Transparent transparent;
    if (is_bystander(name)) return false;
    if (takes_for_those_below(name)) return true;
    if (!tree_.state(pid).caught.contains(SIGUSR1) || transparent.contains(name)) return false;
    if (!has_runtime_handlers(tree_.state(pid))) return true;
    return only_transparent_above(pid) && tree_.children(pid).empty();
  }
  FakeTree& tree_;
};

}  // namespace

TEST_CASE("random trees: the rule agrees with a model, and nobody is forgotten") {
  std::mt19937 random(7);
  const char* const kinds[] = {"python",       "python+USR1", "bash",        "bash+USR1",
                               "go*",          "tini",        "python-USR1", "srun",
                               "preempt-wrap", "wandb-core*", "torchrun",    "sleep"};
  for (int round = 0; round < 20000; ++round) {
    FakeTree tree("");
    const int count = 1 + static_cast<int>(random() % 12);
    for (int i = 0; i < count; ++i) {
      const int parent = i == 0 ? 0 : 10 + static_cast<int>(random() % static_cast<unsigned>(i));
      tree.add(std::to_string(10 + i) + "<" + std::to_string(parent) + ":" +
               kinds[random() % std::size(kinds)]);
    }
    const Frontier found = frontier_of(tree, SIGUSR1);
    Model model(tree);
    std::set<int> covered;
    for (const ProcessEntry& target : found.targets) covered.insert(target.id.pid);
    for (const int pid : tree.pids()) {
      CAPTURE(round);
      CAPTURE(pid);
      CHECK(covered.contains(pid) == model.is_target(pid));
    }
    // Each process is a target, above or below one, in exactly one branch, or a helper.
    std::multiset<int> in_branches;
    for (const Branch& branch : found.branches) {
      for (const ProcessEntry& member : branch.members) in_branches.insert(member.id.pid);
    }
    for (const int pid : in_branches) {
      CHECK(in_branches.count(pid) == 1);
      for (int above = pid; above != 0; above = tree.has(above) ? tree.entry(above).parent : 0) {
        CHECK_FALSE(covered.contains(above));
      }
    }
  }
}
