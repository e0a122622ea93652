#!/usr/bin/env python3
"""Each sbatch file of examples/ is submitted to a real Slurm; a notice must lead to a checkpoint,
and the same job, requeued, goes on from there and ends with 0. Each has 100 steps of 0.1 s to do.

    test_examples.py [cgroup|linuxproc|pgid]

What is replaced: on sbatch's command line the time limit and the output file; "$1" by the sweep's
name; the server of W&B by the stand-in of tests/wandb; and apptainer, which Debian does not have,
by a script that only executes what would run in the container: it tests our line, not apptainer.
"""
import collections
import json
import os
import re
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

import fixture
from fixture import REPOSITORY, marked_processes, wait_for

sys.path.insert(0, str(REPOSITORY / "tests" / "wandb"))
sys.path.insert(0, str(REPOSITORY / "tests" / "e2e"))

import environment  # noqa: E402  (of tests/wandb)
from backend import ENTITY, PROJECT, SWEEP, Backend  # noqa: E402
from sweep import SweepTest  # noqa: E402

EXAMPLES = REPOSITORY / "examples"
PYTHON = "/usr/bin/python3"  # Debian's own: it has PyTorch

Row = collections.namedtuple("Row", "needs files code", defaults=("", (), "138:0"))
ROWS = {
    "train_c.sbatch": Row(files=("train",)),
    "poll_notice_file.sbatch": Row(files=("poll_notice_file.py",), code="75:0"),
    "torch_train.sbatch": Row(needs="torch", files=("torch_train.py",)),
    "wandb_train.sbatch": Row(needs="wandb", files=("wandb_train.py",)),
    "wandb_agent.sbatch": Row(needs="wandb", files=("wandb_train.py",), code="85:0"),
    "wandb_function.sbatch": Row(needs="wandb", files=("wandb_function.py",)),
    "apptainer.sbatch": Row(files=("train.py",)),
}
STAND_IN_APPTAINER = '''#!/bin/bash
# apptainer exec --nv --bind FOLDER IMAGE COMMAND...
[ "$1 $2 $3" = "exec --nv --bind" ] || exit 99
exec "${@:6}"
'''


def sdk_settings(server, folder):
    """What the tests of wandb itself set: no request leaves the machine."""
    sweep = SweepTest()
    sweep.server, sweep.bin, sweep.mark = server, "", "PW_EXAMPLES=1"
    sweep.dir = sweep.home = str(folder)
    settings = sweep.agent_environ()
    return {name: value for name, value in settings.items() if name.startswith(("WANDB_", "NO_"))}


class Job:
    """One sbatch file in a folder of its own."""

    def __init__(self, slurm, name, site):
        self.slurm, self.name, self.row = slurm, name, ROWS[name]
        self.folder = slurm.jobs / name
        self.folder.mkdir()
        self.folder.chmod(0o777)
        for file in self.row.files:
            shutil.copy(slurm.folder / "bin" / file if file == "train" else EXAMPLES / file,
                        self.folder)
        self.server = None
        self.noticed = False
        self.environment = {"OMP_NUM_THREADS": "1", "PW_EXAMPLE": name}
        if self.row.needs == "wandb":
            self.server = Backend(runs=1, command=("python3", "${program}"),
                                  program="wandb_train.py")
            self.environment.update(sdk_settings(self.server, self.folder),
                                    PYTHONPATH=str(site))

    def submit(self):
        text = (EXAMPLES / self.name).read_text(encoding="utf-8")
        text = text.replace('"$1"', f"{ENTITY}/{PROJECT}/{SWEEP}")
        self.id = self.slurm.submit(text, "-t", "10", folder=self.folder, env=self.environment)

    def requeue(self):
        self.slurm.scontrol("requeue", self.id)
        wait_for(lambda: self.slurm.job(self.id).get("Restarts") == "1", f"{self.name} requeued")
        # Its end was moved near; only the operator can move it away again.
        self.slurm.scontrol("update", f"jobid={self.id}", "TimeLimit=10", user=False)

    def notice_when_begun(self):
        """Whether it has come."""
        if not self.noticed and self.begun_at():
            self.slurm.end_in(self.id, 120)  # USR1@90 comes up to 30 s early: now
            self.noticed = True
        return self.noticed or self.slurm.ended(self.id)

    def output(self):
        path = self.folder / "output"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def begun_at(self):
        """The steps that its attempts have gone on from."""
        return [int(step) for step in re.findall(r"from step (\d+)", self.output())]

    def steps_saved(self):
        file, = [path for path in self.folder.glob("*") if re.match("checkpoint|results", path.name)
                 and path.suffix != ".tmp"]
        if file.suffix == ".pt":
            return int(re.search(r"saved step (\d+)", self.output())[1])
        saved = json.loads(file.read_text(encoding="utf-8"))
        if isinstance(saved, int):
            return saved
        return len(saved["results"]) if "results" in saved else saved["step"]


