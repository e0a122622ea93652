#!/usr/bin/env python3
"""A Weights & Biases run that comes back after a preemption.

W&B calls a run preempted, and hands it to the next agent, if it was marked as preempting and its
process then ends with a status other than 0. Works alone and as the program of a sweep.
"""
import json
import os
import signal
import sys
import time

import wandb

STEPS, STEP_TIME = int(os.environ.get("STEPS", 100)), 0.1
SIGNALS = (signal.SIGUSR1, signal.SIGTERM)
notice = None  # the signal that told us to stop
in_wandb = False


def on_notice(number, _frame):
    global notice
    notice = notice or number  # the first one counts
    if not in_wandb:  # it may interrupt run.log(), which holds a lock of W&B's
        leave()


def leave():
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)  # nothing interrupts the save
    try:
        run.mark_preempting()  # W&B hears of it at once
    finally:
        save()
    sys.exit(128 + notice)  # not within `with wandb.init()`: that would tell W&B 1


def save():
    with open(checkpoint + ".tmp", "w") as file:
        json.dump(state, file)
    os.rename(checkpoint + ".tmp", checkpoint)


# In a sweep W&B says which run this is; alone the job does, and a requeued job keeps its number.
alone = {} if "WANDB_SWEEP_ID" in os.environ else {"id": os.environ.get("SLURM_JOB_ID")}
run = wandb.init(resume="allow", **alone)
checkpoint = f"checkpoint-{run.id}.json"
state = {"step": 0}
if os.path.exists(checkpoint):
    with open(checkpoint) as file:
        state = json.load(file)
for number in SIGNALS:
    signal.signal(number, on_notice)
print(f"train: run {run.id} from step {state['step']}", flush=True)

while state["step"] < STEPS:
    time.sleep(STEP_TIME)  # the work of one step
    state = {"step": state["step"] + 1}  # replaced as a whole: a notice finds the old or the new
    in_wandb = True
    run.log({"loss": 1 / state["step"]}, step=state["step"])
    in_wandb = False
    if notice:
        leave()
save()
run.finish()
print("train: finished", flush=True)
