"""What must be true of each unit after a soak, whatever befell it.

    faults = Check(soak, unit, Requeues.ALWAYS).faults()     a list of sentences, empty when well
"""

import enum
import itertools

SLACK = 2.0  # seconds; a job is on its node before its trainer notes its start, and after its end
SHOWN = ("JobId", "JobState", "Reason", "Restarts", "ExitCode", "StartTime", "EndTime", "NodeList")


class Requeues(enum.Enum):
    ALWAYS = "the wrapper requeues whatever ends a run before its work is done, but a scancel"
    SLURM_ONLY = "only Slurm does"


class Run:
    """One rank's life between two restarts."""

    def __init__(self, restart, events):
        self.restart = restart
        self.events = events
        self.steps = [event["step"] for event in events if event["event"] == "step"]

    def of(self, kind):
        return [event for event in self.events if event["event"] == kind]

    @property
    def start(self):
        return self.events[0]

    @property
    def last(self):
        return self.events[-1]


def runs_of(events):
    return [Run(restart, list(group))
            for restart, group in itertools.groupby(events, key=lambda event: event["restart"])]


class Check:
    def __init__(self, soak, unit, requeues):
        self.soak = soak
        self.unit = unit
        self.requeues = requeues
        self.job = soak.seen(unit)
        self.ranks = {rank.name: runs_of(unit.events(rank)) for rank in unit.ranks()}
        self.found = []

    def fault(self, text):
        self.found.append(f"{self.unit.unit.name} ({self.unit.id}): {text}")

    def faults(self):
        for name, runs in self.ranks.items():
            self.check_steps(name, runs)
        self.check_end()
        self.check_causes()
        return self.found

    # ---- no step is lost after its checkpoint, and none is done twice beyond the last one

    def check_steps(self, name, runs):
        saved = 0
        for before, run in zip([None, *runs], runs):
            where = f"rank {name}, run {run.restart}"
            if run.start["event"] != "start" or len(run.of("start")) != 1:
                self.fault(f"{where}: two trainers at a time")
            if before and run.start["time"] <= before.last["time"]:
                self.fault(f"{where} began before run {before.restart} had ended")
            # Who is killed within a save has the old checkpoint or the new one.
            if run.start["step"] not in (saved, self.step_being_saved(before)):
                self.fault(f"{where} began at step {run.start['step']}, saved was {saved}")
            if run.steps != list(range(run.start["step"] + 1, run.last["step"] + 1)):
                self.fault(f"{where}: steps {run.steps} are not in a row")
            saved = run.of("saved")[-1]["step"] if run.of("saved") else saved
            if self.unit.unit.job.kind != "ignore" and run.steps and saved != run.steps[-1]:
                self.fault(f"{where} was not told, or had not the time to save: saved {saved}, "
                           f"done {run.steps[-1]}")

    @staticmethod
    def step_being_saved(run):
        if run is None or not run.of("saving"):
            return None
        last = [event for event in run.events if event["event"] in ("saving", "saved")][-1]
        return last["step"] if last["event"] == "saving" else None

    # ---- all that were not cancelled finish; none that was comes back

    def check_end(self):
        state, cancelled = self.job["JobState"], self.unit.scancel()
        if state == "CANCELLED" and not cancelled:
            # In the end of a time limit it is too late, but not when the requeue is under way.
            cancelled = next((met for met in self.unit.met if met.kind == "scancel"), None)
        if state == "CANCELLED" and not cancelled:
            self.fault("is CANCELLED, by whom?")
        if cancelled:
            later = [run.restart for runs in self.ranks.values() for run in runs
                     if run.start["time"] > cancelled.time + SLACK]
            if later:
                self.fault(f"came back after its scancel: runs {later}")
        elif self.requeues == Requeues.ALWAYS:
            if not self.unit.done():
                self.fault(f"has not finished its work: {state}")
            # Slurm calls a job TIMEOUT that finished its work between the limit and the KILL.
            if state not in ("COMPLETED", "TIMEOUT"):
                self.fault(f"is {state}, with its work {'' if self.unit.done() else 'un'}done")

    # ---- no job is requeued twice for one cause

    def check_causes(self):
        for restart in range(int(self.job["Restarts"])):
            if not any(met.restart == restart and met.kind != "scancel" and not met.said
                       for met in self.unit.met) and not self.preempted(restart):
                self.fault(f"run {restart} was ended and requeued without a cause of its own")

    def preempted(self, restart):
        """A run whose trainer had not started has no times: those of its neighbours count."""
        runs = next(iter(self.ranks.values()), [])
        mine = [run for run in runs if run.restart == restart]
        if mine:
            begin, end = mine[0].start["time"], mine[-1].last["time"]
            node = mine[0].start.get("node")
        else:
            begin = max([run.last["time"] for run in runs if run.restart < restart], default=0)
            end = min([run.start["time"] for run in runs if run.restart > restart],
                      default=float("inf"))
            node = None
        return any(node in (None, met.node) and met.time - SLACK < end and
                   begin < met.until + SLACK for _, met in self.soak.preemptions)

    # ---- for the message of a failed test

    def story(self):
        shown = " ".join(f"{key}={self.job.get(key)}" for key in SHOWN)
        lines = [f"=== {self.unit.unit}", f"    {shown}"]
        lines += [f"    {met}" for met in self.unit.met]
        for name, runs in self.ranks.items():
            lines += [f"    rank {name} run {run.restart} on {run.start.get('node')}: steps "
                      f"{run.start['step']} to {run.last['step']}, {run.start['time']:.2f} to "
                      f"{run.last['time']:.2f}, last {run.last['event']}" for run in runs]
        for file in ("journal.jsonl", "output"):
            path = self.unit.folder / file
            if path.exists():
                lines.append(f"--- {file}\n{self.own(path)}")
        return "\n".join(lines)

    def own(self, path):
        """The lines of an array's file that are this task's, where they say whose they are."""
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        if path.suffix == ".jsonl":
            lines = [line for line in lines if f'"job":"{self.unit.id}"' in line.replace(" ", "")]
        return "\n".join(lines[-60:])
