#!/usr/bin/env python3
"""Each template of slurm/ is submitted to a real Slurm; a notice must lead to a checkpoint, and
that to exactly one restart, which goes on from there and ends with 0. Each has 100 steps of 0.1 s.

    test_templates.py [cgroup|linuxproc|pgid]

What is replaced: see sbatch_files.py; /usr/local/bin by the folder of the binary under test; the
address of the first node, since emulated nodes have none; and torchrun is given options without
which PyTorch 1.13 does not start on Python 3.11 (as in tests/launchers). "train.py" is one of
examples/. A node that ends with an error ends the others (KillOnBadExit), as on strict sites.
"""

import socket
import subprocess
import sys

import fixture
from fixture import REPOSITORY, marked_processes, wait_for
from sbatch_files import Row, SbatchFile, SbatchFiles

TEMPLATES = REPOSITORY / "slurm"
PLAIN = {"train.py": "train.py"}
ROWS = {
    "single-node.sbatch": Row(PLAIN),
    "week-in-pieces.sbatch": Row(PLAIN),
    "batch-level-exec.sbatch": Row(PLAIN),
    "first-line.sbatch": Row(PLAIN),
    "array-gate.sbatch": Row(PLAIN, tasks=2),
    "multi-node-torchrun.sbatch": Row({"train.py": "ddp_train.py"}, "torch"),
    "wandb-agent.sbatch": Row({"wandb_train.py": "wandb_train.py"}, "wandb", tasks=1),
}
SAYS = {"batch-level-exec.sbatch": "profile srun", "first-line.sbatch": "profile bash",
        "multi-node-torchrun.sbatch": "profile torchrun",
        "wandb-agent.sbatch": "profile wandb-agent"}
TORCHRUN = '#!/bin/sh\nexec /usr/bin/torchrun -r 2 -t 1 --log_dir "$HOME/log" "$@"\n'


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Templates(SbatchFiles):
    def on_this_cluster(self, text):
        text = text.replace("/usr/local/bin/", f"{self.slurm.folder}/bin/")
        # 20 s after the start of ten minutes; it is asked for at 10 s, and has been moved near then
        text = text.replace("--notice-before-end 5m", "--notice-before-end 580s")
        return text.replace("$first:29500", f"127.0.0.1:{free_port()}")

    def test_each(self):
        self.put_program("torchrun", TORCHRUN)
        files = self.prepare(TEMPLATES, ROWS)
        for file in files:
            file.submit(self.on_this_cluster)
        tasks = [task for file in files for task in file.tasks]
        wait_for(lambda: all([task.notice_when_begun() for task in tasks]), "the start of all")
        wait_for(lambda: all([task.requeued() or self.slurm.ended(task.id) for task in tasks]),
                 "the restart of all")
        for file in files:
            for task in file.tasks:
                with self.subTest(file.name, task=task.id):
                    self.went_on(task)
                    self.assertIn(SAYS.get(file.name, "start: "), task.story())
            with self.subTest(file.name):
                self.assertEqual(marked_processes(f"PW_SBATCH={file.name}"), [])
                if file.server:
                    self.told_wandb(file)

    def went_on(self, task):
        wait_for(lambda: self.slurm.ended(task.id), "the end of the job")
        state = task.state()
        self.assertEqual((state["JobState"], state["ExitCode"], state["Restarts"]),
                         ("COMPLETED", "0:0", "1"), task.story())
        self.assertTrue(0 < task.saved < 100, task.story())
        self.assertEqual(task.begun_at(), [0, task.saved], task.story())
        self.assertEqual(task.steps_saved(), 100, task.story())

    def told_wandb(self, file):
        run, = file.server.runs.values()
        self.assertEqual(file.server.posted(run.name), ["preempting", 138, 0])
        self.assertEqual(run.state, "finished")
        self.assertEqual([how for _, how, _ in file.server.given()], ["run", "resume"])

    def test_a_week_that_is_ended_by_its_switch(self):
        template = TEMPLATES / "week-in-pieces.sbatch"
        week = SbatchFile(self.slurm, template, Row(PLAIN), name="switch")
        week.submit()
        task, = week.tasks
        wait_for(task.begun_at, "the trainer's start")
        (week.folder / "stop-train").touch()
        self.slurm.scancel("--signal=USR1", task.id)
        wait_for(lambda: self.slurm.ended(task.id), "the end of the job")
        state = task.state()
        self.assertEqual((state["ExitCode"], state["Restarts"]), ("138:0", "0"), task.story())
        self.assertTrue(0 < task.steps_saved() < 100, task.story())

    def test_first_line_is_bash(self):
        """scripts/test finds shell scripts by their first line; this one has ours."""
        subprocess.run(["shellcheck", "--shell=bash", "--exclude=SC1008",
                        TEMPLATES / "first-line.sbatch"], check=True)

    def test_none_is_forgotten(self):
        self.assertEqual(sorted(path.name for path in TEMPLATES.glob("*.sbatch")), sorted(ROWS))


if __name__ == "__main__":
    sys.exit(fixture.main_of(Templates, sys.argv[1:], conf="KillOnBadExit=1"))
