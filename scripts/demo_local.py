"""The main job without a cluster. Three processes besides the wrapper and its trainer: this one, a
launcher that starts the wrapper as slurmstepd would, and a scheduler that is parent of neither and
only sends signals."""

import os
import pathlib
import select
import signal
import subprocess
import sys
import tempfile

import demo_story as story

LEAD = 3.0  # seconds from the notice to TERM
KILL_WAIT = 5.0  # and from there to KILL
BINARY = os.environ["PW_BINARY"]


def launch(folder, attempt):
    """Starts the wrapper from a process of its own; returns that process and the wrapper's PID."""
    wrapped = [BINARY, "--lead", f"{LEAD + KILL_WAIT}", "--journal", str(folder / "journal"), "--",
               "/usr/bin/python3", str(story.TRAINER), "--dir", str(folder),
               "--trace", str(folder / "trace"), "--steps", str(story.STEPS),
               "--step-time", "0.1", "--save-time", "1" if attempt == 1 else "4"]
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.setsid()
        child = subprocess.Popen(wrapped)
        os.write(write_end, f"{child.pid}\n".encode())
        code = child.wait()
        os._exit(code if code >= 0 else 128 - code)
    os.close(write_end)
    with os.fdopen(read_end) as told:
        return pid, int(told.readline())


def schedule(wrapper):
    """In a process of its own: the notice, the lead, TERM, KillWait, KILL, as long as it lives."""
    pid = os.fork()
    if pid:
        return pid
    handle = os.pidfd_open(wrapper)  # ours to signal even when the PID is used again
    for name, wait in (("USR1", LEAD), ("TERM", KILL_WAIT), ("KILL", 0)):
        try:
            signal.pidfd_send_signal(handle, getattr(signal, "SIG" + name))
        except ProcessLookupError:
            break
        story.tell("scheduler", f"{name} to preempt-wrap (pid {wrapper})")
        if select.select([handle], [], [], wait)[0]:
            break
    os._exit(0)


def attempt(number, folder, preempt_at):
    story.tell("scheduler", f"attempt {number} starts")
    launcher, wrapper = launch(folder, number)
    if preempt_at:
        story.wait_until(lambda: preempt_at in story.steps_done(folder), f"step {preempt_at}")
        os.waitpid(schedule(wrapper), 0)
    code = os.waitstatus_to_exitcode(os.waitpid(launcher, 0)[1])
    story.tell("scheduler", f"attempt {number} ended with exit status {code}")
    return code


def main():
    with tempfile.TemporaryDirectory(prefix="preempt-wrap-demo-") as name:
        folder = pathlib.Path(name)
        # The first save fits into the lead; the second takes longer, so TERM comes while it runs.
        story.check(attempt(1, folder, preempt_at=12) == 138, "138: stopped by USR1, saved")
        story.check_saved(folder)
        story.check(attempt(2, folder, preempt_at=36) == 138, "138: TERM did not break the save off")
        story.check_saved(folder)
        story.check(attempt(3, folder, preempt_at=None) == 0, "0: finished, never to be run again")
        story.check_all(folder)
    print("demo: preempted twice, finished, nothing lost")


sys.exit(main())
