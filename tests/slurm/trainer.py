#!/usr/bin/env python3
"""A trainer that writes down what happens to it, for the tests.

Each rank of a job owns the folder PW_RECORD/<array task>.<rank>:
  run.<restart>.jsonl  one line an event (start, signal, saved, end), on the disk before it acts
  checkpoint.json      {"step": n}, replaced as a whole, 3 s after the save began
  progress             the step it is at, for those who wait for it to go on or to stand still

It never installs a handler: it blocks the signals and has a thread wait for them (sigwaitinfo),
because that tells who sent each one, and no two of a kind melt into one in the meantime.
"""

import argparse
import json
import os
import queue
import signal
import subprocess
import threading
import time
from pathlib import Path

NOTICES = (signal.SIGUSR1, signal.SIGTERM, signal.SIGINT)
WATCHED = NOTICES + (signal.SIGUSR2, signal.SIGHUP, signal.SIGQUIT, signal.SIGCONT)
SI_KERNEL = 128  # a typed Ctrl-C comes from no process
STUBBORN = ["sh", "-c", 'trap "" TERM USR1 CONT; exec sleep 1000']


def put(path, text):
    """Replaces the file as a whole: a reader sees the old or the new text, never a part."""
    new = path.with_suffix(".new")
    with open(new, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.rename(new, path)


def comm(pid):
    try:
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    except OSError:
        return ""


class Trainer:
    def __init__(self, options):
        task = os.environ.get("SLURM_ARRAY_TASK_ID", "0")
        self.folder = Path(os.environ["PW_RECORD"]) / f"{task}.{os.environ['SLURM_PROCID']}"
        self.folder.mkdir(exist_ok=True)
        restart = os.environ.get("SLURM_RESTART_COUNT", "0")
        self.record = open(self.folder / f"run.{restart}.jsonl", "a", encoding="utf-8")
        self.checkpoint = self.folder / "checkpoint.json"
        self.step = 0
        self.last_step = options.steps
        if self.checkpoint.exists():
            self.step = json.loads(self.checkpoint.read_text(encoding="utf-8"))["step"]
            self.last_step = self.step + options.resumed_steps
        self.options = options
        self.arrived = queue.Queue()

    def note(self, event, **fields):
        fields = {"event": event, "time": time.time(), "step": self.step, **fields}
        self.record.write(json.dumps(fields) + "\n")
        self.record.flush()
        os.fsync(self.record.fileno())

    def listen(self):
        # not sigtimedwait in the main thread: Python 3.11's returns rubbish when a stop
        # (suspend, Ctrl-Z) outlasts its timeout
        while True:
            self.arrived.put(signal.sigwaitinfo(WATCHED))

    def wait(self, seconds):
        """The next signal within this time, written down; None when there was none."""
        try:
            info = self.arrived.get(timeout=seconds)
        except queue.Empty:
            return None
        got = signal.Signals(info.si_signo)
        sender = "kernel" if info.si_code == SI_KERNEL else comm(info.si_pid)
        self.note("signal", name=got.name[3:], sender=sender)
        return got

    def save(self):
        rank = int(os.environ["SLURM_PROCID"])
        lasts = self.options.save_time + rank * self.options.more_by_rank
        step, done = self.step, time.monotonic() + lasts
        while (left := done - time.monotonic()) > 0:
            self.wait(left)
        put(self.checkpoint, json.dumps({"step": step}))
        self.note("saved")

    def leave_children(self):
        """One in our session, one in its own; neither of them goes of a polite signal."""
        for own_session in (False, True):
            subprocess.Popen(STUBBORN, start_new_session=own_session,
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)

    def run(self):
        if self.options.leave_children:
            self.leave_children()
        signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
        threading.Thread(target=self.listen, daemon=True).start()
        self.note("start", pid=os.getpid(), job=os.environ["SLURM_JOB_ID"],
                  parent=comm(os.getppid()))
        while self.step < self.last_step:
            got = self.wait(self.options.step_time)
            if got is None:
                self.step += 1
                (self.folder / "progress").write_text(str(self.step), encoding="utf-8")
            elif got in NOTICES and not self.options.ignore:
                self.save()
                return 128 + got
        self.save()
        return 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--resumed-steps", type=int, default=20)
    parser.add_argument("--step-time", type=float, default=0.1)
    parser.add_argument("--save-time", type=float, default=3.0)
    parser.add_argument("--more-by-rank", type=float, default=0.0, help="time to save, each rank")
    parser.add_argument("--ignore", action="store_true", help="go on after every notice")
    parser.add_argument("--leave-children", action="store_true")
    trainer = Trainer(parser.parse_args())
    status = trainer.run()
    trainer.note("end", status=status)
    return status


if __name__ == "__main__":
    raise SystemExit(main())
