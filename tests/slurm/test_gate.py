#!/usr/bin/env python3
"""The start gate in a real Slurm: an array of 50, and the ranks of one step. As root each node has a
/tmp of its own: only the gate's folder is shared.

    test_gate.py [cgroup|linuxproc|pgid]
"""

import sys
import unittest

import fixture
from fixture import REPOSITORY, wait_for

sys.path.insert(0, str(REPOSITORY / "tests" / "gate"))

from counts import busiest, claims, most_at_once, records  # noqa: E402

# Notes its start, and its life around a second of work.
WORK = """sh -c 'date +%s.%N >> {folder}/starts; me=$$-$SLURM_ARRAY_TASK_ID
echo + $me >> {folder}/life; sleep 1; echo - $me >> {folder}/life'"""


class Gate(unittest.TestCase):
    slurm = None

    def run_job(self, script, *options, folder):
        job = self.slurm.submit(script, "-t", "5", *options, folder=folder)
        wait_for(lambda: self.slurm.ended(job), "the end of the job", 180)
        found = self.slurm.table.find(job)
        story = (folder / "output").read_text(encoding="utf-8")
        self.assertEqual({one["ExitCode"] for one in found}, {"0:0"}, story)
        return job, story

    def starts(self, folder):
        return sorted(map(float, (folder / "starts").read_text(encoding="ascii").split()))

    def test_an_array_of_fifty(self):
        folder = self.slurm.users_folder("array")
        line = (f"exec preempt-wrap --gate {folder}/gate-%A --start-rate 10/s --max-starting 8 "
                f"--ready 1h -- {WORK.format(folder=folder)}")
        job, story = self.run_job(line, "--array=0-49", folder=folder)
        self.assertNotIn("warning: gate", story)
        self.assertEqual(len(self.starts(folder)), 50, story)
        self.assertLessEqual(most_at_once(folder / "life")[0], 8)
        let_in = claims(folder / f"gate-{job}")
        self.assertEqual(len(let_in), 50)
        self.assertLessEqual(busiest(let_in, 1), 12, "ten a second, one each 100 ms late or less")

    def test_the_ranks_of_a_step_take_one_place_and_start_together(self):
        folder = self.slurm.users_folder("ranks")
        line = (f"for n in 1 2; do srun -n 4 preempt-wrap --gate {folder}/gate --start-rate 20/min "
                f"-- {WORK.format(folder=folder)}; done")
        own = f"srun -N 2 -n 2 sh -c 'echo >> /tmp/pw-gate; wc -l < /tmp/pw-gate > {folder}/$SLURM_PROCID'"
        _, story = self.run_job(f"{own}\n{line}", "-N", "2", "-n", "4", folder=folder)
        if fixture.ROOT:
            seen = [(folder / rank).read_text(encoding="ascii") for rank in "01"]
            self.assertEqual(seen, ["1\n", "1\n"], "each node has a /tmp of its own")
        starts = self.starts(folder)
        self.assertEqual(len(starts), 8, story)
        for ranks in (starts[:4], starts[4:]):
            self.assertLess(ranks[-1] - ranks[0], 1)
        self.assertEqual(len(records(folder / "gate")), 2, "one place for each step")

    def test_each_rank_with_a_place_of_its_own(self):
        folder = self.slurm.users_folder("each")
        line = (f"srun -n 4 preempt-wrap --gate {folder}/gate --gate-unit rank --start-rate 2/s -- "
                f"{WORK.format(folder=folder)}")
        self.run_job(line, "-n", "4", folder=folder)
        self.assertEqual(len(records(folder / "gate")), 4)

    def test_a_stopped_gate_ends_all_ranks(self):
        folder = self.slurm.users_folder("stopped")
        script = (f"srun -n 2 preempt-wrap --gate {folder}/gate --start-rate 1/h -- true\n"
                  f"( until [ $(ls {folder}/gate | grep -c '^q') = 2 ]; do sleep 0.1; done\n"
                  f"  preempt-wrap gate stop {folder}/gate ) &\n"
                  f"srun -n 2 preempt-wrap --gate {folder}/gate --start-rate 1/h -- touch {folder}/ran")
        _, story = self.run_job(script, "-n", "2", folder=folder)
        self.assertFalse((folder / "ran").exists(), story)
        self.assertIn("stopped", story)


if __name__ == "__main__":
    sys.exit(fixture.main_of(Gate, sys.argv[1:]))
