#!/usr/bin/env python3
"""Each sbatch file of examples/ is submitted to a real Slurm; a notice must lead to a checkpoint,
and the same job, requeued, goes on from there and ends with 0. Each has 100 steps of 0.1 s to do.

    test_examples.py [cgroup|linuxproc|pgid]

What is replaced: see sbatch_files.py; and apptainer, which Debian does not have, by a script that
only executes what would run in the container: it tests our line, not apptainer.
"""

import subprocess
import sys

import fixture
from fixture import marked_processes, wait_for
from sbatch_files import EXAMPLES, Row, SbatchFiles

ROWS = {
    "train_c.sbatch": Row({"train": "train"}),
    "poll_notice_file.sbatch": Row({"poll_notice_file.py": "poll_notice_file.py"}, code="75:0"),
    "torch_train.sbatch": Row({"torch_train.py": "torch_train.py"}, "torch"),
    "wandb_train.sbatch": Row({"wandb_train.py": "wandb_train.py"}, "wandb"),
    "wandb_agent.sbatch": Row({"wandb_train.py": "wandb_train.py"}, "wandb", "85:0"),
    "wandb_function.sbatch": Row({"wandb_function.py": "wandb_function.py"}, "wandb"),
    "apptainer.sbatch": Row({"train.py": "train.py"}),
}
STAND_IN_APPTAINER = '''#!/bin/bash
# apptainer exec --nv --bind FOLDER IMAGE COMMAND...
[ "$1 $2 $3" = "exec --nv --bind" ] || exit 99
exec "${@:6}"
'''


class Examples(SbatchFiles):
    def test_each(self):
        trainer = self.slurm.folder / "bin" / "train"
        subprocess.run(["cc", "-O2", "-o", trainer, EXAMPLES / "train.c"], check=True)
        self.put_program("apptainer", STAND_IN_APPTAINER)
        files = self.prepare(EXAMPLES, ROWS)
        for file in files:
            file.submit()
        jobs = [(file, file.tasks[0]) for file in files]
        wait_for(lambda: all([job.notice_when_begun() for _, job in jobs]), "the start of all")
        preempted = []
        for file, job in jobs:
            with self.subTest(file.name):
                wait_for(lambda job=job: self.slurm.ended(job.id), f"the end of {file.name}")
                self.preempted(file, job)
                self.slurm.scontrol("requeue", job.id)
                wait_for(job.requeued, f"{file.name} requeued")
                preempted.append((file, job))
        for file, job in preempted:
            with self.subTest(file.name):
                wait_for(lambda job=job: self.slurm.ended(job.id), f"the next end of {file.name}")
                self.assertEqual(job.begun_at(), [0, job.saved], job.story())
                self.assertEqual(job.state()["ExitCode"], "0:0", job.story())

    def preempted(self, file, job):
        self.assertEqual(job.state()["ExitCode"], file.row.code, job.story())
        self.assertIn("notice USR1 from slurmstepd", job.story())
        self.assertEqual(marked_processes(f"PW_SBATCH={file.name}"), [])
        if file.server:
            run, = file.server.runs.values()
            self.assertEqual(file.server.posted(run.name), ["preempting", 138], job.story())
            self.assertEqual(run.state, "preempted")

    def test_none_is_forgotten(self):
        self.assertEqual(sorted(path.name for path in EXAMPLES.glob("*.sbatch")), sorted(ROWS))


if __name__ == "__main__":
    sys.exit(fixture.main_of(Examples, sys.argv[1:]))
