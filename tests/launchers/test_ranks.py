#!/usr/bin/env python3
"""The real torchrun and mpirun with ranks that take differently long to save. Once a rank has ended
with an error torchrun TERMs the others and SIGKILLs them 30 s later, or starts them anew; mpirun
SIGKILLs them within 2 s.

    test_ranks.py [-k NAME]
"""
import os
import sys
from dataclasses import dataclass

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'e2e'))

import components
from launchers import mpirun, torchrun_of
from processes import until
from life import Life, LifeTest, side_by_side
from terminal import Terminal
from wrapper import BINARY, main

# How often torchrun looks at its ranks. Its look may fall into the moment between the end of a rank
# and our SIGSTOP (docs/launchers.md): the rarer it looks, the rarer that is; 2 s are still within
# each row's slow save.
OFTEN = ('--monitor_interval', '2')
FAST_AND_SLOW = ('0:USR1=save:1:138', '1:USR1=save:10:138')


@dataclass(frozen=True)
class Row:
    name: str
    rules: tuple
    notice: str = 'USR1'
    got: str = 'USR1'            # each rank, once
    ranks: int = 2
    told: int = -1               # ranks that get it and save; -1: each
    early: bool = False          # the notice comes when they have started
    workers: int = 0             # of all ranks; they are there until the save is done
    options: tuple = ()          # of torchrun
    mpirun: bool = False         # in the place of torchrun
    module: bool = False         # python -m torch.distributed.run
    then: tuple = ()             # signals to preempt-wrap when a launcher is kept still
    wrap: tuple = ()             # of preempt-wrap
    status: int = 1              # torchrun's


ROWS = (
    Row('USR1 reaches each rank once and no worker', ('USR1=save:1:138', 'workers=2'), workers=4),
    Row('a slow save outlives a fast one', FAST_AND_SLOW),
    Row('the same as a module of Python', FAST_AND_SLOW, module=True),
    Row("the CONT and TERM of Slurm's end do not let it go on", FAST_AND_SLOW,
        then=('CONT', 'TERM')),
    Row('no rank is started anew', FAST_AND_SLOW, options=('--max_restarts', '1')),
    Row('nor is a single one', ('USR1=save:0.5:138',), ranks=1, options=('--max_restarts', '3')),
    # torchrun itself exits 0 then; its profile says 85.
    Row('ranks that exit 0 have saved', ('0:USR1=save:0.5:0', '1:USR1=save:3:0'), status=85),
    Row('TERM outlives the 30 s of torchrun', ('0:TERM=save:1:143', '1:TERM=save:33:143'),
        notice='TERM', got='TERM'),
    Row('ranks without a handler for TERM get it from torchrun', (), notice='TERM', told=0),
    Row('a TERM handler only: TERM to the ranks, nothing to workers',
        ('TERM=save:1:143', 'workers=2'), got='TERM', workers=4, wrap=('--hold', '1')),
    Row('one rank has no handler at all', ('0:USR1=save:3:138',), told=1, wrap=('--hold', '1')),
    Row('mpirun: a slow save outlives a fast one', FAST_AND_SLOW, mpirun=True, status=138),
    Row('mpirun: TERM, too', ('0:TERM=save:1:143', '1:TERM=save:8:143'), mpirun=True,
        notice='TERM', got='TERM', status=143),
    Row('mpirun: one rank still imports', ('USR1=save:0.5:138', '1:import=4'), mpirun=True,
        early=True, status=138),
    Row('mpirun: ranks without a handler for TERM get it from mpirun', (), mpirun=True,
        notice='TERM', told=0),
)


class Run:
    def __init__(self, row):
        self.row = row

    def go(self):
        row = self.row
        with Life() as life:
            launcher = mpirun if row.mpirun else torchrun_of(row.ranks, *OFTEN, *row.options)
            command = launcher(life, *row.rules)
            if row.module:
                command = ['/usr/bin/python3', '-m', 'torch.distributed.run', *command[1:]]
            life.start(command, row.wrap)
            life.log.wait_for('start' if row.early else 'ready', row.ranks, seconds=60)
            life.send(row.notice)
            if row.then:
                until('a launcher that is kept still', lambda: 'kept still' in life.output())
            for name in row.then:
                life.send(name)
            self.status = life.wait(90)
            self.got = life.log.got()
            self.told_workers = life.log.got('worker')
            self.starts = len(life.log.of('start'))
            self.saved = len(life.log.of('saved'))
            self.workers = sum(int(e.word) for e in life.log.of('workers'))
            self.left = life.left()
            self.story = life.story()


class Ranks(LifeTest):
    def test_what_becomes_of_ranks_that_save(self):
        self.need_components(components.torchrun, components.mpirun)
        runs = [Run(row) for row in ROWS]
        wrong = side_by_side(runs, Run.go, len(runs))
        for run in runs:
            with self.subTest(run.row.name):
                if run in wrong:
                    raise wrong[run]
                try:
                    self.check(run, run.row)
                except AssertionError as error:
                    # That moment, once; what does not work does not work twice.
                    print('again:', run.row.name, str(error)[:200])
                    run.go()
                    self.check(run, run.row)

    def test_in_a_terminal_nobody_takes_it_for_ctrl_z(self):
        """The launcher that is kept still is the trainer itself."""
        self.need_components(components.torchrun)
        with Life() as life:
            command = torchrun_of(2, *OFTEN)(life, '0:USR1=save:0.5:138', '1:USR1=save:3:138')
            terminal = Terminal([BINARY, '--', *command], life.environ())
            self.addCleanup(terminal.close)
            life.process = terminal.process
            life.log.wait_for('ready', 2, seconds=60)
            life.send('USR1')
            terminal.expect('kept still')
            terminal.expect('have ended; TERM')
            self.assertEqual(life.wait(), 1)
            self.assertEqual(life.log.saved(), '2 of 2')

    def check(self, run, row):
        told = row.ranks if row.told < 0 else row.told
        self.assertEqual(list(run.got.values()), [[row.got]] * told, run.story)
        self.assertEqual(run.told_workers, {}, run.story)
        self.assertEqual(run.saved, told, run.story)
        self.assertEqual(run.workers, row.workers, run.story)
        self.assertEqual(run.starts, row.ranks, run.story)
        self.assertEqual(run.left, [], run.story)
        self.assertEqual(run.status, row.status, run.story)


if __name__ == '__main__':
    main()
