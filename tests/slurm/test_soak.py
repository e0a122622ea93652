#!/usr/bin/env python3
"""Thirty jobs under random preemption, scancel, requeue and time limits; see soak_plan.py.

    test_soak.py [cgroup|linuxproc|pgid] [--requeue MODE]

Two minutes of storm, ten with PW_FULL=1, or PW_SOAK_SECONDS=n. SEED=n repeats a plan.
"""

import os
import random
import sys

import fixture
import soak
from fixture import HERE, binary, marked_processes, wait_for
from soak_check import Check, Requeues
from soak_plan import NODES, draw

SEED = int(os.environ.get("SEED", random.randrange(100_000)))
SECONDS = int(os.environ.get("PW_SOAK_SECONDS", 600 if os.environ.get("PW_FULL") == "1" else 120))
# The storm makes many short runs, which the loop guard is there to stop.
REQUEUE = "--requeue {mode} --max-requeues 1000 --min-runtime 0"


def options(mode):
    return "" if mode == "none" else REQUEUE.format(mode=mode)


def faults_of(storm, requeues):
    faults = []
    for unit in storm.units:
        check = Check(storm, unit, requeues)
        found = check.faults()
        faults += found
        if found:
            print(check.story(), "\n*** " + "\n*** ".join(found), flush=True)
    left = marked_processes(storm.mark)
    return faults + [f"left: {process}" for process in left]


def tell_of_the_unended(storm):
    for unit in storm.unended():
        print(Check(storm, unit, Requeues.ALWAYS).story(), flush=True)
    print(storm.slurm.run("sinfo", "-N", "-l"))
    print("\n".join(marked_processes(storm.mark)), flush=True)


def summary(storm):
    restarts = [int(storm.seen(unit)["Restarts"]) for unit in storm.units]
    met = [met.kind for unit in storm.units for met in unit.met]
    print(f"{len(restarts)} jobs, {sum(restarts)} restarts, at most {max(restarts)} of one; "
          f"{len(storm.preemptions)} preemptions of a node, "
          + ", ".join(f"{met.count(kind)} {kind}" for kind in sorted(set(met))))


def test(proctrack, mode):
    print(f"SEED={SEED} PW_SOAK_SECONDS={SECONDS}", flush=True)
    plan = draw(SEED, SECONDS)
    dice = random.Random(SEED)
    with fixture.cluster(proctrack, nodes=NODES, cpus=6, conf=soak.partitions(),
                         killwait=dice.choice((5, 12)), requeue_exit=99) as slurm:
        slurm.provide(binary(), HERE / "soak_trainer.py")
        storm = soak.Soak(slurm, plan, options(mode))
        storm.submit()
        storm.storm()
        try:
            storm.wait_for_the_end(SECONDS + 120)
        except AssertionError:
            tell_of_the_unended(storm)
            raise
        wait_for(lambda: not marked_processes(storm.mark), "the end of all processes", 10)
        summary(storm)
        faults = faults_of(storm, Requeues.SLURM_ONLY if mode == "none" else Requeues.ALWAYS)
    print("\n".join([f"SEED={SEED}: {len(faults)} faults", *faults]), flush=True)
    return 1 if faults else 0


def main(words):
    mode = "auto"
    if "--requeue" in words:
        at = words.index("--requeue")
        mode = words[at + 1]
        del words[at:at + 2]
    proctrack = words[0] if words else "cgroup" if fixture.ROOT else "linuxproc"
    return fixture.main(proctrack, lambda: test(proctrack, mode))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
