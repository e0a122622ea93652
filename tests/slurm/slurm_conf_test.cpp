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
      {"UnkillWait=5 KillWait", Proctrack::unknown, {}},
      {"ProctrackType=proctrack/other", Proctrack::unknown, {}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const SlurmConf conf = parse_slurm_conf(row.text);
    CHECK(conf.proctrack == row.proctrack);
    CHECK(conf.kill_wait == row.kill_wait);
  }
}
