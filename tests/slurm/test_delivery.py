#!/usr/bin/env python3
"""What reaches a wrapped trainer under a real Slurm, how often, and what becomes of its work.

    test_delivery.py [cgroup|linuxproc|pgid] [PART-OF-A-ROW'S-NAME]

The rows are independent jobs on one private cluster and run at the same time.
"""

import sys

import fixture
from delivery import (BATCH, BATCH_SRUN, BEHIND_BASH, NO_TRAP, SHELL_WITH_TERMINAL,
                      TASK_WITH_TERMINAL, Row,
                      as_task, batch_too, by_wrapper, nothing, per_process, run_rows, typed)
from fixture import wait_for

# ---- what is done to a job


def near_its_end(run):
    """Slurm sends --signal=USR1@20 up to 30 s early: now, with 40 s left."""
    run.slurm.end_in(run.job, 40)


def at_its_limit(run):
    run.slurm.end_in(run.job, 2)


def scancel(*options):
    return lambda run: run.slurm.scancel(*options, run.job)


def requeue(run):
    run.slurm.scontrol("requeue", run.job)


def preempt(run):
    """A job of a higher partition wants the whole node; it leaves at once."""
    node = run.slurm.job(run.job)["NodeList"]
    run.slurm.submit("true", "-o", "/dev/null", "-p", "high", "-w", node, "--exclusive")


def suspend_and_resume(run):
    run.slurm.scontrol("suspend", run.job, user=False)
    wait_for(lambda: run.job_state() == "SUSPENDED", "suspension")
    still = Standstill(run)
    wait_for(still.reached, "a standstill of the trainer")
    run.slurm.scontrol("resume", run.job, user=False)
    run.goes_on()
    run.slurm.scancel("-s", "USR1", run.job)


class Standstill:
    """Reached when the trainer, which makes ten steps a second, has made none in ten looks."""

    def __init__(self, run):
        self.run = run
        self.step = -1
        self.looks = 0

    def reached(self):
        step = self.run.record.progress(self.run.rank)
        self.looks = self.looks + 1 if step == self.step else 0
        self.step = step
        return self.looks >= 10


def type_stop_then_interrupt(run):
    """The task is alone with its terminal: no shell could continue it, so the kernel drops TSTP."""
    run.terminal.type("\x1a")
    run.goes_on()
    run.terminal.type("\x03")
    wait_for(run.terminal.ended, "the end of srun")
    run.equal("status of srun", run.terminal.process.returncode, 130)


def stop_foreground_interrupt(run):
    run.goes_on()
    run.terminal.type("\x1a")
    run.terminal.expect("Stopped")
    wait_for(Standstill(run).reached, "a standstill of the trainer")
    run.terminal.type("fg\n")
    run.goes_on()
    run.terminal.type("\x03")
    wait_for(lambda: run.record.events(run.rank, "end"), "the end of the trainer")
    run.terminal.type("echo status=$?.\n")
    run.terminal.expect("status=130.")
    run.terminal.type("exit\n")
    wait_for(run.terminal.ended, "the end of srun")


def watch(_run):
    """The trainer ends by itself."""


# ---- the table

PREEMPTABLE = """
PartitionName=requeue0 Nodes=@NODE@[3,7,9] PriorityTier=1 PreemptMode=REQUEUE GraceTime=0
PartitionName=requeue4 Nodes=@NODE@8 PriorityTier=1 PreemptMode=REQUEUE GraceTime=4
PartitionName=cancel0 Nodes=@NODE@4 PriorityTier=1 PreemptMode=CANCEL GraceTime=0
PartitionName=requeue20 Nodes=@NODE@5 PriorityTier=1 PreemptMode=REQUEUE GraceTime=20
PartitionName=cancel20 Nodes=@NODE@6 PriorityTier=1 PreemptMode=CANCEL GraceTime=20
"""
MAIN = "-w @NODE@1 "  # rows that need no node of their own
OUR_KILL = (9.0, 11.2)  # KillWait 12 - 0.3 s - margin 2 s, and before Slurm's own at 11.7 s

