#!/usr/bin/env python3
"""A trial of a W&B sweep by wandb.agent(function=...): wandb_function.py ENTITY/PROJECT/SWEEP

The function runs in a thread, and only the main thread can set signal handlers: they are set before
the agent starts. The agent forwards nothing; the handler takes note, the function looks.
"""
import json
import os
import signal
import sys
import time

import wandb

STEPS, STEP_TIME = int(os.environ.get("STEPS", 100)), 0.1
notice = None  # the signal that told us to stop


def on_notice(number, _frame):
    global notice
    notice = notice or number  # the first one counts


def train():
    run = wandb.init(resume="allow")
    checkpoint = f"checkpoint-{run.id}.json"
    step = 0
    if os.path.exists(checkpoint):
        with open(checkpoint) as file:
            step = json.load(file)["step"]
    print(f"train: run {run.id} from step {step}", flush=True)
    while step < STEPS and not notice:
        time.sleep(STEP_TIME)  # the work of one step
        step += 1
        run.log({"loss": 1 / step}, step=step)
    if notice:
        run.mark_preempting()
    with open(checkpoint + ".tmp", "w") as file:
        json.dump({"step": step}, file)
    os.rename(checkpoint + ".tmp", checkpoint)
    # sys.exit() in a thread would tell nobody.
    run.finish(exit_code=128 + notice if notice else 0)


for number in (signal.SIGUSR1, signal.SIGTERM):
    signal.signal(number, on_notice)
# One trial: an agent that goes on would begin the next one on a machine that is going away.
wandb.agent(sys.argv[1], function=train, count=1)
sys.exit(128 + notice if notice else 0)
