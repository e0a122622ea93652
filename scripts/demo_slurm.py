"""The main job on a private real Slurm: a low-priority job is preempted twice by jobs of a higher
partition (TERM, KillWait, KILL), requeued by Slurm each time, and finishes."""

import os
import sys

import demo_story as story

sys.path.insert(0, str(story.REPOSITORY / "tests" / "slurm"))
from fixture import cluster  # noqa: E402  (its folder is known only now)


def requeued(slurm, job, times):
    """Restarts counts at once; the state is COMPLETING until the last process has ended."""
    state = slurm.job(job)
    return int(state.get("Restarts", 0)) == times and state["JobState"] != "COMPLETING"


def preempt(slurm, job, folder, at_step, times):
    story.wait_until(lambda: at_step in story.steps_done(folder), f"step {at_step}")
    high = slurm.submit("true", "-p", "high", "-N", "2", "--exclusive")
    story.tell("scheduler", f"job {high} of partition high takes the nodes: TERM to job {job}")
    story.wait_until(lambda: requeued(slurm, job, times), f"requeue {times}")
    story.tell("scheduler", f"job {job} has stopped and is requeued (Restarts={times})")
    story.check_saved(folder)


def main():
    story.tell("cluster", "bringing up slurmctld, two slurmd and munged")
    with cluster("linuxproc" if os.geteuid() else "cgroup") as slurm:
        slurm.provide(os.environ["PW_BINARY"], story.TRAINER)
        folder = slurm.jobs
        script = (f"srun preempt-wrap --journal {folder}/journal -- {slurm.python} "
                  f"{slurm.folder}/bin/train.py --dir {folder} --trace {folder}/trace "
                  f"--steps {story.STEPS} --step-time 0.1 --save-time 3")
        job = slurm.submit(script, "-p", "low", "--requeue", "-t", "10", "-J", "train")
        story.tell("user", f"sbatch: job {job} in partition low: srun preempt-wrap -- python3 train.py")
        preempt(slurm, job, folder, at_step=10, times=1)
        preempt(slurm, job, folder, at_step=30, times=2)
        story.wait_until(lambda: slurm.ended(job), "the end of the job")
        state = slurm.job(job)
        story.tell("scheduler", f"job {job}: {state['JobState']}, ExitCode={state['ExitCode']}")
        story.check(state["JobState"] == "COMPLETED", "Slurm says COMPLETED")
        story.check_all(folder)
        output = (folder / "output").read_text()
        print("".join(f"    | {line}\n" for line in output.splitlines()))
    print("demo: preempted twice by Slurm, requeued, finished, nothing lost")


main()
