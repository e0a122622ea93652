"""A soak on the private cluster: a plan's jobs, and a plan's events that befall them.

    soak = Soak(slurm, draw(seed, seconds), wrapper="--requeue auto")
    soak.submit(); soak.storm(); soak.wait_for_the_end()

What each unit then has behind it (its runs, and the events that met it) is for soak_check.py.
"""

import contextlib
import json
import shutil
import time
from dataclasses import dataclass

from fixture import ENDED, ROOT, binary, fields, stopping, wait_for
from soak_plan import GRACE, PARTITIONS, STEP_TIME

LIMIT = "00:10:00"  # of each job; a limit that an event has shortened is lifted again
OWN_EXIT = 86       # --exit-preempted of the trainers that exit 0 after saving
SCRIPTS = {
    # bash must outlive the job's TERM, else Slurm KILLs the step
    "task": "trap : TERM\nsrun -n {ranks} {wrap} -- {train}\nexit $?",
    "batch": "exec {wrap} -- {train}",
    "batch-srun": "exec {wrap} -- srun {train}",
}


def partitions():
    return "\n".join(
        f"PartitionName={name} Nodes=@NODE@[{','.join(map(str, nodes))}] PriorityTier=1 "
        f"PreemptMode=REQUEUE GraceTime={GRACE if name == 'later' else 0}"
        for name, nodes in PARTITIONS.items())


@dataclass
class Met:
    """An event that was carried out, and in what state it found its unit."""
    kind: str
    time: float
    restart: int = 0
    state: str = ""
    said: str = ""         # what the command said, if it failed
    until: float = 0.0     # of a preemption: when the higher job had its node
    node: str = ""
    too_late: bool = False  # of a scancel: Slurm had already begun to end the job, and ignores it


class Soaked:
    """A unit of the plan on the cluster."""

    def __init__(self, unit, folder, job):
        self.unit = unit
        self.folder = folder
        self.id = f"{job}_{unit.task}" if unit.job.tasks else job
        self.job = job
        self.met = []

    def scancel(self):
        """The first one that Slurm took."""
        return next((met for met in self.met if met.kind == "scancel" and not met.too_late), None)

    def ranks(self):
        return sorted(self.folder.glob(f"{self.unit.task}.*"))

    @staticmethod
    def events(rank):
        path = rank / "events.jsonl"
        lines = path.read_text(encoding="utf-8").split("\n")[:-1] if path.exists() else []
        return [json.loads(line) for line in lines]

    def done(self):
        ranks = self.ranks()
        return len(ranks) == self.unit.job.ranks and all((rank / "done").exists() for rank in ranks)


class Soak:
    def __init__(self, slurm, plan, wrapper):
        self.slurm = slurm
        self.plan = plan
        self.wrapper = wrapper
        self.units = []
        self.preemptions = []
        self.mark = f"PW_SOAK_MARK={slurm.folder.name}"

    # ---- the jobs

    def submit(self):
        for job in self.plan.jobs:
            folder = self.slurm.jobs / job.name
            folder.mkdir()
            if ROOT:
                shutil.chown(folder, self.slurm.user)
            folder.chmod(0o755)  # a gate lies in no folder that others can write
            number = self.submit_job(job, folder)
            self.units += [Soaked(unit, folder, number) for unit in self.plan.units
                           if unit.job == job]

    def submit_job(self, job, folder):
        train = (f"{self.slurm.python} {self.slurm.folder}/bin/soak_trainer.py --kind {job.kind} "
                 f"--steps {job.steps} --step-time {STEP_TIME}")
        wrap = f"{binary().name} {self.wrapper} --journal {folder}/journal.jsonl"
        if job.kind == "zero":
            done = f"{folder}/{'%a' if job.tasks else '0'}.0/done"
            wrap += f" --exit-preempted {OWN_EXIT} --done-file {done}"
        if job.gate:
            wrap += f" --gate {folder}/gate --start-rate 1/s"
        options = ["-J", job.name, "-p", job.partition, "-t", "10", "-n", str(job.ranks), "-N1"]
        if job.tasks:
            options.append(f"--array=0-{job.tasks - 1}")
        if job.warned:
            options.append("--signal=USR1@5")
        name, value = self.mark.split("=")
        script = SCRIPTS[job.place].format(ranks=job.ranks, wrap=wrap, train=train)
        return self.slurm.submit(script, *options, folder=folder,
                                 env={"PW_SOAK": str(folder), name: value})

    # ---- the events

    def now(self, unit):
        """The unit as Slurm sees it at this moment."""
        lines = self.slurm.run("scontrol", "show", "job", "-o", unit.id).splitlines()
        return fields(lines[0])

    def seen(self, unit):
        """The unit in the table of all jobs, which is a moment old."""
        for job in self.slurm.table.find(unit.job):
            if not unit.unit.job.tasks or job.get("ArrayTaskId") == str(unit.unit.task):
                return job
        # Of a task that is cancelled before it has become a job Slurm keeps no record.
        return {"JobState": "CANCELLED", "Restarts": "0"} if unit.scancel() else {}

    def storm(self):
        begin = time.monotonic()
        for event in self.plan.events:
            while (left := begin + event.at - time.monotonic()) > 0:
                self.lift_limits()
                if stopping.wait(min(left, 0.5)):
                    raise KeyboardInterrupt
            if event.kind == "preempt":
                self.preempt(event.target)
            else:
                self.meet(self.units[event.target], event.kind)

    def meet(self, unit, kind):
        if unit.scancel():
            return  # a requeue of ours would bring a cancelled job back
        job = self.now(unit)
        if job["JobState"] in ENDED:
            return
        met = Met(kind, time.time(), int(job["Restarts"]), job["JobState"])
        unit.met.append(met)
        try:
            if kind == "scancel":
                self.slurm.scancel(unit.id)
                after = self.now(unit)
                met.too_late = "TimeLimit" in (job["Reason"], after["Reason"])
            elif kind == "requeue":
                self.slurm.scontrol("requeue", unit.id)
            else:
                self.slurm.end_in(unit.id, 20 if unit.unit.job.warned else 2)
        except AssertionError as refused:  # it is not running, or already pending
            met.said = str(refused)

    def preempt(self, node):
        """A job of a higher partition wants the whole node for a moment."""
        name = f"{self.slurm.node}{node}"
        job = self.slurm.submit("sleep 1", "-o", "/dev/null", "-J", "higher", "-p", "high",
                                "-w", name, "--exclusive")
        self.preemptions.append((job, Met("preempt", time.time(), node=name)))

    def lift_limits(self):
        """So that one event is one cause: the shorter limit is for the run that it ended."""
        for unit in self.units:
            job = self.seen(unit)
            if job.get("JobState") == "PENDING" and job["TimeLimit"] != LIMIT:
                with contextlib.suppress(AssertionError):  # it has been cancelled meanwhile
                    self.slurm.scontrol("update", f"jobid={unit.id}", f"TimeLimit={LIMIT}",
                                        user=False)

    # ---- the end

    def unended(self):
        return [unit for unit in self.units if self.seen(unit).get("JobState") not in ENDED]

    def wait_for_the_end(self, seconds):
        def all_ended():
            self.lift_limits()
            return not self.unended()

        wait_for(all_ended, "the end of all jobs", seconds)
        for job, preemption in self.preemptions:
            wait_for(lambda job=job: self.slurm.ended(job), "the end of the higher jobs")
            start = time.strptime(self.slurm.job(job)["StartTime"], "%Y-%m-%dT%H:%M:%S")
            preemption.until = time.mktime(start) + 1
