#include "core/profile.hpp"

#include <doctest/doctest.h>

#include <sstream>
#include <vector>

using namespace pw;

namespace {

// The command's words are apart by blanks.
std::string recognised(const std::string& text) {
  std::istringstream words(text);
  std::vector<std::string> command;
  for (std::string word; words >> word;) command.push_back(word);
  return std::string(recognised_profile(command));
}

}  // namespace

TEST_CASE("a launcher is recognised by the first words of the command") {
  struct Row {
    const char* command;
    const char* profile;
  };
  const Row rows[] = {
      {"torchrun --nproc_per_node 2 t.py", "torchrun"},
      {"/opt/venv/bin/torchrun t.py", "torchrun"},
      {"python -m torch.distributed.run t.py", "torchrun"},
      {"python3.11 -u -X dev -m torch.distributed.launch t.py", "torchrun"},
      {"accelerate launch t.py", "accelerate"},
      {"accelerate-launch t.py", "accelerate"},
      {"python -m accelerate.commands.launch t.py", "accelerate"},
      {"wandb agent e/p/s", "wandb-agent"},
      {"python -m wandb agent e/p/s", "wandb-agent"},
      {"srun python t.py", "srun"},
      {"/usr/bin/mpirun -n 2 t", "mpirun"},
      {"mpiexec -n 2 t", "mpirun"},
      {"orterun t", "mpirun"},
      {"bash job.sh", "bash"},
      {"sh -e -o pipefail job.sh", "bash"},
      {"bash --norc job.sh -c", "bash"},
      {"python -u -m submitit.core._submit folder", "submitit"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.command);
    CHECK(recognised(row.command) == row.profile);
  }
}

TEST_CASE("also behind what only executes it") {
  for (const char* prefix :
       {"env", "env -i A=1 B=2", "env -u HOME --", "nice", "nice -n 5", "nice -10", "nohup",
        "uv run", "uv run --frozen", "uv run -p 3.11", "conda run -n train --no-capture-output",
        "stdbuf -oL", "stdbuf -o L", "timeout -s USR1 -k 90 10h", "taskset -c 0-3",
        "numactl --cpunodebind=0", "env A=1 nice -n 5 uv run", "/usr/bin/tini --"}) {
    CAPTURE(prefix);
    CHECK(recognised(std::string(prefix) + " torchrun t.py") == "torchrun");
  }
}

TEST_CASE("what only looks like one is left alone") {
  for (const char* command : {"",
                              "python t.py",
                              "python torchrun",
                              "python -m",
                              "python -m torch.distributed.runner",
                              "python -c torchrun",
                              "pythonic -m torch.distributed.run",
                              "accelerate config",
                              "accelerate",
                              "wandb sync",
                              "wandb",
                              "mytorchrun t.py",
                              "bash",
                              "bash -c job",
                              "bash -lc x",
                              "bash -s x",
                              "env",
                              "env A=1",
                              "nice -n",
                              "timeout",
                              "timeout 5",
                              "uv pip torchrun",
                              "uv",
                              "conda run",
                              "echo torchrun",
                              "./job.sh",
                              "python -X"}) {
    CAPTURE(command);
    CHECK(recognised(command) == "");
  }
}

TEST_CASE("shipped profiles are found by name") {
  REQUIRE(find_shipped_profile("torchrun") != nullptr);
  CHECK(find_shipped_profile("torchrun")->name == "torchrun");
  CHECK(find_shipped_profile("none") == nullptr);
  CHECK(find_shipped_profile("") == nullptr);
}

TEST_CASE("launchers that the kernel calls python") {
  const auto called = [](std::vector<std::string> command) {
    return std::string(launcher_called_python(command));
  };
  CHECK(called({"python3", "-m", "torch.distributed.run", "t.py"}) == "torchrun");
  CHECK(called({"env", "A=1", "/opt/env/bin/python3.11", "-m", "wandb", "agent", "s"}) == "wandb");
  CHECK(called({"python", "/a/very/long/path/bin/wandb", "agent"}) == "wandb");
  CHECK(called({"python", "/usr/bin/torchrun", "t.py"}) == "torchrun");
  CHECK(called({"python", "-m", "accelerate.commands.launch", "t.py"}) == "accelerate");
  CHECK(called({"torchrun", "t.py"}) == "");
  CHECK(called({"python", "train.py", "--logger", "wandb", "agent"}) == "");
  CHECK(called({"python", "wandb"}) == "");
  CHECK(called({}) == "");
}
