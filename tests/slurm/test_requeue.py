#!/usr/bin/env python3
"""What comes back under a real Slurm, how often, and what does not: --requeue.

    test_requeue.py [cgroup|linuxproc|pgid] [PART-OF-A-ROW'S-NAME]

Rows as in test_delivery.py; `resumes` is Slurm's Restarts=1, and a second run that goes on from the
checkpoint and finishes. A stand-in scontrol fails on demand; each row has one of its own.
"""

import sys
from dataclasses import dataclass

import fixture
from delivery import ANY_CODE, BATCH, PER_TASK, Row, Run, by_wrapper, per_process, run_rows
from fixture import wait_for
from scontrol import PROGRAM, Scontrol
from test_delivery import at_its_limit, near_its_end, preempt, requeue, scancel, watch


@dataclass(frozen=True)
class Requeue(Row):
    scontrol: str = "pass"   # the stand-in's mode
    says: str = "requeued "  # in the job's output: the line that says what became of it, and why
    calls: int = 1           # of scontrol requeue, by the wrapper or the trainer

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
        calls = [call.arguments for call in self.scontrol.calls("requeue")]
        self.equal("calls of scontrol requeue", len(calls), self.row.calls)
        # In an array SLURM_JOB_ID may be the whole array's.
        if "--array" in self.row.options:
            self.equal("what was requeued", sorted(calls),
                       [f"requeue {self.job}_{rank.name.split('.')[0]}"
                        for rank in self.record.ranks()])


def notice_then_cancel(run):
    """The trainer saves for 3 s; meanwhile the user cancels the job."""
    near_its_end(run)
    wait_for(lambda: run.record.signals(run.rank, "USR1"), "the notice")
    run.slurm.scancel(run.job)


def each_near_its_end(run):
    for rank in run.record.ranks():
        run.slurm.end_in(f"{run.job}_{rank.name.split('.')[0]}", 40)


def requeue_then_cancel(run):
    """The wrapper has requeued it; slurmctld still ends the old run when the user cancels it."""
    near_its_end(run)
    wait_for(lambda: run.scontrol.calls("requeue"), "the wrapper's requeue")
    wait_for(lambda: run.job_state() not in ("RUNNING",), "its effect")
    run.slurm.scancel(run.job)


def killed_then_requeued_by_hand(run):
    near_its_end(run)
    wait_for(lambda: run.slurm.ended(run.job), "its end without a requeue")
    run.slurm.scontrol("requeue", run.job)
    wait_for(lambda: not run.slurm.ended(run.job), "its return")


# The whole step is the wrapper's; the other one gets its notice and its end without a trainer.
TWO_STEPS = """trap : TERM
srun -n1 --overlap {wrap} -- bash -c 'trap "exit 138" USR1
  while [ ! -e $PW_RECORD/over.$SLURM_RESTART_COUNT ]; do sleep 0.1; done' &
srun -n1 --overlap {wrap} -- {train}
status=$?
: >$PW_RECORD/over.$SLURM_RESTART_COUNT
wait
echo $status >$PW_RECORD/status.${{SLURM_RESTART_COUNT:-0}}
exit $status"""
NESTED = PER_TASK.replace("{wrap} -- {train}", "{wrap} -- {wrap} -- {train}")
# As Lightning and submitit do it.
BY_TRAINER = PER_TASK.replace("{train}", """bash -c 'trap : USR1 TERM; "$@"; status=$?
[ $status != 138 ] || scontrol requeue $SLURM_JOB_ID; exit $status' trainer {train}""")

