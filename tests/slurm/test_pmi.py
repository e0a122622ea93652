#!/usr/bin/env python3
"""`srun --mpi=pmi2` gives each task a socket by number, PMI_FD; a program below the wrapper must be
able to speak to Slurm through it.

    test_pmi.py [cgroup|linuxproc|pgid]
"""

import sys
import unittest

import fixture
from fixture import wait_for

# The first words of PMI-1 (MPICH, simple PMI): each rank greets, Slurm answers on the same socket.
PROGRAM = """
import os
socket = int(os.environ["PMI_FD"])
os.write(socket, b"cmd=init pmi_version=1 pmi_subversion=1\\n")
print(os.environ["PMI_RANK"], os.read(socket, 200).decode().split()[0], flush=True)
"""


class Pmi(unittest.TestCase):
    slurm = None

    def answers(self, prefix):
        folder = self.slurm.jobs / (prefix or "bare")
        folder.mkdir()
        folder.chmod(0o777)
        (folder / "program.py").write_text(PROGRAM, encoding="ascii")
        job = self.slurm.submit(f"srun --mpi=pmi2 {prefix} {self.slurm.python} program.py",
                                "-n", "2", "-t", "5", folder=folder)
        wait_for(lambda: self.slurm.ended(job), "the end of the job")
        story = (folder / "output").read_text(encoding="utf-8")
        self.assertEqual(self.slurm.job(job)["ExitCode"], "0:0", story)
        return sorted(line for line in story.splitlines() if "cmd=" in line)

    def test_each_rank_is_answered_as_without_us(self):
        bare = self.answers("")
        self.assertEqual(bare, ["0 cmd=response_to_init", "1 cmd=response_to_init"])
        self.assertEqual(self.answers("preempt-wrap"), bare)


if __name__ == "__main__":
    sys.exit(fixture.main_of(Pmi, sys.argv[1:]))
