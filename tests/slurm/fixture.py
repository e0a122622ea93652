"""A private Slurm cluster and the verbs that the tests use on it.

    with cluster("cgroup") as slurm:
        job = slurm.submit("srun hostname", "-t", "5")
        wait_for(lambda: slurm.ended(job), "its end")

Every wait is for an event and has a bound. Whatever way the test ends, also by SIGKILL, the
cluster and all its processes go: see `cluster up --until-eof`.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
KILL_WAIT = 12  # a save of 3 s must fit into it
ROOT = os.geteuid() == 0
ENDED = ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "PREEMPTED", "NODE_FAIL")


class Unavailable(Exception):
    """A component from outside is not here; the message says which."""


class Interrupted(Exception):
    """The test run is being ended; nobody waits any longer."""


stopping = threading.Event()


def require(proctrack):
    for program in ("slurmctld", "slurmd", "sbatch", "munged", "cc"):
        if not shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin"):
            raise Unavailable(f"{program} is not installed (apt install slurm-wlm munge gcc)")
    if proctrack == "cgroup":
        if not ROOT:
            raise Unavailable("proctrack/cgroup needs root")
        if not os.access("/sys/fs/cgroup/freezer/tasks", os.W_OK):
            raise Unavailable("proctrack/cgroup needs a writable freezer hierarchy")


def binary():
    built = REPOSITORY / "build" / "release" / "preempt-wrap"
    return Path(os.environ.get("PW_BINARY", built)).resolve()


def fields(line):
    """One line of `scontrol -o` as a dict."""
    return dict(re.findall(r"(\S+?)=(\S*)", line))


def names(job):
    """What it may be called: by its id, as a part of its array, as one task of it."""
    if "ArrayJobId" not in job:
        return (job["JobId"],)
    return job["JobId"], job["ArrayJobId"], f"{job['ArrayJobId']}_{job['ArrayTaskId']}"


class JobTable:
    """All jobs as scontrol shows them, asked at most five times a second for all tests together."""

    def __init__(self, slurm):
        self.slurm = slurm
        self.lock = threading.Lock()
        self.jobs = []
        self.asked = 0.0

    def find(self, job_id):
        with self.lock:
            if time.monotonic() - self.asked > 0.2:
                lines = self.slurm.run("scontrol", "show", "jobs", "-o").splitlines()
                self.jobs = [fields(line) for line in lines if line.startswith("JobId=")]
                self.asked = time.monotonic()
            return [job for job in self.jobs if job_id in names(job)]


class Cluster:
    def __init__(self, exports):
        self.folder = Path(exports["SLURM_TEST_DIR"])
        self.jobs = self.folder / "jobs"
        self.node = exports["SLURM_TEST_NODE"]
        self.user = exports["SLURM_TEST_USER"]
        # what the tester has set for himself must not get into the jobs
        self.env = {name: value for name, value in os.environ.items()
                    if not name.startswith(("SLURM_", "SBATCH_", "SRUN_", "PREEMPT_", "XDG_"))}
        self.env.update(SLURM_CONF=exports["SLURM_CONF"], HOME=str(self.jobs), USER=self.user,
                        LOGNAME=self.user, PATH=f"{self.folder}/bin:" + os.environ["PATH"])
        self.as_user = {}
        if ROOT:
            self.as_user = {"user": self.user, "group": "nogroup", "extra_groups": []}
        self.table = JobTable(self)
        self.python = self.find_python()

    def find_python(self):
        """An interpreter that the jobs' user may run: root's own may lie in its home."""
        for python in (sys.executable, "/usr/bin/python3"):
            with contextlib.suppress(OSError):
                if subprocess.run([python, "-c", ""], check=False, **self.as_user).returncode == 0:
                    return python
        raise Unavailable(f"user {self.user} has no python3")

    def provide(self, *programs):
        """Copies them to where the jobs' user finds them, also when our folders are private."""
        (self.folder / "bin").mkdir(exist_ok=True)
        for program in programs:
            shutil.copy(program, self.folder / "bin")

    def users_folder(self, name):
        """One of the jobs' user, where nobody else can write."""
        folder = self.jobs / name
        folder.mkdir()
        if ROOT:
            shutil.chown(folder, self.user)
        folder.chmod(0o755)
        return folder

    def run(self, *command, user=False, **options):
        options = {"env": self.env, "input": "", **(self.as_user if user else {}), **options}
        done = subprocess.run(command, text=True, timeout=60, capture_output=True, check=False,
                              **options)
        if done.returncode != 0:
            raise AssertionError(f"{' '.join(command)}: {done.returncode}: {done.stderr}")
        return done.stdout

    def submit(self, script, *options, folder=None, env=None):
        """Submits the script's text as the jobs' user; the job's id."""
        folder = folder or self.jobs
        if not script.startswith("#!"):
            script = f"#!/bin/bash\n{script}\n"
        return self.run("sbatch", "--parsable", "--open-mode=append", f"--output={folder}/output",
                        *options, user=True, cwd=folder, env=dict(self.env, **(env or {})),
                        input=script).strip()

    def scancel(self, *arguments):
        self.run("scancel", *arguments, user=True)

    def scontrol(self, *arguments, user=True):
        """As the jobs' user; suspending is for the operator."""
        self.run("scontrol", *arguments, user=user)

    def end_in(self, job_id, seconds):
        """Moves the job's time limit to so many seconds from now."""
        end = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(time.time() + seconds))
        self.scontrol("update", f"jobid={job_id}", f"EndTime={end}")

    def job(self, job_id):
        found = self.table.find(job_id)
        return found[0] if found else {}

    def ended(self, job_id):
        """All of it: an array has ended when each of its tasks has."""
        found = self.table.find(job_id)
        return bool(found) and all(job["JobState"] in ENDED for job in found)


