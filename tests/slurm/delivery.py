"""One row of the delivery table: a real job, what is done to it, and what must come of it."""

import contextlib
import re
import unittest
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Callable

import fixture
from fixture import HERE, binary, marked_processes, wait_for
from record import Record
from terminal import Terminal

# {wrap} is the wrapper with its options, {train} the trainer with its own.
# bash has a trap so that it survives the TERM of the job and can tell the status of srun.
PER_TASK = """trap : TERM
srun {srun} {wrap} -- {train}
status=$?
echo $status >$PW_RECORD/status.${{SLURM_RESTART_COUNT:-0}}$SLURM_ARRAY_TASK_ID
exit $status"""
BEHIND_BASH = PER_TASK.replace("-- {train}", "-- bash -c '{train}; exit $?'")
NO_TRAP = "srun {wrap} -- {train}"
# A job cancelled between two runs: Slurm keeps the code of the old one or none, as the old run's
# end and the cancel meet.
ANY_CODE = "any"
BATCH = "exec {wrap} -- {train}"
BATCH_SRUN = "exec {wrap} -- srun {train}"
# These two are no batch scripts but what srun --pty runs.
TASK_WITH_TERMINAL = "{wrap} -- {train}"
SHELL_WITH_TERMINAL = "bash --norc --noprofile -i"
TERMINAL = (TASK_WITH_TERMINAL, SHELL_WITH_TERMINAL)


def per_process(copies):
    """Slurm signals each task, and except under cgroup also what is below it, so many times.

    Either way the trainer has it from one side only: under cgroup once, from the wrapper;
    otherwise from Slurm itself, which nobody can prevent, and not once more from the wrapper.
    """
    return lambda proctrack: (
        {"preempt-wrap": (1, 1)} if proctrack == "cgroup" else {"slurmstepd": (1, copies)})


def by_wrapper(_proctrack):
    """Slurm signals the batch process alone."""
    return {"preempt-wrap": (1, 1)}


def batch_too(proctrack):
    """Slurm signals the batch process, and under the others each process below it as well."""
    if proctrack == "cgroup":
        return {"preempt-wrap": (1, 1)}
    return {"slurmstepd": (1, 1)}


def as_task(copies):
    """The trainer is slurmstepd's own child; the wrapper is above srun."""
    return lambda _proctrack: {"slurmstepd": (1, copies)}


def typed(_proctrack):
    return {"kernel": (1, 1)}


def nothing(_proctrack):
    return {}


@dataclass(frozen=True)
class Row:
    name: str
    act: Callable                # what is done to the job when its trainers run: act(run)
    notice: str                  # what the trainer is to get ...
    copies: Callable             # ... by proctrack: sender -> at least, at most
    status: int                  # of the wrapper, seen in the step's or the job's
    state: str                   # the job's at the end
    exit_code: str               # as scontrol shows it
    script: str = PER_TASK
    options: str = ""            # of sbatch
    srun: str = ""
    wrapper: str = ""
    trainer: str = ""
    ranks: int = 1
    saves: bool = True
    resumes: bool = False        # Slurm runs it again, and it goes on from its checkpoint
    later: str = ""              # and what Slurm itself sends it after that, except under cgroup
    restarts: int = 0            # that Slurm counts, though nothing has run again
    killed_after: tuple = ()     # seconds from the notice to our SIGKILL: at least, at most

    @property
    def runs(self):
        return Run


