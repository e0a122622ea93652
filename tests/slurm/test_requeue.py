#!/usr/bin/env python3
"""What comes back under a real Slurm, how often, and what does not: --requeue.

    test_requeue.py [cgroup|linuxproc|pgid] [PART-OF-A-ROW'S-NAME]

Rows as in test_delivery.py; `resumes` is Slurm's Restarts=1, and a second run that goes on from the
checkpoint and finishes. A stand-in scontrol fails on demand; each row has one of its own.
"""

import sys
from dataclasses import dataclass

import fixture
from delivery import BATCH, Row, Run, by_wrapper, per_process, run_rows
from fixture import wait_for
from scontrol import PROGRAM, Scontrol
from test_delivery import at_its_limit, near_its_end, preempt, requeue, scancel


@dataclass(frozen=True)
class Requeue(Row):
    scontrol: str = "pass"   # the stand-in's mode
    says: str = "requeued "  # in the job's output: the line that says what became of it, and why
    calls: int = 1           # of scontrol requeue, by the wrapper

    @property
    def runs(self):
        return RequeueRun


class RequeueRun(Run):
    def start(self):
        self.scontrol = Scontrol(self.folder, self.row.scontrol)
        super().start()

    def environment(self):
        return {**super().environment(), **self.scontrol.env}

    def check(self):
        super().check()
        output = (self.folder / "output").read_text(encoding="utf-8")
        if self.row.says not in output:
            raise AssertionError(f"does not say {self.row.says!r}")
        self.equal("calls of scontrol requeue", len(self.scontrol.calls("requeue")), self.row.calls)


def notice_then_cancel(run):
    """The trainer saves for 3 s; meanwhile the user cancels the job."""
    near_its_end(run)
    wait_for(lambda: run.record.signals(run.rank, "USR1"), "the notice")
    run.slurm.scancel(run.job)


CONF = """
PartitionName=requeue0 Nodes=@NODE@2 PriorityTier=1 PreemptMode=REQUEUE GraceTime=0
PartitionName=requeue20 Nodes=@NODE@3 PriorityTier=1 PreemptMode=REQUEUE GraceTime=20
PartitionName=cancel20 Nodes=@NODE@4 PriorityTier=1 PreemptMode=CANCEL GraceTime=20
PartitionName=linger20 Nodes=@NODE@5 PriorityTier=1 PreemptMode=REQUEUE GraceTime=20
PartitionName=repair20 Nodes=@NODE@6 PriorityTier=1 PreemptMode=REQUEUE GraceTime=20
"""
MAIN = "-w @NODE@1 "
AUTO = "--requeue auto"
NEAR = MAIN + "--signal=USR1@20"
NEAR_BATCH = MAIN + "--signal=B:USR1@20"
BACK = {"state": "COMPLETED", "exit_code": "0:0", "resumes": True}
GONE = {"state": "FAILED", "calls": 0}

ROWS = [
    Requeue("a time limit near", near_its_end, "USR1", per_process(1), 138, **BACK, options=NEAR,
            wrapper=AUTO, says="(1 of 50)"),
    Requeue("the time limit itself", at_its_limit, "TERM", per_process(2), 143, **BACK,
            options=MAIN, wrapper=AUTO),
    Requeue("a preemption with a grace", preempt, "TERM", per_process(1), 143, **BACK,
            options="-p requeue20", wrapper=AUTO),
    Requeue("a preemption with a grace, repaired", preempt, "TERM", per_process(1), 143, **BACK,
            options="-p repair20", wrapper="--requeue repair"),
    Requeue("a preemption with a grace, to be cancelled", preempt, "TERM", per_process(1), 143,
            **BACK, options="-p cancel20", wrapper=AUTO),
    Requeue("Slurm's own requeue", preempt, "TERM", per_process(2), 143, **BACK,
            options="-p requeue0", wrapper=AUTO, says="a requeue is under way", calls=0),
    Requeue("scontrol requeue by hand", requeue, "TERM", per_process(1), 143, **BACK,
            options=MAIN, wrapper=AUTO, says="a requeue is under way", calls=0),
    Requeue("scontrol is missing in a grace", preempt, "TERM", per_process(2), 143, **BACK,
            options="-p linger20", wrapper=AUTO, scontrol="absent", says="staying until Slurm",
            calls=0),
    Requeue("scancel", scancel(), "TERM", per_process(1), 143, "CANCELLED", "143:0",
            options=MAIN, wrapper=AUTO, says="not requeued: the job was cancelled", calls=0),
    Requeue("scancel while it saves", notice_then_cancel, "USR1", per_process(1), 138, "CANCELLED",
            "138:0", options=NEAR, wrapper=AUTO, says="not requeued: the job was cancelled",
            calls=0),
    Requeue("--no-requeue", near_its_end, "USR1", per_process(1), 138, **GONE, exit_code="138:0",
            options=NEAR + " --no-requeue", wrapper=AUTO, says="may not be requeued"),
    Requeue("no more requeues", near_its_end, "USR1", per_process(1), 138, **GONE,
            exit_code="138:0", options=NEAR, wrapper=AUTO + " --max-requeues 0",
            says="not requeued: "),
    Requeue("scontrol refuses", near_its_end, "USR1", per_process(1), 138, "FAILED", "138:0",
            options=NEAR, wrapper=AUTO, scontrol="requeue-refused", calls=3,
            says="not requeued: scontrol requeue exited 1"),
    Requeue("scontrol prints garbage", near_its_end, "USR1", per_process(1), 138, **GONE,
            exit_code="138:0", options=NEAR, wrapper=AUTO, scontrol="garbage",
            says="not requeued: Slurm does not say"),
    Requeue("scontrol never stops printing", near_its_end, "USR1", per_process(1), 138, **GONE,
            exit_code="138:0", options=NEAR, wrapper=AUTO, scontrol="flood",
            says="not requeued: Slurm does not say"),
    Requeue("scontrol is killed", near_its_end, "USR1", per_process(1), 138, **GONE,
            exit_code="138:0", options=NEAR, wrapper=AUTO, scontrol="killed",
            says="not requeued: Slurm does not say"),
    Requeue("RequeueExit, the batch process", near_its_end, "USR1", by_wrapper, 100,
            **BACK, options=NEAR_BATCH, script=BATCH, wrapper=AUTO, calls=0,
            says="exit status 100, of RequeueExit"),
]


def main(proctrack="cgroup", name=""):
    rows = [row for row in ROWS if name in row.name]
    return fixture.main(proctrack, lambda: run_rows(
        proctrack, rows, programs=[PROGRAM], nodes=6, conf=CONF, requeue_exit=100))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
