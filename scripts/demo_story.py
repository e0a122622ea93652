"""What both demos share: the words of the story, and the check that no step was lost."""

import json
import pathlib
import sys
import time

STEPS = 60
REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
TRAINER = REPOSITORY / "examples" / "train.py"

start = time.monotonic()


def tell(who, text):
    print(f"{time.monotonic() - start:6.1f} s  {who:<10} {text}", flush=True)


def wait_until(condition, what, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"demo: waited {seconds} s in vain for {what}")
        time.sleep(0.02)


def steps_done(folder):
    """The number of each step that the trainer did, in the order in which it did them."""
    try:
        return [int(line) for line in (folder / "trace").read_text().split()]
    except FileNotFoundError:
        return []


def checkpoint(folder):
    try:
        return json.loads((folder / "checkpoint.json").read_text())["step"]
    except FileNotFoundError:
        return 0


def check(holds, text):
    if not holds:
        sys.exit(f"demo: FAILED: {text}")
    tell("check", text)


def check_saved(folder):
    """After a preemption: the checkpoint is as far as the work."""
    done = steps_done(folder)
    check(checkpoint(folder) == max(done, default=-1),
          f"checkpoint.json says step {checkpoint(folder)}, the last step done is "
          f"{max(done, default=0)}")


def check_all(folder):
    """At the end: each step was done exactly once, in order, and the last one is saved."""
    check(checkpoint(folder) == STEPS, f"checkpoint.json says step {checkpoint(folder)} of {STEPS}")
    check(steps_done(folder) == list(range(1, STEPS + 1)),
          f"steps 1 to {STEPS} were each done once, in order: none lost, none repeated")
