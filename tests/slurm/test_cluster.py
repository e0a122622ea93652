#!/usr/bin/env python3
"""The surroundings of the other tests: a cluster's nodes, its end, and the stand-in for scontrol.

    test_cluster.py [cgroup|linuxproc|pgid]
"""

import os
import signal
import subprocess
import sys
import unittest

import fixture
import scontrol
from fixture import HERE, marked_processes, wait_for

# Each rank leaves a mark and says what it sees when all have done so; the ranks meet in @MET@.
LOOK = """touch /tmp/mark.$SLURM_PROCID /dev/shm/mark.$SLURM_PROCID @MET@/$SLURM_PROCID
until [ $(ls @MET@ | wc -l) = 3 ]; do sleep 0.1; done
echo $SLURM_PROCID $(hostname) $(cd /tmp; echo mark.*) $(cd /dev/shm; echo mark.*) \
$(ls -d /proc/[0-9]* | wc -l)"""

# A caller that is killed while one job runs, one does not mind TERM, and one is suspended.
KILLED = """import os, signal, sys
sys.path.insert(0, {here!r})
from fixture import cluster, wait_for
with cluster({proctrack!r}, nodes=1) as slurm:
    jobs = [slurm.submit(script, "-t", "5") for script in (
        "srun sleep 1000", "trap '' TERM; setsid sleep 1000 & sleep 1000", "sleep 1000")]
    for job in jobs:
        wait_for(lambda: slurm.job(job).get("JobState") == "RUNNING", "its start")
    slurm.scontrol("suspend", jobs[-1], user=False)
    wait_for(lambda: slurm.job(jobs[-1])["JobState"] == "SUSPENDED", "suspension")
    print(slurm.folder, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""

HANGS = "hangs"
ROWS = [  # mode, arguments, exit status or HANGS, in its output
    ("pass", "show job -o {job}", 0, b"JobState=RUNNING"),
    ("newer", "show job -o {job}", 0, b" OOMKillStep=0 Restarts=0 "),
    ("newer", "show job -o 999999", 1, b"Invalid job id"),
    ("absent", "show job -o {job}", 127, b"command not found"),
    ("garbage", "show job -o {job}", 0, b"JobId=\0\xff"),
    ("flood", "show job -o {job}", HANGS, b"JobState=RUNNING"),
    ("hang", "show job -o {job}", HANGS, b""),
    ("exit1", "show job -o {job}", 1, b"Unable to contact"),
    ("killed", "show job -o {job}", -signal.SIGKILL, b""),
    ("slow", "show job -o {job}", 0, b"JobState=RUNNING"),
    ("requeue-refused", "show job -o {job}", 0, b"JobState=RUNNING"),
    ("requeue-refused", "requeue {job}", 1, b"presently disabled for job {job}"),
    ("requeue-hangs", "show job -o {job}", 0, b"JobState=RUNNING"),
    ("requeue-hangs", "requeue {job}", HANGS, b""),
]


class Surroundings(unittest.TestCase):
    slurm = None
    proctrack = None

    def folder(self, name):
        folder = self.slurm.jobs / name
        folder.mkdir()
        folder.chmod(0o777)
        return folder

    def running_job(self, *options, env=None):
        job = self.slurm.submit("sleep 1000", "-t", "5", *options, env=env)
        wait_for(lambda: self.slurm.job(job).get("JobState") == "RUNNING", "its start")
        return job

    @unittest.skipUnless(fixture.ROOT, "namespaces need root")
    def test_nodes_share_no_temporary_folder_no_process_and_no_name(self):
        folder = self.folder("apart")
        (folder / "met").mkdir()
        (folder / "met").chmod(0o777)
        look = LOOK.replace("@MET@", str(folder / "met"))
        job = self.slurm.submit(f"srun bash -c '{look}'", "-N", "3", "-n", "3", "-t", "5",
                                folder=folder)
        wait_for(lambda: self.slurm.ended(job), "the end of the job")
        story = (folder / "output").read_text(encoding="utf-8")
        seen = sorted(line.split() for line in story.splitlines())
        self.assertEqual([words[:4] for words in seen],
                         [[str(rank), f"{self.slurm.node}{rank + 1}", f"mark.{rank}",
                           f"mark.{rank}"] for rank in range(3)], story)
        for words in seen:
            self.assertLess(int(words[4]), 20, "processes that a rank sees")

    def test_a_killed_caller_leaves_nothing(self):
        caller = KILLED.format(here=str(HERE), proctrack=self.proctrack)
        done = subprocess.run([sys.executable, "-c", caller], stdout=subprocess.PIPE, text=True,
                              timeout=60, check=False)
        self.assertEqual(done.returncode, -signal.SIGKILL)
        folder = done.stdout.strip()
        wait_for(lambda: not os.path.exists(folder), "the removal of the cluster's folder")
        self.assertEqual(marked_processes(f"SLURM_CONF={folder}/conf/slurm.conf"), [])

    def test_the_exit_code_that_requeues_does_so_whatever_JobRequeue_says(self):
        """In 22.05."""
        job = self.slurm.submit("[ $SLURM_RESTART_COUNT ] || exit 100", "-t", "5")
        wait_for(lambda: self.slurm.ended(job), "the end of the job")
        self.assertEqual(self.slurm.job(job)["Restarts"], "1")

    def test_JobRequeue_0_refuses_a_requeue(self):
        job = self.running_job()
        with self.assertRaisesRegex(AssertionError, "presently disabled"):
            self.slurm.scontrol("requeue", job)
        self.slurm.scancel(job)

    # ---- the stand-in for scontrol

    def call(self, stand_in, words):
        """Its exit status or HANGS, and the first of its output."""
        with subprocess.Popen(["scontrol", *words], env=dict(self.slurm.env, **stand_in.env),
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT) as process:
            try:
                if stand_in.mode() == "flood":
                    return HANGS, process.stdout.read(1000)
                output, _ = process.communicate(timeout=4)
                return process.returncode, output
            except subprocess.TimeoutExpired:
                process.terminate()
                with self.assertRaises(subprocess.TimeoutExpired, msg="it minds no TERM"):
                    process.wait(0.2)
                return HANGS, b""
            finally:
                process.kill()  # each mode that hangs is one process

    def test_the_stand_in_fails_as_it_is_told_and_notes_each_call(self):
        job = self.running_job()
        stand_in = scontrol.Scontrol(self.folder("stand-in"))
        for mode, arguments, status, output in ROWS:
            with self.subTest(mode=mode, arguments=arguments):
                stand_in.set(mode)
                before = len(stand_in.calls())
                words = arguments.format(job=job)
                got = self.call(stand_in, words.split())
                self.assertEqual(got[0], status, got[1])
                self.assertIn(output.replace(b"{job}", job.encode()), got[1])
                noted = stand_in.calls()[before:]
                self.assertEqual([call.arguments for call in noted], [words])
        self.assertEqual(len(stand_in.calls("requeue")), 2)
        self.slurm.scancel(job)

    def test_the_stand_in_cancels_between_question_and_requeue(self):
        """The window: a requeue that comes after the scancel brings the job back."""
        stand_in = scontrol.Scontrol(self.folder("window"), "requeue-cancelled")
        job = self.running_job("--requeue")
        status, output = self.call(stand_in, ["requeue", job])
        self.assertEqual(status, 0, output)
        wait_for(lambda: self.slurm.job(job)["Restarts"] == "1", "the requeue")
        self.slurm.scancel(job)


def main(words):
    Surroundings.proctrack = words[0] if words else "cgroup" if fixture.ROOT else "linuxproc"
    return fixture.main_of(Surroundings, [Surroundings.proctrack], nodes=3, requeue_exit=100,
                           job_requeue=0, programs=[scontrol.PROGRAM])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