class Run:
    def __init__(self, slurm, proctrack, row):
        self.slurm = slurm
        self.proctrack = proctrack
        self.row = row
        self.folder = slurm.jobs / re.sub(r"\W+", "-", row.name).strip("-")
        self.folder.mkdir()
        self.folder.chmod(0o777)
        self.record = Record(self.folder)
        self.mark = f"PW_RECORD={self.folder}"
        self.job = None
        self.terminal = None

    # ---- verbs for the rows' acts

    @property
    def rank(self):
        return self.record.ranks()[0]

    def job_state(self):
        return self.slurm.job(self.job).get("JobState")

    def goes_on(self):
        """Waits until the trainers have done ten steps more."""
        for rank in self.record.ranks():
            seen = self.record.progress(rank)
            wait_for(lambda r=rank, s=seen: self.record.progress(r) >= s + 10, "ten more steps")

    def command(self):
        return f"{binary().name} {self.row.wrapper} -- {self.train()}"

    def train(self):
        return f"{self.slurm.python} {self.slurm.folder}/bin/trainer.py {self.row.trainer}"

    # ---- one life

    def go(self):
        try:
            self.start()
            self.started()
            self.row.act(self)
            wait_for(lambda: self.slurm.ended(self.job), "the end of the job")
            self.check()
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.story()}") from None
        finally:
            if self.terminal:
                self.terminal.close()

    def environment(self):
        return {"PW_RECORD": str(self.folder)}

    def start(self):
        row = self.row
        script = row.script.format(wrap=f"{binary().name} {row.wrapper}", train=self.train(),
                                   srun=row.srun)
        environment = self.environment()
        options = ["-t", "5", "-J", self.folder.name]
        if row.script in TERMINAL:
            self.terminal = Terminal(self.slurm, ["srun", "--pty", *options, *script.split()],
                                     cwd=self.folder, env=dict(self.slurm.env, **environment))
        else:
            self.job = self.slurm.submit(
                script, *options, *row.options.replace("@NODE@", self.slurm.node).split(),
                folder=self.folder, env=environment)
        if row.script == SHELL_WITH_TERMINAL:
            self.terminal.expect("$ ")
            self.terminal.type(self.command() + "\n")

    def started(self):
        """Each trainer has done a step, so that there is something to lose."""
        def all_at_work():
            ranks = self.record.ranks()
            if len(ranks) == self.row.ranks and all(map(self.record.progress, ranks)):
                return True
            if self.job and self.slurm.ended(self.job):
                raise AssertionError("the job ended before its trainers were at work")
            return False

        wait_for(all_at_work, "the trainers' start")
        self.job = self.job or self.record.start(self.rank)["job"]

    def story(self):
        lines = [f"job {self.slurm.job(self.job)}" if self.job else "no job", self.record.story()]
        if self.terminal:
            lines.append(f"--- terminal\n{self.terminal.read()}")
        return "\n".join(lines)

    # ---- what must have come of it

    def check(self):
        left = marked_processes(self.mark)
        self.equal("processes left", left, [])
        for rank in self.record.ranks():
            self.check_signals(rank)
            self.check_saved(rank)
            if self.row.killed_after:
                self.check_killed(rank)
        for job in self.slurm.table.find(self.job):
            self.equal("state", job["JobState"], self.row.state)
            if self.row.exit_code != ANY_CODE:
                self.equal("exit code", job["ExitCode"], self.row.exit_code)
            self.equal("restarts", job["Restarts"], str(int(self.row.resumes or self.row.restarts)))
            if self.row.script == PER_TASK:
                task = job.get("ArrayTaskId", "")
                self.equal("status", self.record.step_status(0, task), self.row.status)
                if self.row.resumes:
                    self.equal("status of the second run", self.record.step_status(1, task), 0)

    def check_signals(self, rank):
        """CONT does not count: Slurm sends it along with most others, before or after them."""
        got = self.record.events(rank, "signal")
        usual = {self.row.notice, "CONT"}
        if self.proctrack != "cgroup":
            usual.add(self.row.later)
        others = [event["name"] for event in got if event["name"] not in usual]
        self.equal("other signals", others, [])
        senders = Counter(event["sender"] for event in got if event["name"] == self.row.notice)
        expected = self.row.copies(self.proctrack)
        fits = set(senders) <= set(expected) and all(
            least <= senders[sender] <= most for sender, (least, most) in expected.items())
        if not fits:
            raise AssertionError(f"{rank.name}: {self.row.notice} came from {dict(senders)}; "
                                 f"expected {expected}")

    def check_saved(self, rank):
        saved = self.record.saved_step(rank)
        if not self.row.saves:
            self.equal("saved step", saved, None)
            return
        notices = self.record.signals(rank, self.row.notice)
        due = notices[0]["step"] if notices else self.record.events(rank, "end")[0]["step"]
        if self.row.resumes:
            resumed = self.record.start(rank, restart=1)["step"]
            self.equal("step of the resumed run", resumed, due)
            due += 20
        self.equal("saved step", saved, due)

    def check_killed(self, rank):
        notice = self.record.signals(rank, self.row.notice)[0]
        lived = self.record.last_step_at(rank) - notice["time"]
        least, most = self.row.killed_after
        if not least <= lived <= most:
            raise AssertionError(f"killed {lived:.2f} s after the notice; "
                                 f"expected {least} to {most}")

    @staticmethod
    def equal(what, got, expected):
        if got != expected:
            raise AssertionError(f"{what}: got {got!r}, expected {expected!r}")


class Delivery(unittest.TestCase):
    def __init__(self, row, result):
        super().__init__()
        self.row = row
        self.result = result

    def __str__(self):
        return self.row.name

    def runTest(self):
        self.result.result()


def run_rows(proctrack, rows, programs=(), **how):
    """All at the same time, on one cluster; the exit status."""
    with contextlib.ExitStack() as stack:
        slurm = stack.enter_context(fixture.cluster(proctrack, **how))
        slurm.provide(binary(), HERE / "trainer.py", *programs)
        pool = stack.enter_context(ThreadPoolExecutor(len(rows)))
        stack.callback(fixture.stopping.set)  # before the pool waits for its threads
        suite = unittest.TestSuite(
            Delivery(row, pool.submit(row.runs(slurm, proctrack, row).go)) for row in rows)
        outcome = unittest.TextTestRunner(verbosity=2).run(suite)
    return 0 if outcome.wasSuccessful() else 1