ROWS = [
    # each task under its wrapper
    Row("--signal=USR1@20", near_its_end, "USR1", per_process(1), 138, "FAILED", "138:0",
        options=MAIN + "--signal=USR1@20"),
    Row("--signal=USR1@20, 2 nodes with 2 tasks each", near_its_end, "USR1", per_process(1), 138,
        "FAILED", "138:0", ranks=4,
        options="-w @NODE@1,@NODE@2 -N2 --ntasks-per-node=2 --signal=USR1@20"),
    Row("scancel -s USR1", scancel("-s", "USR1"), "USR1", per_process(1), 138, "FAILED", "138:0",
        options=MAIN),
    Row("scancel -s USR1 of an array of 3", scancel("-s", "USR1"), "USR1", per_process(1), 138,
        "FAILED", "138:0", ranks=3, options=MAIN + "--array=1-3"),
    # Where Slurm signals all, bash dies at once, often before the wrapper has its own copy.
    Row("scancel -s USR1, behind bash", scancel("-s", "USR1"), "USR1", per_process(1), 138,
        "FAILED", "138:0", ranks=8, options=MAIN + "--array=1-8", script=BEHIND_BASH,
        trainer="--save-time 8"),
    Row("scancel", scancel(), "TERM", per_process(1), 143, "CANCELLED", "143:0", options=MAIN),
    Row("scancel, batch script without a trap", scancel(), "TERM", per_process(1), 143,
        "CANCELLED", "0:15", options=MAIN, script=NO_TRAP),
    Row("time limit", at_its_limit, "TERM", per_process(2), 143, "TIMEOUT", "143:0", options=MAIN),
    Row("scontrol requeue", requeue, "TERM", per_process(1), 143, "COMPLETED", "0:0",
        resumes=True, options=MAIN),
    Row("preemption, REQUEUE", preempt, "TERM", per_process(2), 143, "COMPLETED", "0:0",
        resumes=True, options="-p requeue0 -w @NODE@3"),
    Row("preemption, CANCEL", preempt, "TERM", per_process(2), 143, "PREEMPTED", "143:0",
        options="-p cancel0"),
    # Slurm 22.05 does not requeue what has ended within its grace. The save takes longer than
    # KillWait: whoever takes the grace's first TERM for its last kills it.
    Row("preemption, REQUEUE after 20 s", preempt, "TERM", per_process(1), 143, "FAILED", "143:0",
        options="-p requeue20", trainer="--save-time 14"),
    Row("preemption, CANCEL after 20 s", preempt, "TERM", per_process(1), 143, "FAILED", "143:0",
        options="-p cancel20"),
    Row("suspend and resume", suspend_and_resume, "USR1", per_process(1), 138, "FAILED", "138:0",
        options=MAIN),
    Row("a trainer that ignores TERM", scancel(), "TERM", per_process(1), 137, "CANCELLED",
        "137:0", options=MAIN, trainer="--ignore --leave-children", saves=False,
        killed_after=OUR_KILL),
    Row("a trainer that ignores TERM, --grace 4s", scancel("-s", "TERM"), "TERM", per_process(1),
        137, "FAILED", "137:0", options=MAIN, wrapper="--grace 4s", saves=False,
        trainer="--ignore --leave-children", killed_after=(3.5, 6.0)),
    Row("children left behind at the end", watch, "TERM", nothing, 0, "COMPLETED", "0:0",
        options=MAIN, trainer="--leave-children --steps 20"),
    Row("children left behind after a notice", scancel("-s", "USR1"), "USR1", per_process(1), 138,
        "FAILED", "138:0", options=MAIN, trainer="--leave-children"),
    # the wrapper is the batch process
    Row("batch: --signal=B:USR1@20", near_its_end, "USR1", by_wrapper, 138, "FAILED", "138:0",
        options=MAIN + "--signal=B:USR1@20", script=BATCH),
    Row("batch: scancel", scancel(), "TERM", batch_too, 143, "CANCELLED", "143:0",
        options=MAIN, script=BATCH),
    Row("batch: time limit", at_its_limit, "TERM", batch_too, 143, "TIMEOUT", "143:0",
        options=MAIN, script=BATCH),
    Row("batch: scontrol requeue", requeue, "TERM", batch_too, 143, "COMPLETED", "0:0",
        resumes=True, options=MAIN, script=BATCH),
    Row("batch: preemption, REQUEUE", preempt, "TERM", batch_too, 143, "COMPLETED", "0:0",
        resumes=True, options="-p requeue0 -w @NODE@7", script=BATCH),
    # at the begin of a grace Slurm tells the steps alone; the batch process hears of its end
    Row("batch: preemption, REQUEUE after 4 s", preempt, "TERM", batch_too, 143, "COMPLETED",
        "0:0", resumes=True, options="-p requeue4 -w @NODE@8", script=BATCH),
    # the wrapper is the batch process and its child is srun
    Row("batch srun: --signal=B:USR1@20", near_its_end, "USR1", as_task(1), 138, "FAILED",
        "138:0", options=MAIN + "--signal=B:USR1@20", script=BATCH_SRUN),
    Row("batch srun: scancel -b -s TERM", scancel("-b", "-s", "TERM"), "TERM", as_task(1), 143,
        "FAILED", "143:0", options=MAIN, script=BATCH_SRUN),
    # one copy of Slurm's own and one by the scancel of the wrapper, which cannot know of it
    Row("batch srun: scancel", scancel(), "TERM", as_task(2), 143, "CANCELLED", "143:0",
        options=MAIN, script=BATCH_SRUN),
    Row("batch srun: time limit", at_its_limit, "TERM", as_task(3), 143, "TIMEOUT", "143:0",
        options=MAIN, script=BATCH_SRUN),
    Row("batch srun: scontrol requeue", requeue, "TERM", as_task(2), 143, "COMPLETED", "0:0",
        resumes=True, options=MAIN, script=BATCH_SRUN),
    Row("batch srun: preemption, REQUEUE", preempt, "TERM", as_task(3), 143, "COMPLETED", "0:0",
        resumes=True, options="-p requeue0 -w @NODE@9", script=BATCH_SRUN),
    # at a terminal
    Row("srun --pty: Ctrl-Z, Ctrl-C", type_stop_then_interrupt, "INT", typed, 130, "FAILED",
        "130:0", script=TASK_WITH_TERMINAL),
    Row("srun --pty bash: Ctrl-Z, fg, Ctrl-C", stop_foreground_interrupt, "INT", typed, 130,
        "COMPLETED", "0:0", script=SHELL_WITH_TERMINAL),
]


def main(proctrack="cgroup", name=""):
    rows = [row for row in ROWS if name in row.name]
    return fixture.main(
        proctrack, lambda: run_rows(proctrack, rows, nodes=9, conf=PREEMPTABLE))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
