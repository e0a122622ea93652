#!/usr/bin/env python3
"""A cluster that is set up otherwise: JobRequeue=0, KillWait 5 s, and the signal of --signal at the
begin of a preemption's grace (preempt_send_user_signal).

    test_knobs.py [cgroup|linuxproc|pgid] [PART-OF-A-ROW'S-NAME]
"""

import sys

import fixture
from delivery import Row, per_process, run_rows
from scontrol import PROGRAM
from test_delivery import at_its_limit, near_its_end, preempt, scancel
from test_requeue import AUTO, BACK, GONE, MAIN, NEAR, Requeue

CONF = """
PartitionName=grace20 Nodes=@NODE@2 PriorityTier=1 PreemptMode=REQUEUE GraceTime=20
"""
# 5 - 0.3 s, and of that our margin is a quarter
OUR_KILL = (3.0, 4.6)

ROWS = [
    Requeue("JobRequeue=0", near_its_end, "USR1", per_process(1), 138, **GONE, exit_code="138:0",
            options=NEAR, wrapper=AUTO, says="may not be requeued"),
    Requeue("JobRequeue=0, but sbatch --requeue", near_its_end, "USR1", per_process(1), 138, **BACK,
            options=NEAR + " --requeue", wrapper=AUTO),
    Row("KillWait 5: a trainer that ignores scancel", scancel(), "TERM", per_process(1), 137,
        "CANCELLED", "137:0", options=MAIN, trainer="--ignore", saves=False,
        killed_after=OUR_KILL),
    Row("KillWait 5: a save of 1 s at the time limit", at_its_limit, "TERM", per_process(2), 143,
        "TIMEOUT", "143:0", options=MAIN, trainer="--save-time 1"),
    Requeue("the signal of --signal at the begin of a grace", preempt, "USR1", per_process(1), 138,
            **BACK, options="-p grace20 --requeue --signal=USR1@60", wrapper=AUTO),
]


def main(proctrack="cgroup", name=""):
    rows = [row for row in ROWS if name in row.name]
    return fixture.main(proctrack, lambda: run_rows(
        proctrack, rows, programs=[PROGRAM], nodes=2, conf=CONF, killwait=5, job_requeue=0,
        send_user_signal=1))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
