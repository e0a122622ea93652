#!/usr/bin/env python3
"""A trainer that can be preempted, with nothing but the standard library.

It counts steps, resumes from its last checkpoint, saves when it is told to stop and exits with
128 + the signal's number. Copy the four lines marked (1) to (4) into a trainer of your own.
"""
import argparse
import json
import os
import signal
import sys
import time

notice = None  # the signal that told us to stop


def on_notice(number, _frame):  # (1) a handler only takes note: it may interrupt anything
    global notice
    notice = notice or number


def save(folder, state, seconds):
    """Replaces the checkpoint in one step: a reader, or a crash, sees the old or the new one."""
    temporary = os.path.join(folder, "checkpoint.tmp")
    with open(temporary, "w") as file:
        json.dump(state, file)
        time.sleep(seconds)  # a real checkpoint is large
        file.flush()
        os.fsync(file.fileno())
    os.rename(temporary, os.path.join(folder, "checkpoint.json"))
    directory = os.open(folder, os.O_RDONLY)
    os.fsync(directory)
    os.close(directory)


def load(folder):
    try:
        with open(os.path.join(folder, "checkpoint.json")) as file:
            return json.load(file)
    except FileNotFoundError:
        return {"step": 0}


def trace(path, step):
    if path:
        with open(path, "a") as file:
            file.write(f"{step}\n")


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--dir", default=".", help="where the checkpoint is")
    options.add_argument("--steps", type=int, default=100, help="steps in all")
    options.add_argument("--step-time", type=float, default=0.1, help="seconds a step takes")
    options.add_argument("--save-time", type=float, default=1.0, help="seconds a save takes")
    options.add_argument("--trace", help="append each step's number to this file (for the demo)")
    args = options.parse_args()

    for number in (signal.SIGUSR1, signal.SIGTERM):  # (2) as early as you can
        signal.signal(number, on_notice)
    os.makedirs(args.dir, exist_ok=True)
    state = load(args.dir)  # (3) go on where the last run stopped
    print(f"train: from step {state['step']} of {args.steps}", flush=True)
    while state["step"] < args.steps:
        time.sleep(args.step_time)  # the work of one step
        state["step"] += 1
        trace(args.trace, state["step"])
        if notice:  # (4) between two steps: save, then say by which signal we were stopped
            save(args.dir, state, args.save_time)
            print(f"train: saved step {state['step']}", flush=True)
            sys.exit(128 + notice)
    save(args.dir, state, args.save_time)
    print("train: finished", flush=True)


if __name__ == "__main__":
    main()
