#!/usr/bin/env python3
"""Ranks of a torchrun that stop at the same step: a notice to one of them counts for all.

The ranks hear of it at different moments. One that left at once would let the others wait for it in
their next all_reduce, until the job is killed. So they ask each other, once a step.
"""
import os
import signal
import time

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

STEPS, STEP_TIME = int(os.environ.get("STEPS", 100)), 0.1
CHECKPOINT = "checkpoint.pt"  # on a disk that all nodes see
notice = 0  # the signal that told us to stop


def on_notice(number, _frame):
    global notice
    notice = notice or number  # the first one counts


def notice_to_anyone():
    """The signal; 0 while nobody has been told. In a trainer with long batches add it to a
    reduction that is there anyway."""
    heard = torch.tensor(notice, device=device)
    dist.all_reduce(heard, op=dist.ReduceOp.MAX)
    return int(heard)


def save():
    state = {"step": step, "model": model.module.state_dict()}
    torch.save(state, CHECKPOINT + ".tmp")
    os.rename(CHECKPOINT + ".tmp", CHECKPOINT)


for number in (signal.SIGUSR1, signal.SIGTERM):  # before the ranks find each other: that takes long
    signal.signal(number, on_notice)
cuda = torch.cuda.is_available()
device = torch.device("cuda", int(os.environ["LOCAL_RANK"])) if cuda else torch.device("cpu")
dist.init_process_group("nccl" if cuda else "gloo")
rank = dist.get_rank()
model = DistributedDataParallel(torch.nn.Linear(1, 1).to(device))
optimizer = torch.optim.SGD(model.parameters(), lr=1e-6)
step = 0
if os.path.exists(CHECKPOINT):
    saved = torch.load(CHECKPOINT, map_location=device)
    step = saved["step"]
    model.module.load_state_dict(saved["model"])
if rank == 0:
    print(f"train: {dist.get_world_size()} ranks from step {step}", flush=True)

stopped_by = 0
while step < STEPS and not stopped_by:
    time.sleep(STEP_TIME)  # a real step takes longer
    batch = torch.rand(16, 1, device=device)
    optimizer.zero_grad()
    (model(batch) - batch).square().mean().backward()
    optimizer.step()
    step += 1
    stopped_by = notice_to_anyone()
if rank == 0:  # the others need not wait: preempt-wrap keeps the launcher from ending us
    save()
    print(f"train: saved step {step}", flush=True)
# Not sys.exit: a rank that tears gloo down after its peers have left may abort in that (PyTorch
# 1.13, seen once), and its status would be lost.
os._exit(128 + stopped_by if stopped_by else 0)