class Examples(unittest.TestCase):
    slurm = None

    def site(self):
        """The packages of the real wandb, where the jobs' user can read them."""
        made = Path(environment.prepare()).parent
        packages, = made.glob("lib/python3*/site-packages")
        site = self.slurm.folder / "site"
        shutil.copytree(packages, site)
        command = self.slurm.folder / "bin" / "wandb"
        command.write_text(f"#!{PYTHON}\nfrom wandb.cli.cli import cli\ncli()\n")
        command.chmod(0o755)
        return site

    def missing(self, needs, site):
        if not needs:
            return ""
        path = dict(os.environ, PYTHONPATH=str(site))
        found = subprocess.run([PYTHON, "-c", f"import {needs}"], env=path, check=False,
                               capture_output=True)
        return f"{PYTHON} has no {needs}" if found.returncode else ""

    def prepare(self):
        """The jobs that can be run here; those that cannot are said."""
        bin_folder = self.slurm.folder / "bin"
        subprocess.run(["cc", "-O2", "-o", bin_folder / "train", EXAMPLES / "train.c"], check=True)
        (bin_folder / "apptainer").write_text(STAND_IN_APPTAINER)
        (bin_folder / "apptainer").chmod(0o755)
        (bin_folder / "python3").symlink_to(PYTHON)
        site = self.site()
        reasons = {name: self.missing(row.needs, site) for name, row in ROWS.items()}
        for name, reason in reasons.items():
            if reason:
                print(f"skipped: {name}: {reason}")
                self.assertNotEqual(os.environ.get("PW_REQUIRE_ALL"), "1", reason)
        return [Job(self.slurm, name, site) for name, reason in reasons.items() if not reason]

    def test_each(self):
        jobs = self.prepare()
        for job in jobs:
            if job.server:
                self.addCleanup(job.server.close)
            job.submit()
        wait_for(lambda: all([job.notice_when_begun() for job in jobs]), "the start of all")
        saved = []
        for job in jobs:
            with self.subTest(job.name):
                wait_for(lambda job=job: self.slurm.ended(job.id), f"the end of {job.name}")
                self.preempted(job)
                saved.append((job, job.steps_saved()))
                job.requeue()
        for job, step in saved:
            with self.subTest(job.name):
                wait_for(lambda job=job: self.slurm.ended(job.id), f"the next end of {job.name}")
                self.assertEqual(job.begun_at(), [0, step], job.output())
                self.assertEqual(self.slurm.job(job.id)["ExitCode"], "0:0", job.output())

    def preempted(self, job):
        self.assertEqual(self.slurm.job(job.id)["ExitCode"], job.row.code, job.output())
        self.assertIn("notice USR1 from slurmstepd", job.output())
        self.assertEqual(marked_processes(f"PW_EXAMPLE={job.name}"), [])
        if job.server:
            run, = job.server.runs.values()
            self.assertEqual(job.server.posted(run.name), ["preempting", 138], job.output())
            self.assertEqual(run.state, "preempted")

    def test_none_is_forgotten(self):
        self.assertEqual(sorted(path.name for path in EXAMPLES.glob("*.sbatch")), sorted(ROWS))


if __name__ == "__main__":
    sys.exit(fixture.main_of(Examples, sys.argv[1:]))
