#include "core/step_list.hpp"

#include <doctest/doctest.h>

#include "core/srun_rule.hpp"

using namespace pw;

namespace {

// `scontrol show step` of Slurm 22.05.8, shortened.
constexpr const char* kSteps =
    "StepId=12.0 UserId=1000 StartTime=2026-11-22T10:00:00 TimeLimit=01:00:00\n"
    "   State=RUNNING Partition=main NodeList=n1\n"
    "   SrunHost:Pid=vm:4711\n"
    "StepId=12.1 UserId=1000\n"
    "   SrunHost:Pid=vm.example.org:4712\n"
    "StepId=13.0 UserId=1000\n"
    "   SrunHost:Pid=other:4711\n"
    "StepId=14_3.extern UserId=1000\n"
    "StepId=14_3.0 UserId=1000\n"
    "   SrunHost:Pid=elsewhere:99\n";

}  // namespace

TEST_CASE("an srun's step is found by host and PID; a job with one step is told as a job") {
  struct Row {
    Srun srun;
    std::optional<std::string> target;
  };
  const Row rows[] = {
      {{"vm", "12", 4711}, "12.0"},
      {{"vm", "", 4711}, "12.0"},  // of salloc on this host
      {{"vm", "12", 4712}, "12.1"},
      {{"other.example.org", "13", 4711}, "13"},
      {{"alias", "14_3", 99}, "14_3"},
      // The same PID on another node is somebody else's.
      {{"vm", "12", 99}, {}},
      {{"third", "15", 4711}, {}},
      {{"third", "", 99}, {}},
      {{"vm", "12", 5}, {}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.srun.host);
    CAPTURE(row.srun.job_id);
    CAPTURE(row.srun.pid);
    CHECK(scancel_target(kSteps, row.srun) == row.target);
  }
  CHECK_FALSE(scancel_target("", rows[0].srun));
  CHECK_FALSE(scancel_target("SrunHost:Pid=vm:x SrunHost:Pid=vm SrunHost:Pid=:", rows[0].srun));
}

TEST_CASE("srun gets only what it forwards; the rest would SIGKILL its step") {
  CHECK(way_through_srun(SIGUSR1) == SrunWay::direct);
  CHECK(way_through_srun(SIGUSR2) == SrunWay::direct);
  CHECK(way_through_srun(SIGTERM) == SrunWay::scancel);
  for (const Signal signal : {SIGHUP, SIGINT, SIGQUIT, SIGALRM, kRtMin}) {
    CHECK(way_through_srun(signal) == SrunWay::withhold);
  }
}
