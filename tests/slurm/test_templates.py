#!/usr/bin/env python3
"""Each template of slurm/ is submitted to a real Slurm; a notice must lead to a checkpoint.

    test_templates.py [cgroup|linuxproc|pgid]

What is replaced: /usr/local/bin by the folder of the binary under test, and (on sbatch's command
line) the time limit and the name of the output file. "train.py" is examples/train.py with its
defaults: 100 steps of 0.1 s.
"""

import json
import shutil
import sys
import unittest

import fixture
from fixture import REPOSITORY, marked_processes, wait_for


class Templates(unittest.TestCase):
    slurm = None

    def submit(self, template, folder):
        text = (REPOSITORY / "slurm" / template).read_text(encoding="utf-8")
        text = text.replace("/usr/local/bin/", f"{self.slurm.folder}/bin/")
        return self.slurm.submit(text, "-t", "10", folder=folder, env={"PW_TEMPLATE": str(folder)})

    def notice_saves(self, template):
        folder = self.slurm.jobs / template
        folder.mkdir()
        folder.chmod(0o777)
        shutil.copy(REPOSITORY / "examples" / "train.py", folder)
        output = folder / "output"

        def said(text):
            return output.exists() and text in output.read_text(encoding="utf-8")

        job = self.submit(template, folder)
        wait_for(lambda: said("train: from step 0 "), "the trainer's start")
        self.slurm.end_in(job, 120)  # USR1@90 comes up to 30 s early: now
        wait_for(lambda: self.slurm.ended(job), "the end of the job")
        story = output.read_text(encoding="utf-8")
        self.assertEqual(marked_processes(f"PW_TEMPLATE={folder}"), [])
        self.assertEqual(self.slurm.job(job)["ExitCode"], "138:0", story)
        step = json.loads((folder / "checkpoint.json").read_text(encoding="utf-8"))["step"]
        self.assertTrue(0 < step < 100, story)

        job = self.submit(template, folder)
        wait_for(lambda: self.slurm.ended(job), "the end of the second job")
        story = output.read_text(encoding="utf-8")
        self.assertIn(f"train: from step {step} ", story)
        self.assertEqual(self.slurm.job(job)["ExitCode"], "0:0", story)
        return story

    def test_wrapper_per_task(self):
        self.notice_saves("wrapper-per-task.sbatch")

    def test_batch_level_exec(self):
        self.assertIn("profile srun", self.notice_saves("batch-level-exec.sbatch"))

    def test_first_line(self):
        self.assertIn("profile bash", self.notice_saves("first-line.sbatch"))

    def test_no_template_is_forgotten(self):
        names = sorted(path.name for path in (REPOSITORY / "slurm").glob("*.sbatch"))
        self.assertEqual(names, ["batch-level-exec.sbatch", "first-line.sbatch",
                                 "wrapper-per-task.sbatch"])


if __name__ == "__main__":
    sys.exit(fixture.main_of(Templates, sys.argv[1:]))
