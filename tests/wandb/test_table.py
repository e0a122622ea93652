#!/usr/bin/env python3
"""The table of docs/launchers.md on `wandb agent`: a notice to the agent, and to preempt-wrap with
no option, which has started it. Fails where the table says something else.

    test_table.py [--write]
"""
import os
import sys
import unittest

_HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(1, os.path.join(_HERE, '..', 'launchers'))

import document
from sweep import LIMIT, SweepTest, alive, main, settle, until

HEADER = ['agent', 'notice', 'under', 'the trainer got', 'saved', 'W&B hears', 'next run here',
          'exit status', 'left over']
AGENTS = {'`wandb agent`': [], '`wandb agent --forward-signals`': ['--forward-signals']}
NOTICES = {  # the signals, one after the other once the one before has arrived, and the trainer
    'USR1': (['USR1'], {}),
    'USR1, no handler yet': (['USR1'], {'TRAINER_IMPORT': '2'}),
    'TERM': (['TERM'], {}),
    'USR1, then TERM': (['USR1', 'TERM'], {}),
    'USR1, handler for TERM only': (['USR1'], {'TRAINER_HANDLE': 'TERM'}),
}
SEEN = {}


class Table(SweepTest):
    def see(self, flags, signals, trainer, under):
        self.serve(runs=3)
        start = self.wrapped if under == 'preempt-wrap' else self.bare
        started = start(*flags, **{'TRAINER_HANDLE': 'USR1,TERM', 'TRAINER_SAVE': '1', **trainer})
        self.wait_for('begun' if 'TRAINER_IMPORT' in trainer else 'ready')
        first = self.notes('begun')[0].pid
        for i, name in enumerate(signals):
            if i and not until('the first signal has arrived',
                               lambda: self.notes('got') or not started.running(), LIMIT):
                break
            if started.running():
                started.signal(name)
        until('the end of the agent, or the next run',
              lambda: not started.running() or len(self.begun()) > 1, LIMIT)
        settle()
        mine = [note for note in self.notes() if note.pid == first]
        got = [note.words[0] for note in mine if note.what == 'got']
        runs = self.begun()[1:]
        left = 'the trainer' if alive(first) and not started.running() else 'nothing'
        return ['; '.join(f'{name} once' for name in got) or 'nothing',
                'yes' if any(note.what == 'saved' for note in mine) else 'no',
                ', '.join(dict.fromkeys(map(str, self.server.posted()))) or 'nothing',
                f'{runs[0]} again' if runs == ['run1'] else ', '.join(runs) or 'none',
                'runs on' if runs else _status(self.ended(started)), left]


def _status(code):
    return f'killed, {128 - code}' if code < 0 else str(code)


def _row(agent, notice, under):
    signals, trainer = NOTICES[notice]

    def test(self):
        SEEN[agent, notice, under] = self.see(AGENTS[agent], signals, trainer, under)
    return test


ROWS = [(agent, notice, under) for agent in AGENTS for notice in NOTICES
        for under in ('nothing', 'preempt-wrap')]
for number, row in enumerate(ROWS):
    setattr(Table, f'test_{number:02}', _row(*row))


def compare():
    document.check(unittest.TestCase(), 'wandb', HEADER, [[*row, *SEEN[row]] for row in ROWS])


if __name__ == '__main__':
    main(afterwards=compare)