CONF = """
PartitionName=requeue0 Nodes=@NODE@2 PriorityTier=1 PreemptMode=REQUEUE GraceTime=0
PartitionName=requeue4 Nodes=@NODE@8 PriorityTier=1 PreemptMode=REQUEUE GraceTime=4
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
    # the save begins with the grace and ends after it
    Requeue("Slurm's own requeue at the end of a grace", preempt, "TERM", per_process(3), 143,
            **BACK, options="-p requeue4", wrapper=AUTO, trainer="--save-time 8",
            says="a requeue is under way", calls=0),
    Requeue("scontrol requeue by hand", requeue, "TERM", per_process(1), 143, **BACK,
            options=MAIN, wrapper=AUTO, says="a requeue is under way", calls=0),
    Requeue("scontrol is missing in a grace", preempt, "TERM", per_process(2), 143, **BACK,
            options="-p linger20", wrapper=AUTO, scontrol="absent", says="staying until Slurm",
            calls=0),
    Requeue("scancel", scancel(), "TERM", per_process(1), 143, "CANCELLED", "143:0",
            options=MAIN, wrapper=AUTO, says="not requeued: the job was cancelled", calls=0),
    Requeue("scancel while it saves", notice_then_cancel, "USR1", per_process(1), 138, "CANCELLED",
            "138:0", options=NEAR, wrapper=AUTO, says="not requeued: the job was cancelled",
            calls=0, later="TERM"),
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
    Requeue("scontrol hangs", near_its_end, "USR1", per_process(1), 138, **GONE,
            exit_code="138:0", options=NEAR, wrapper=AUTO, scontrol="hang",
            says="not requeued: Slurm does not say"),
    Requeue("scontrol requeue hangs", near_its_end, "USR1", per_process(1), 138, "TIMEOUT", "138:0",
            options=NEAR, wrapper=AUTO, scontrol="requeue-hangs", calls=3,
            says="not requeued: scontrol requeue did not answer in time"),
    Requeue("scontrol is slow", near_its_end, "USR1", per_process(1), 138, **BACK,
            options=NEAR, wrapper=AUTO, scontrol="slow"),
    Requeue("scontrol exits 1", near_its_end, "USR1", per_process(1), 138, **GONE,
            exit_code="138:0", options=NEAR, wrapper=AUTO, scontrol="exit1",
            says="not requeued: Slurm does not say"),
    Requeue("a newer scontrol", near_its_end, "USR1", per_process(1), 138, **BACK,
            options=NEAR, wrapper=AUTO, scontrol="newer"),
    Requeue("an array of 3, each once", each_near_its_end, "USR1", per_process(1), 138, **BACK,
            ranks=3, options=NEAR + " --array=1-3", wrapper=AUTO, calls=3),
    Requeue("two nodes with 2 tasks each, once", near_its_end, "USR1", per_process(1), 138, **BACK,
            ranks=4, options="-w @NODE@1,@NODE@7 -N2 --ntasks-per-node=2 --signal=USR1@20",
            wrapper=AUTO),
    Requeue("a wrapper around a wrapper", near_its_end, "USR1", per_process(1), 138, **BACK,
            options=NEAR, wrapper=AUTO, script=NESTED),
    Requeue("two steps, each with a wrapper", near_its_end, "USR1", per_process(1), 138, **BACK,
            options=NEAR, wrapper=AUTO, script=TWO_STEPS, later="TERM"),
    Requeue("a trainer that requeues itself", near_its_end, "USR1", per_process(1), 138, **BACK,
            options=NEAR, wrapper=AUTO, script=BY_TRAINER, says="a requeue is under way",
            later="TERM"),
    Requeue("killed before it calls scontrol", killed_then_requeued_by_hand, "USR1",
            per_process(1), 137, **BACK, options=NEAR, wrapper=AUTO,
            scontrol="requeue-caller-dies", says="start: "),
    Requeue("killed after scontrol", near_its_end, "USR1", per_process(1), 137, **BACK,
            options=NEAR, wrapper=AUTO, scontrol="requeue-then-caller-dies", says="start: "),
    Requeue("scancel after the requeue", requeue_then_cancel, "USR1", per_process(1), 138,
            "CANCELLED", ANY_CODE, options=NEAR, wrapper=AUTO, restarts=1),
    Requeue("a notice of our own", watch, "USR1", by_wrapper, 138, **BACK,
            options=MAIN + "-t 1", wrapper=AUTO + " --notice-before-end 50s"),
    Requeue("ranks that save for 1 and 6 s, the first bad exit ends the step", near_its_end,
            "USR1", per_process(1), 138, **BACK, ranks=2, options=NEAR + " -n2", srun="-K1",
            wrapper=AUTO + " --wait-ranks 20s", trainer="--save-time 1 --more-by-rank 5"),
    Requeue("ranks that save for 1 and 6 s, srun waits for 2", near_its_end,
            "USR1", per_process(1), 138, "FAILED", "138:0", ranks=2, options=NEAR + " -n2",
            srun="--wait=2", wrapper="--wait-ranks 20s", calls=0, says="start: ",
            trainer="--save-time 1 --more-by-rank 5"),
    Requeue("RequeueExit, the batch process", near_its_end, "USR1", by_wrapper, 100,
            **BACK, options=NEAR_BATCH, script=BATCH, wrapper=AUTO, calls=0,
            says="exit status 100, of RequeueExit"),
]


def main(proctrack="cgroup", name=""):
    rows = [row for row in ROWS if name in row.name]
    return fixture.main(proctrack, lambda: run_rows(
        proctrack, rows, programs=[PROGRAM], nodes=8, conf=CONF, requeue_exit=100))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
