"""Sbatch files as users have them, on a private cluster: what they need, and what they have done.

What is replaced: on sbatch's command line the time limit, the output file and the size of an array;
"$1" by the sweep's name; the server of W&B by the stand-in of tests/wandb.
"""

import collections
import json
import os
import re
import shutil
import subprocess
import sys
import time
import unittest
from pathlib import Path

from fixture import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "tests" / "wandb"))
sys.path.insert(0, str(REPOSITORY / "tests" / "e2e"))

import environment  # noqa: E402  (of tests/wandb)
from backend import ENTITY, PROJECT, SWEEP, Backend  # noqa: E402
from sweep import SweepTest  # noqa: E402

EXAMPLES = REPOSITORY / "examples"
PYTHON = "/usr/bin/python3"  # Debian's own: it has PyTorch

# `files`: name in the job's folder -> name in examples/ or bin/. `tasks`: of an array, from 0.
Row = collections.namedtuple("Row", "files needs code tasks", defaults=("", "138:0", 0))


def sdk_settings(server, folder):
    """What the tests of wandb itself set: no request leaves the machine."""
    sweep = SweepTest()
    sweep.server, sweep.bin, sweep.mark = server, "", "PW_EXAMPLES=1"
    sweep.dir = sweep.home = str(folder)
    settings = sweep.agent_environ()
    return {name: value for name, value in settings.items() if name.startswith(("WANDB_", "NO_"))}


class Task:
    """A job, or one task of an array: what is preempted, and run again, by itself."""

    def __init__(self, slurm, job_id, output, folder):
        self.slurm, self.id, self.output, self.folder = slurm, job_id, output, folder
        self.noticed = False
        self.saved = None  # the step, when it was requeued

    def state(self):
        return self.slurm.job(self.id)

    def story(self):
        return self.output.read_text(encoding="utf-8") if self.output.exists() else ""

    def begun_at(self):
        """The steps that its attempts have gone on from."""
        return [int(step) for step in re.findall(r"from step (\d+)", self.story())]

    def notice_when_begun(self):
        """Whether it has come: at a trainer that has done some steps, of which it says nothing."""
        if not self.noticed and self.begun_at() and self.silent_for() > 1:
            self.slurm.end_in(self.id, 120)  # USR1@90 comes up to 30 s early: now
            self.noticed = True
        return self.noticed or self.slurm.ended(self.id)

    def silent_for(self):
        return time.time() - self.output.stat().st_mtime

    def requeued(self):
        """Whether it has been; then what it had saved is known, and its next attempt has time."""
        if self.saved is None and self.state().get("Restarts") == "1":
            # Its end was moved near; only the operator can move it away again.
            self.slurm.scontrol("update", f"jobid={self.id}", "TimeLimit=10", user=False)
            self.saved = self.steps_saved()
        return self.saved is not None

    def steps_saved(self):
        found = [path for path in self.folder.glob("*")
                 if re.match("checkpoint|results", path.name) and path.suffix != ".tmp"]
        if not found:
            return 0
        file, = found
        if file.suffix == ".pt":
            ask = "import sys, torch; print(torch.load(sys.argv[1])['step'])"
            return int(subprocess.check_output([PYTHON, "-c", ask, file]))
        saved = json.loads(file.read_text(encoding="utf-8"))
        if isinstance(saved, int):
            return saved
        return len(saved["results"]) if "results" in saved else saved["step"]


class SbatchFile:
    """One, in a folder of its own that is its HOME as well."""

    def __init__(self, slurm, path, row, site=None, name=None):
        self.slurm, self.path, self.row, self.name = slurm, path, row, name or path.name
        self.folder = slurm.users_folder(self.name)
        for name, source in row.files.items():
            built = slurm.folder / "bin" / source
            shutil.copy(built if built.exists() else EXAMPLES / source, self.folder / name)
        self.server = None
        self.environment = {"OMP_NUM_THREADS": "1", "PW_SBATCH": self.name,
                            "HOME": str(self.folder)}
        if row.needs == "wandb":
            self.server = Backend(runs=1, command=("python3", "${program}"),
                                  program="wandb_train.py")
            self.environment.update(sdk_settings(self.server, self.folder),
                                    PYTHONPATH=str(site))

    def submit(self, change=lambda text: text):
        """`change` is for what only the caller knows to replace."""
        text = change(self.path.read_text(encoding="utf-8"))
        text = text.replace('"$1"', f"{ENTITY}/{PROJECT}/{SWEEP}")
        if not self.row.tasks:
            job = self.slurm.submit(text, "-t", "10", folder=self.folder, env=self.environment)
            self.tasks = [Task(self.slurm, job, self.folder / "output", self.folder)]
            return
        job = self.slurm.submit(text, "-t", "10", f"--array=0-{self.row.tasks - 1}",
                                f"--output={self.folder}/output-%a", folder=self.folder,
                                env=self.environment)
        self.tasks = [self.task_of_array(job, number) for number in range(self.row.tasks)]

    def task_of_array(self, job, number):
        own = self.folder / f"task-{number}"
        return Task(self.slurm, f"{job}_{number}", self.folder / f"output-{number}",
                    self.folder if self.server else own)


class SbatchFiles(unittest.TestCase):
    slurm = None

    @classmethod
    def setUpClass(cls):
        (cls.slurm.folder / "bin" / "python3").symlink_to(PYTHON)

    def wandb_site(self):
        """The packages of the real wandb, where the jobs' user can read them."""
        made = Path(environment.prepare()).parent
        packages, = made.glob("lib/python3*/site-packages")
        site = self.slurm.folder / "site"
        shutil.copytree(packages, site)
        self.put_program("wandb", f"#!{PYTHON}\nfrom wandb.cli.cli import cli\ncli()\n")
        return site

    def put_program(self, name, text):
        path = self.slurm.folder / "bin" / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)

    def missing(self, needs, site):
        if not needs:
            return ""
        path = dict(os.environ, PYTHONPATH=str(site))
        found = subprocess.run([PYTHON, "-c", f"import {needs}"], env=path, check=False,
                               capture_output=True)
        return f"{PYTHON} has no {needs}" if found.returncode else ""

    def prepare(self, folder, rows):
        """Those that can be run here; those that cannot are said."""
        site = self.wandb_site()
        reasons = {name: self.missing(row.needs, site) for name, row in rows.items()}
        for name, reason in reasons.items():
            if reason:
                print(f"skipped: {name}: {reason}")
                self.assertNotEqual(os.environ.get("PW_REQUIRE_ALL"), "1", reason)
        files = [SbatchFile(self.slurm, folder / name, rows[name], site)
                 for name, reason in reasons.items() if not reason]
        for file in files:
            if file.server:
                self.addCleanup(file.server.close)
        return files
