#!/usr/bin/env python3
"""The start gate in a real Slurm: an array of 50, and the ranks of one step.

    test_gate.py [cgroup|linuxproc|pgid]
"""

import os
import re
import shutil
import sys
import unittest

import fixture
from fixture import wait_for, binary

STAMP = """sh -c 'echo + $(date +%s.%N) >> {folder}/life; sleep 1; echo - >> {folder}/life; sleep 1'"""


class Gate(unittest.TestCase):
    slurm = None

    def folder(self, name):
        folder = self.slurm.jobs / name
        folder.mkdir()
        if fixture.ROOT:
            shutil.chown(folder, self.slurm.user)
        folder.chmod(0o755)
        return folder

    def run_job(self, script, *options, folder):
        job = self.slurm.submit(script, "-t", "5", *options, folder=folder)
        wait_for(lambda: self.slurm.ended(job), "the end of the job", 180)
        found = self.slurm.table.find(job)
        story = (folder / "output").read_text(encoding="utf-8")
        self.assertEqual({one["ExitCode"] for one in found}, {"0:0"}, story)
        return job, story

    def records(self, gate):
        names = sorted(name for name in os.listdir(gate) if name.startswith("q."))
        return [dict(re.findall(r"(\w)=(\S+)", os.readlink(gate / name))) for name in names]

    def test_an_array_of_fifty(self):
        folder = self.folder("array")
        line = (f"exec preempt-wrap --gate {folder}/gate-%A --start-rate 10/s --max-starting 8 "
                f"--ready 1h -- {STAMP.format(folder=folder)}")
        job, story = self.run_job(line, "--array=0-49", folder=folder)
        self.assertNotIn("warning: gate", story)
        lines = (folder / "life").read_text(encoding="ascii").split("\n")[:-1]
        starts = sorted(float(one[2:]) for one in lines if one[0] == "+")
        self.assertEqual(len(starts), 50)
        most = max(sum(1 for b in starts if a <= b < a + 1) for a in starts)
        self.assertLessEqual(most, 25, "ten a second, and what two busy processors make late")
        level, highest = 0, 0
        for one in lines:
            level += 1 if one[0] == "+" else -1
            highest = max(highest, level)
        self.assertLessEqual(highest, 8)
        self.assertEqual(int(self.records(folder / f"gate-{job}")[-1]["n"], 36), 50)

    def test_the_ranks_of_a_step_take_one_place_and_start_together(self):
        folder = self.folder("ranks")
        line = (f"for n in 1 2; do srun -n 4 preempt-wrap --gate {folder}/gate --start-rate 20/min "
                f"-- {STAMP.format(folder=folder)}; done")
        _, story = self.run_job(line, "-N", "2", "-n", "4", folder=folder)
        lines = (folder / "life").read_text(encoding="ascii").split()
        starts = sorted(float(one) for one in lines if "." in one)
        self.assertEqual(len(starts), 8, story)
        for ranks in (starts[:4], starts[4:]):
            self.assertLess(ranks[-1] - ranks[0], 1)
        self.assertEqual(len(self.records(folder / "gate")), 2, "one place for each step")

    def test_each_rank_with_a_place_of_its_own(self):
        folder = self.folder("each")
        line = (f"srun -n 4 preempt-wrap --gate {folder}/gate --gate-unit rank --start-rate 2/s -- "
                f"{STAMP.format(folder=folder)}")
        self.run_job(line, "-n", "4", folder=folder)
        self.assertEqual(len(self.records(folder / "gate")), 4)

    def test_a_stopped_gate_ends_all_ranks(self):
        folder = self.folder("stopped")
        script = (f"srun -n 2 preempt-wrap --gate {folder}/gate --start-rate 1/h -- true\n"
                  f"( sleep 3; preempt-wrap gate stop {folder}/gate ) &\n"
                  f"srun -n 2 preempt-wrap --gate {folder}/gate --start-rate 1/h -- touch {folder}/ran")
        _, story = self.run_job(script, "-n", "2", folder=folder)
        self.assertFalse((folder / "ran").exists(), story)
        self.assertIn("stopped", story)


def test(proctrack):
    with fixture.cluster(proctrack) as Gate.slurm:
        Gate.slurm.provide(binary())
        suite = unittest.defaultTestLoader.loadTestsFromTestCase(Gate)
        outcome = unittest.TextTestRunner(verbosity=2).run(suite)
    return 0 if outcome.wasSuccessful() else 1


def main(proctrack="cgroup" if fixture.ROOT else "linuxproc"):
    return fixture.main(proctrack, lambda: test(proctrack))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