def wait_for(condition, what, seconds=60):
    """Returns what the condition at last returned."""
    end = time.monotonic() + seconds
    while not (result := condition()):
        if stopping.wait(0.1):
            raise Interrupted
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s in vain for {what}")
    return result


def marked_processes(mark):
    """Those with this text in their environment, as a list of "PID command line"."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark.encode() in (process / "environ").read_bytes().split(b"\0"):
                words = (process / "cmdline").read_bytes().split(b"\0")
                found.append(f"{process.name} {b' '.join(words).decode(errors='replace')}")
    return found


@contextlib.contextmanager
def cluster(proctrack, nodes=2, conf="", private=ROOT, requeue_exit=None, **knobs):
    """Brings a cluster up, and down when the block is left, however it is left.

    Private nodes have namespaces of their own, so that nothing is shared but what a real cluster
    shares; `knobs` are those of the script "cluster", as killwait=5 or preempt_mode="CANCEL".
    """
    if requeue_exit is not None:
        conf = f"{conf}\nRequeueExit={requeue_exit}"
    knobs = {"PROCTRACK": proctrack, "NODES": nodes, "CPUS": 64, "EXTRA": conf,
             "PRIVATE_NODES": "1" if private else "", "KILLWAIT": KILL_WAIT, "FASTTICK_MS": 250,
             **{name.upper(): value for name, value in knobs.items()}}
    knobs = {name: str(value) for name, value in knobs.items()}
    ours, alive = os.pipe()
    try:
        up = subprocess.run([HERE / "cluster", "up", "--until-eof"], stdin=ours, text=True,
                            stdout=subprocess.PIPE, env=dict(os.environ, **knobs), check=True)
        exports = fields(up.stdout)
        try:
            yield Cluster(exports)
        finally:
            subprocess.run([HERE / "cluster", "down"], check=True,
                           env=dict(os.environ, SLURM_TEST_DIR=exports["SLURM_TEST_DIR"]))
    finally:
        os.close(ours)
        os.close(alive)


def interrupted(signo, _frame):
    """The first one unwinds; while it does, later ones must not cut the cleaning up short."""
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    stopping.set()
    raise KeyboardInterrupt(signo)  # unittest lets nothing else through


def main(proctrack, test):
    """Runs test() where the proctrack can be had; else 77, or 1 with PW_REQUIRE_ALL=1."""
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, interrupted)
    try:
        require(proctrack)
        return test()
    except Unavailable as reason:
        print(f"skipped: {reason}")
        return 1 if os.environ.get("PW_REQUIRE_ALL") == "1" else 77
    except KeyboardInterrupt as interrupt:
        return 128 + interrupt.args[0]


def main_of(case, words, programs=(), **how):
    """The main() of a file with one TestCase, whose `slurm` is a cluster with the wrapper (and
    these programs) in it: [cgroup|linuxproc|pgid]. `how` is for cluster()."""
    def test(proctrack):
        with cluster(proctrack, **how) as case.slurm:
            case.slurm.provide(binary(), *programs)
            suite = unittest.defaultTestLoader.loadTestsFromTestCase(case)
            outcome = unittest.TextTestRunner(verbosity=2).run(suite)
        return 0 if outcome.wasSuccessful() else 1

    proctrack = words[0] if words else "cgroup" if ROOT else "linuxproc"
    return main(proctrack, lambda: test(proctrack))
