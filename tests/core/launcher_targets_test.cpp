// How the rule of --to handlers treats launchers that start ranks.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "core/delivery.hpp"
#include "fake_tree.hpp"

using namespace pw;

namespace {

// The PIDs of who is told at once, in order; the tree begins at 10.
std::string told(const std::string& tree, const char* signal) {
  FakeTree view(tree);
  Delivery delivery(Transparent(), SignalSet{}, NoHandler::term);
  const auto step = delivery.begin(view, view.entry(10), Instant{}, *parse_signal(signal), {});
  std::vector<int> pids;
  for (const Delivery::Send& send : step.sends) pids.push_back(send.to.id.pid);
  std::sort(pids.begin(), pids.end());
  std::string text;
  for (const int pid : pids) text += (text.empty() ? "" : " ") + std::to_string(pid);
  return text;
}

}  // namespace

TEST_CASE("who is told below a launcher that starts ranks") {
  struct Row {
    const char* what;
    const char* tree;
    const char* signal;
    const char* told;
  };
  const Row rows[] = {
      {"ranks of torchrun", "10:torchrun+TERM 11<10:python+USR1 12<10:python+USR1", "USR1",
       "11 12"},
      {"they import", "10:torchrun+TERM 11<10:python 12<10:python", "USR1", ""},
      {"TERM goes past torchrun, too", "10:torchrun+TERM 11<10:python+TERM", "TERM", "11"},
      {"unless no rank handles it", "10:torchrun+TERM 11<10:python", "TERM", "10"},
      {"behind a shell", "10:bash 11<10:torchrun+TERM 12<11:python", "TERM", "11"},
      {"a shell's trap is no launcher", "10:bash 11<10:bash+TERM 12<11:python", "TERM", "10"},
      {"ranks of mpirun", "10:mpirun+USR1+TERM 11<10:python+USR1 12<10:python+USR1", "USR1",
       "11 12"},
      {"mpirun would forward it to these", "10:mpirun+USR1+TERM 11<10:python", "USR1", ""},
      {"and would end these", "10:mpirun+USR1+TERM 11<10:python", "TERM", "10"},
      {"ranks on other machines", "10:mpirun+USR1 11<10:python+USR1 12<10:ssh", "USR1", "10"},
      {"through srun", "10:mpirun+USR1 11<10:python+USR1 12<10:srun", "USR1", "10"},
      {"hydra's", "10:mpiexec.hydra+USR1 11<10:hydra_pmi_proxy+TERM 12<11:a.out+USR1", "USR1",
       "12"},
      {"srun is told itself", "10:srun 11<10:python+USR1", "USR1", "10"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    CHECK(told(row.tree, row.signal) == row.told);
  }
}
