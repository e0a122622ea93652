#!/usr/bin/env python3
"""A trainer of the soak: it counts steps, each on the disk before the next begins.

Each rank owns the folder PW_SOAK/<array task>.<rank>:
  events.jsonl     one line an event (start, step, notice, saving, saved, end), of all runs,
                   fsynced
  checkpoint.json  {"step": n}, replaced as a whole; the next run starts there
  done             when all steps are done

Kinds: "slow" takes its time to save after a notice, then exits 128+n; "zero" saves and exits 0;
"ignore" goes on after each notice, and saves every ten steps. The first two save at a notice only,
so all that they do is lost when they get none, or not the time for it.
"""

import argparse
import json
import os
import signal
import time
from pathlib import Path


def sync_folder(folder):
    descriptor = os.open(folder, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


class Trainer:
    def __init__(self, options):
        self.options = options
        self.restart = int(os.environ.get("SLURM_RESTART_COUNT", "0"))
        task = os.environ.get("SLURM_ARRAY_TASK_ID", "0")
        self.folder = Path(os.environ["PW_SOAK"]) / f"{task}.{os.environ['SLURM_PROCID']}"
        self.folder.mkdir(exist_ok=True)
        self.events = open(self.folder / "events.jsonl", "a", encoding="utf-8")
        self.checkpoint = self.folder / "checkpoint.json"
        self.step = 0
        self.told = None

    def note(self, event, **fields):
        line = {"event": event, "time": time.time(), "restart": self.restart, "step": self.step}
        self.events.write(json.dumps({**line, **fields}) + "\n")
        self.events.flush()
        os.fsync(self.events.fileno())

    def save(self, seconds=0.0):
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            time.sleep(left)
        self.note("saving")
        new = self.checkpoint.with_suffix(".new")
        with open(new, "w", encoding="utf-8") as file:
            json.dump({"step": self.step}, file)
            file.flush()
            os.fsync(file.fileno())
        os.rename(new, self.checkpoint)
        sync_folder(self.folder)
        self.note("saved")

    def on_notice(self, signo, _frame):
        self.told = self.told or signo

    def run(self):
        for signo in (signal.SIGTERM, signal.SIGUSR1):
            signal.signal(signo, self.on_notice)
        if self.checkpoint.exists():
            self.step = json.loads(self.checkpoint.read_text(encoding="utf-8"))["step"]
        self.note("start", node=os.environ.get("SLURMD_NODENAME"), pid=os.getpid())
        while self.step < self.options.steps:
            time.sleep(self.options.step_time)
            self.step += 1
            self.note("step")
            if self.options.kind == "ignore":
                if self.step % 10 == 0:
                    self.save()
            elif self.told:
                return self.leave()
        self.save()
        (self.folder / "done").touch()
        sync_folder(self.folder)
        return 0

    def leave(self):
        self.note("notice", name=signal.Signals(self.told).name)
        self.save(self.options.save_time if self.options.kind == "slow" else 0)
        return 0 if self.options.kind == "zero" else 128 + self.told


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kind", choices=("ignore", "slow", "zero"), required=True)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--step-time", type=float, default=0.25)
    parser.add_argument("--save-time", type=float, default=1.5)
    trainer = Trainer(parser.parse_args())
    status = trainer.run()
    trainer.note("end", status=status)
    return status


if __name__ == "__main__":
    raise SystemExit(main())
