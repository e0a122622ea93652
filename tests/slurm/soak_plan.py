"""What the soak does, all of it drawn from one seed: the jobs, and what happens to them when.

    plan = draw(seed=7, seconds=120)

The plan is the same for the same seed. What it meets is not: when Slurm starts a job, and in what
state an event finds it, is up to the machine.
"""

import random
from dataclasses import dataclass

NODES = 6
GRACE = 4
# Partition "now" kills at once, "later" leaves GRACE seconds; a preemption takes a whole node.
PARTITIONS = {"now": (1, 2, 3), "later": (4, 5, 6)}
KINDS = ("ignore", "slow", "zero")
PLACES = ("task", "batch", "batch-srun")
STEP_TIME = 0.25
CANCELLED = 6


@dataclass(frozen=True)
class Job:
    name: str
    kind: str            # of trainer
    place: str           # of the wrapper: in each task, as the batch process, or above srun
    partition: str
    steps: int
    tasks: int = 0       # of the array; 0 is no array
    ranks: int = 1
    warned: bool = False  # --signal=USR1@5, which comes up to 30 s before that
    gate: bool = False


@dataclass(frozen=True)
class Unit:
    """What Slurm runs, requeues and cancels: a job, or a task of an array."""
    job: Job
    task: int = 0

    @property
    def name(self):
        return f"{self.job.name}.{self.task}" if self.job.tasks else self.job.name


@dataclass(frozen=True)
class Event:
    at: float            # seconds from the start
    kind: str            # preempt, scancel, requeue or limit
    target: int          # the node's number, else the index of the unit


@dataclass(frozen=True)
class Plan:
    jobs: list
    units: list
    events: list


def draw_jobs(dice, seconds):
    def steps():
        return round(dice.uniform(0.4, 0.7) * seconds / STEP_TIME)

    jobs = []
    for number in range(15):
        place = PLACES[number % 3]
        kind = KINDS[number // 3 % 3]
        # the work of several ranks is done when all have ended, which no file tells
        ranks = 2 if place == "task" and kind != "zero" and dice.random() < 0.5 else 1
        jobs.append(Job(f"single{number}", kind, place, dice.choice(list(PARTITIONS)), steps(),
                        ranks=ranks, warned=place == "task" and dice.random() < 0.5))
    for number, kind in enumerate(KINDS):
        jobs.append(Job(f"array{number}", kind, dice.choice(PLACES),
                        dice.choice(list(PARTITIONS)), steps(), tasks=5, gate=number == 1))
    return jobs


def draw_events(dice, seconds, units):
    """Some follow another one of the same unit so soon that they find it draining or requeuing."""
    events = []
    now = 5.0
    while now < seconds:
        kind = dice.choices(("preempt", "requeue", "limit"), (2, 3, 4))[0]
        if kind == "preempt":
            target = dice.randint(1, NODES)
        else:
            target = dice.randrange(len(units))
            if dice.random() < 0.2:
                second = dice.choice(("requeue", "limit"))
                events.append(Event(now + dice.uniform(0.05, 3), second, target))
        events.append(Event(now, kind, target))
        now += dice.expovariate(0.8)
    for target in dice.sample(range(len(units)), CANCELLED):
        mine = [event.at for event in events if event.kind != "preempt" and event.target == target]
        at = dice.choice(mine) + dice.uniform(0, 4) if mine else dice.uniform(0, seconds)
        events.append(Event(at, "scancel", target))
    return sorted(events, key=lambda event: event.at)


def draw(seed, seconds):
    dice = random.Random(seed)
    jobs = draw_jobs(dice, seconds)
    units = [Unit(job, task) for job in jobs for task in range(max(job.tasks, 1))]
    return Plan(jobs, units, draw_events(dice, seconds, units))
