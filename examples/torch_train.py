#!/usr/bin/env python3
"""PyTorch with DataLoader workers: the trainer takes note of the notice, its workers do not.

Workers are forked from the trainer and inherit its handlers: a notice that reaches them, too (Slurm
may signal every process of a step) would be handled, or kill them, and break the last batch.
"""
import os
import signal
import sys
import time

import torch
from torch.utils.data import DataLoader, TensorDataset

STEPS, STEP_TIME = int(os.environ.get("STEPS", 100)), 0.1
CHECKPOINT = "checkpoint.pt"
notice = None  # the signal that told us to stop


def on_notice(number, _frame):
    global notice
    notice = notice or number  # the first one counts


def deaf_worker(_worker):
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # by which PyTorch itself ends its workers


def batches():
    data = TensorDataset(torch.arange(256.0).reshape(-1, 1))
    while True:
        yield from DataLoader(data, batch_size=16, num_workers=2, worker_init_fn=deaf_worker)


def save(step, model):
    torch.save({"step": step, "model": model.state_dict()}, CHECKPOINT + ".tmp")
    os.rename(CHECKPOINT + ".tmp", CHECKPOINT)


for number in (signal.SIGUSR1, signal.SIGTERM):
    signal.signal(number, on_notice)
torch.set_num_threads(1)
model = torch.nn.Linear(1, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=1e-6)
step = 0
if os.path.exists(CHECKPOINT):
    saved = torch.load(CHECKPOINT)
    step = saved["step"]
    model.load_state_dict(saved["model"])
print(f"train: from step {step}", flush=True)

for (batch,) in batches():
    if notice:  # between two steps
        save(step, model)
        print(f"train: saved step {step}", flush=True)
        sys.exit(128 + notice)
    if step >= STEPS:
        break
    optimizer.zero_grad()
    (model(batch) - batch).square().mean().backward()
    optimizer.step()
    time.sleep(STEP_TIME)  # a real step takes longer
    step += 1
save(step, model)
print("train: finished", flush=True)
