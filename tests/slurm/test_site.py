#!/usr/bin/env python3
"""What slurm/site/ has for administrators, in a real Slurm.

    test_site.py [cgroup|linuxproc|pgid]

cgroup.conf is not run: Debian 12's Slurm is older than the word in it. Of notice.conf, that an
older Slurm refuses it.
"""

import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import fixture
from fixture import REPOSITORY, binary, wait_for

SITE = REPOSITORY / "slurm" / "site"
NOTICE_OF_22_05 = "notice-22.05.conf"


def text(name):
    return (SITE / name).read_text(encoding="utf-8")


class Site(unittest.TestCase):
    slurm = None

    def job(self, name, script, *options, **how):
        folder = self.slurm.users_folder(name)
        return self.slurm.submit(script, "-t", "10", *options, folder=folder, **how), folder

    def output(self, folder):
        path = folder / "output"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def ended(self, job):
        wait_for(lambda: self.slurm.ended(job), "the end of the job")
        return self.slurm.job(job)

    def test_task_prolog(self):
        ask = "preempt-wrap config | grep ^requeue:; srun preempt-wrap config | grep ^requeue:"
        prolog = 'requeue: "auto"  # PREEMPT_WRAP_REQUEUE'
        user = {"PREEMPT_WRAP_REQUEUE": "repair"}
        rows = (("low", {}, prolog), ("main", {}, 'requeue: "none"  # default'),
                ("low", user, prolog.replace("auto", "repair")))
        jobs = [self.job(f"prolog{number}", ask, "-p", partition, env=environment)
                for number, (partition, environment, _) in enumerate(rows)]
        for (job, folder), (partition, environment, line) in zip(jobs, rows):
            with self.subTest(partition=partition, user=environment):
                self.ended(job)
                self.assertEqual(self.output(folder).splitlines(), [line, line])

    def test_requeue_exit(self):
        once = '[ -n "$SLURM_RESTART_COUNT" ] || exit {}'
        again, _ = self.job("again", once.format(100))
        held, _ = self.job("held", once.format(101))
        cancelled, folder = self.job("cancelled", "trap 'exit 100' TERM; echo up; sleep 100 & wait")
        wait_for(lambda: "up" in self.output(folder), "the job's start")
        self.slurm.scancel(cancelled)
        state = self.ended(again)
        self.assertEqual((state["JobState"], state["Restarts"]), ("COMPLETED", "1"))
        state = self.ended(cancelled)
        self.assertEqual((state["JobState"], state["ExitCode"], state["Restarts"]),
                         ("CANCELLED", "100:0", "0"))
        wait_for(lambda: self.slurm.job(held)["JobState"] == "SPECIAL_EXIT", "the hold")

    def test_requeue_exit_is_preferred_by_the_batch_process(self):
        """This scontrol answers, but requeues nothing."""
        line = "exec preempt-wrap --requeue auto -- python3 train.py --step-time 0.05 --save-time 0"
        folder = self.slurm.users_folder("preferred")
        shutil.copy(REPOSITORY / "examples" / "train.py", folder)
        scontrol = folder / "scontrol"
        scontrol.write_text('#!/bin/sh\n[ "$1" != requeue ] || exit 1\n'
                            f'exec {shutil.which("scontrol")} "$@"\n', encoding="utf-8")
        scontrol.chmod(0o755)
        job = self.slurm.submit(f"PATH={folder}:$PATH\n{line}", "-t", "10", folder=folder,
                                env={"HOME": str(folder)})
        wait_for(lambda: "from step 0" in self.output(folder) or self.slurm.ended(job),
                 "the trainer's start")
        self.slurm.scancel("-b", "-s", "USR1", job)
        state = self.ended(job)
        self.assertEqual((state["JobState"], state["Restarts"]), ("COMPLETED", "1"),
                         self.output(folder))

    def test_user_signal_at_the_start_of_grace(self):
        """A batch script without steps would hear nothing until the end of the grace."""
        line = "trap 'echo USR1; exit 0' USR1; trap 'echo TERM' TERM; echo up; sleep 100 & wait"
        job, folder = self.job("grace", line, "-p", "low", "--signal=B:USR1@10", "-N", "2")
        wait_for(lambda: "up" in self.output(folder), "the job's start")
        self.slurm.scontrol("update", "PartitionName=low", "GraceTime=60", user=False)
        high = self.slurm.submit("true", "-p", "high", "-N", "2", "--exclusive")
        self.ended(job)
        said = [line for line in self.output(folder).splitlines() if "slurmstepd" not in line]
        self.assertEqual(said, ["up", "USR1"])
        self.ended(high)

    def test_older_slurm_refuses_the_newer_spelling(self):
        found = self.slurm.run("scontrol", "--version")
        newer = tuple(map(int, re.search(r"(\d+)\.(\d+)", found).groups())) >= (23, 2)
        with tempfile.TemporaryDirectory() as folder:
            conf = Path(shutil.copy(self.slurm.env["SLURM_CONF"], folder))
            conf.write_text(conf.read_text().replace(text(NOTICE_OF_22_05), text("notice.conf")))
            environment = dict(self.slurm.env, SLURM_CONF=str(conf))
            done = subprocess.run(["scontrol", "show", "config"], env=environment, text=True,
                                  capture_output=True, check=False)
        self.assertEqual(done.returncode == 0, newer, done.stderr)
        self.assertIn("PreemptParameters", done.stdout if newer else done.stderr)

    def test_site_file(self):
        """Strictly read, as a file that the command line names."""
        done = subprocess.run([binary(), "config", "--config", SITE / "config.yaml"], text=True,
                              capture_output=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        code, = re.findall(r"^RequeueExit=(\d+)", text("requeue.conf"), re.M)
        self.assertRegex(done.stdout, rf'(?m)^requeue-exit: "{code}"  # .*config.yaml')

    def test_none_is_forgotten(self):
        self.assertEqual(sorted(path.name for path in SITE.iterdir()),
                         ["cgroup.conf", "config.yaml", "drain-node", NOTICE_OF_22_05, "notice.conf",
                          "requeue.conf", "task-prolog"])


def main():
    # where every node and the jobs' user see it
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        prolog = Path(shutil.copy(SITE / "task-prolog", folder))
        Path(folder).chmod(0o755)
        conf = "\n".join([f"TaskProlog={prolog}", text("requeue.conf"), text(NOTICE_OF_22_05)])
        return fixture.main_of(Site, sys.argv[1:], conf=conf, private=False)


if __name__ == "__main__":
    sys.exit(main())
