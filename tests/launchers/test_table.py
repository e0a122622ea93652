#!/usr/bin/env python3
"""Real launchers, each with a notice to it, bare and below preempt-wrap: docs/launchers.md.

    test_table.py [--write] [-k NAME]
"""
import os
import sys
import time
from dataclasses import dataclass
from typing import Callable

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'e2e'))

import components
import document
from launchers import (accelerate, bash, before, go_program, mpirun, parallel, preempt_wrap,
                       torchrun_of, uv_run)
from life import Life, LifeTest, side_by_side
from processes import LIMIT, until
from wrapper import main

HEADER = ['launcher', 'notice', 'under', 'who got what', 'saved', 'exit status', 'left over']


@dataclass(frozen=True)
class Launcher:
    name: str
    command: Callable            # (life, *rules of a rank) -> the command
    ranks: int = 1
    workers: int = 0             # of each rank
    exits: tuple = (138, 143)    # with preempt-wrap, after USR1 and after TERM


# The ranks take 2.5 s to save: mpirun ends with SIGKILL 1 s after its TERM.
LAUNCHERS = (
    Launcher('the trainer itself', before()),
    Launcher('`env A=b`', before('env', 'A=b')),
    Launcher('`nice`', before('nice')),
    Launcher('`timeout 1h`', before('timeout', '1h')),
    Launcher('`bash job.sh`', bash('{rank}\nexit $?')),
    Launcher('`bash job.sh`, `trap : USR1 TERM`', bash('trap : USR1 TERM\n{rank}\nexit $?')),
    Launcher('`tini`', before('tini', '--')),
    Launcher('`dumb-init`', before('dumb-init')),
    Launcher('`catatonit`', before('catatonit', '--')),
    Launcher('`uv run`', uv_run),
    Launcher('a Go program', go_program),
    Launcher('`accelerate launch`', accelerate, exits=(1, 1)),
    Launcher('`parallel -j2`, 4 jobs', parallel, ranks=2, exits=(2, 2)),
    Launcher('`mpirun -np 2`', mpirun, ranks=2),
    Launcher('`torchrun`, 2 ranks', torchrun_of(2), workers=1, ranks=2, exits=(1, 1)),
    Launcher('`preempt-wrap`', preempt_wrap),
)
NOTICES = ('USR1', 'USR1, no handler yet', 'TERM')
STATUS = {'USR1': 138, 'TERM': 143}


class Run:
    """What came of one launcher with one notice."""

    def __init__(self, launcher, notice, wrapped):
        self.launcher = launcher
        self.notice = notice
        self.signal = notice.split(',')[0]
        self.early = 'no handler' in notice
        self.wrapped = wrapped

    def go(self):
        with Life() as life:
            # It imports until long after a launcher without patience has done its harm.
            rules = [f'{self.signal}=save:2.5:{STATUS[self.signal]}',
                     f'workers={self.launcher.workers}'] + ['import=2'] * self.early
            command = self.launcher.command(life, *rules)
            life.start(command, [] if self.wrapped else None)
            life.log.wait_for('start' if self.early else 'ready', self.launcher.ranks, seconds=60)
            life.send(self.signal)
            try:
                self.watch(life)
            finally:
                self.story = life.story()

    def watch(self, life):
        """Until the launcher has ended, or it is clear that it goes on as if nothing was."""
        if self.wrapped:
            self.exit = str(life.wait())
        else:
            until('an end, or none', lambda: not life.running() or self.goes_on(life), 60)
            self.exit = 'runs on' if life.running() else _exit(life.wait())
        end = time.monotonic() + (0 if self.wrapped else 5)
        while life.left() and time.monotonic() < end:
            time.sleep(0.05)
        self.left = life.log.left()
        self.nothing_left = not life.left()
        self.got = life.log.got()
        self.worker_got = life.log.got('worker')
        self.ranks = len(life.log.of('start'))
        self.saved = life.log.saved()
        self.who = life.log.who_got_what()

    def goes_on(self, life):
        """The ranks are all at work, long after the notice, and none was told anything."""
        sent = time.monotonic_ns()
        until('time', lambda: not life.running() or time.monotonic_ns() - sent > 3e9 or
              life.log.of('got'), LIMIT)
        return life.running() and not life.log.of('got')

    def row(self):
        left = ', '.join(f'{n} {role}{"s" * (n > 1)}' for role, n in sorted(self.left.items()))
        return [self.launcher.name, self.notice, 'preempt-wrap' if self.wrapped else 'nothing',
                self.who, self.saved, self.exit, left or 'nothing']


def _exit(status):
    return str(status) if status >= 0 else f'killed, {128 - status}'


class Table(LifeTest):

    def test_who_gets_what(self):
        runs = [Run(launcher, notice, wrapped) for launcher in LAUNCHERS for notice in NOTICES
                for wrapped in (False, True)]
        # Made before the clock of a run ticks.
        self.need_components(components.small_programs, components.mpirun, components.venv,
                             components.go_launcher)
        wrong = side_by_side(runs, Run.go)
        for run in runs:
            with self.subTest(launcher=run.launcher.name, notice=run.notice, wrapped=run.wrapped):
                if run in wrong:
                    raise wrong[run]
                if run.wrapped:
                    self.check(run)
        seen = [run.row() for run in runs if run not in wrong]
        document.check(self, 'launchers', HEADER, seen)

    def check(self, run):
        """The promises: every rank is told once, when it can act, and saves; nobody else is."""
        self.assertEqual(list(run.got.values()), [[run.signal]] * run.launcher.ranks, run.story)
        self.assertEqual(run.worker_got, {}, run.story)
        self.assertEqual(run.saved, f'{run.launcher.ranks} of {run.launcher.ranks}', run.story)
        self.assertTrue(run.nothing_left, run.story)
        status = run.launcher.exits[run.signal == 'TERM']
        self.assertEqual(run.exit, str(status), run.story)


if __name__ == '__main__':
    main()
