#!/usr/bin/env python3
"""The real srun on two emulated nodes, with a notice to the batch script that it is or that
preempt-wrap is: srun forwards USR1, and answers TERM, HUP and QUIT with SIGKILL of its step.

    test_srun.py [--write] [cgroup|linuxproc|pgid]
"""
import os
import sys
import unittest
from dataclasses import dataclass

_HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[1:1] = [os.path.join(_HERE, '..', folder) for folder in ('slurm', 'e2e')]

import document
import fixture
from components import RANK
from fixture import binary, marked_processes, wait_for
from life import side_by_side
from ranks import RankLog

HEADER = ['batch script', 'to the script', 'who got what', 'saved', 'exit status', 'left over']
RANKS = 2
BARE = 'exec srun {rank}'
ABOVE = 'exec preempt-wrap {options} -- srun {rank}'
BOTH = 'exec preempt-wrap -- srun preempt-wrap -- {rank}'
USR1, TERM = ('USR1=save:2:138',), ('TERM=save:2:143',)


@dataclass(frozen=True)
class Row:
    script: str
    signals: tuple               # one after the other to the batch process
    rules: tuple
    says: str = ''               # the notice's name in the table, or none there
    got: tuple = ()              # each rank; with preempt-wrap
    exit_code: str = ''
    options: str = ''
    early: bool = False


ROWS = (
    Row(BARE, ('USR1',), USR1, 'USR1'),
    Row(ABOVE, ('USR1',), USR1, 'USR1', ('USR1',), '138:0'),
    Row(BARE, ('USR1',), USR1, 'USR1, no handler yet', early=True),
    Row(ABOVE, ('USR1',), USR1, 'USR1, no handler yet', early=True),
    Row(BOTH, ('USR1',), USR1, 'USR1, no handler yet', ('USR1',), '138:0', early=True),
    Row(BARE, ('TERM',), TERM, 'TERM'),
    Row(ABOVE, ('TERM',), TERM, 'TERM', ('TERM',), '143:0'),
    Row(BOTH, ('TERM',), TERM, 'TERM', ('TERM',), '143:0'),
    # HUP and QUIT do not reach srun; the step goes on until the notice.
    Row(ABOVE, ('HUP', 'QUIT', 'USR1'), USR1, '', ('USR1',), '138:0'),
    # Ranks that take USR1 and drop it: the TERM rung goes by scancel.
    Row(ABOVE, ('USR1',), ('USR1=log', 'TERM=save:0.5:143'), '', ('USR1', 'TERM'), '143:0', '--grace 8'),
)


class Job:
    """One batch script, and what came of it."""

    def __init__(self, row):
        self.row = row

    def go(self):
        row, slurm = self.row, Srun.slurm
        folder = slurm.jobs / f'job{ROWS.index(row)}'
        folder.mkdir()
        folder.chmod(0o777)
        log = RankLog(str(folder / 'ranks'))
        rules = [*row.rules, *['import=3'] * row.early]
        rank = f'{slurm.python} {slurm.folder}/bin/rank.py {log.path} {" ".join(rules)}'
        mark = f'PW_JOB={folder}'
        job = slurm.submit(row.script.format(rank=rank, options=row.options), '-N2', '-n2',
                           '-t', '5', folder=folder, env=dict([mark.split('=')]))
        log.wait_for('start' if row.early else 'ready', RANKS, seconds=60)
        for signal in row.signals:
            slurm.scancel('-b', '-s', signal, job)
        wait_for(lambda: slurm.ended(job), 'the end of the job')
        self.exit_code = slurm.job(job)['ExitCode']
        self.left = marked_processes(mark)
        self.got = [tuple(signals) for signals in log.got().values()]
        self.saved = log.saved()
        self.who = log.who_got_what()
        self.output = (folder / 'output').read_text(encoding='utf-8', errors='replace')

    def words(self):
        script = self.row.script.format(rank='train', options=self.row.options)
        status, signal = map(int, self.exit_code.split(':'))
        return [f'`{script.replace("  ", " ")}`', self.row.says, self.who, self.saved,
                f'killed, {128 + signal}' if signal else str(status),
                f'{len(self.left)} processes' if self.left else 'nothing']


class Srun(unittest.TestCase):
    maxDiff = None
    slurm = None

    def test_srun_gets_what_it_forwards(self):
        jobs = [Job(row) for row in ROWS]
        wrong = side_by_side(jobs, Job.go)
        for job in jobs:
            with self.subTest(script=job.row.script, signals=job.row.signals, says=job.row.says):
                if job in wrong:
                    raise wrong[job]
                if job.row.exit_code:
                    self.assertEqual(job.got, [job.row.got] * RANKS, job.output)
                    self.assertEqual(job.saved, f'{RANKS} of {RANKS}', job.output)
                    self.assertEqual(job.exit_code, job.row.exit_code, job.output)
                    self.assertEqual(job.left, [], job.output)
                    self.assertNotIn('forcing job termination', job.output)
        seen = [job.words() for job in jobs if job not in wrong and job.row.says]
        document.check(self, 'srun', HEADER, seen)


def test(proctrack):
    with fixture.cluster(proctrack) as Srun.slurm:
        Srun.slurm.provide(binary(), RANK)
        suite = unittest.defaultTestLoader.loadTestsFromTestCase(Srun)
        outcome = unittest.TextTestRunner(verbosity=2).run(suite)
    return 0 if outcome.wasSuccessful() else 1


def main(proctrack='cgroup' if fixture.ROOT else 'linuxproc'):
    return fixture.main(proctrack, lambda: test(proctrack))


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
