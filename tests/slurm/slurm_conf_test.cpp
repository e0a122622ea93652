#include "slurm/slurm_conf.hpp"

#include <doctest/doctest.h>

using namespace pw;
using namespace std::chrono_literals;

TEST_CASE("slurm.conf: what says whom Slurm signals and when it KILLs") {
  struct Row {
    const char* text;
    Proctrack proctrack;
    std::optional<Nanos> kill_wait;
  };
  const Row rows[] = {
      {"", Proctrack::unknown, {}},
      {"ProctrackType=proctrack/cgroup\nKillWait=12\n", Proctrack::cgroup, 12s},
      {"proctracktype=proctrack/linuxproc killwait=30", Proctrack::linuxproc, 30s},
      {"  ProctrackType=proctrack/pgid  # old\r\n", Proctrack::pgid, {}},
      {"#ProctrackType=proctrack/pgid\nKillWait=abc", Proctrack::unknown, {}},
      {"KillWait=5\nKillWait=60", Proctrack::unknown, 60s},
      {"ProctrackType=proctrack/cgroup\tkillwait = 9", Proctrack::cgroup, 9s},
      {"KillWait=9999999999999", Proctrack::unknown, 720h},
      {"UnkillWait=5 KillWait", Proctrack::unknown, {}},
      {"ProctrackType=proctrack/other", Proctrack::unknown, {}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const SlurmConf conf = parse_slurm_conf(row.text, "main");
    CHECK(conf.proctrack == row.proctrack);
    CHECK(conf.kill_wait == row.kill_wait);
  }
}

TEST_CASE("GraceTime is that of our partition, or the default of those before it") {
  struct Row {
    const char* text;
    std::optional<Nanos> want;
  };
  const Row rows[] = {
      {"", {}},
      {"PartitionName=other GraceTime=60", {}},
      {"PartitionName=main Nodes=ALL", 0s},
      {"PartitionName=main Nodes=ALL GraceTime=60", 60s},
      {"PartitionName=main \\\n  Nodes=ALL \\ # here\n  GraceTime=60\nKillWait=9", 60s},
      {"PartitionName=main GraceTime=60 \\", 60s},
      {"PartitionName=main Nodes=ALL\ninclude /etc/slurm/partitions.conf", {}},
      {"PartitionName=other GraceTime=60\nPartitionName=main Nodes=ALL", 0s},
      {"PartitionName=DEFAULT GraceTime=20\nPartitionName=main Nodes=ALL", 20s},
      {"PartitionName=DEFAULT GraceTime=20\nPartitionName=main GraceTime=0", 0s},
      {"PreemptType=preempt/qos\nPartitionName=main GraceTime=60", {}},
      {"GraceTime=60\nPartitionName=main", 0s},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(parse_slurm_conf(row.text, "main").grace_time == row.want);
  }
}
