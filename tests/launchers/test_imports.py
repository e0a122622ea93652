#!/usr/bin/env python3
"""Trainers that import their libraries for 0 to 15 s, with USR1 at a random moment: whether bare,
behind `bash -c` or as 4 ranks behind torchrun, each saves and exits 138. 20 of each; 200 with
PW_FULL=1. SEED=n repeats one draw.

    test_imports.py [-k FORM]
"""
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'e2e'))

from components import torchrun
from launchers import before, torchrun_of
from life import Life, LifeTest, side_by_side
from wrapper import main

FULL = os.environ.get('PW_FULL') == '1'
SEED = int(os.environ.get('SEED', random.SystemRandom().randrange(10**6)))
# Slurm's --signal=USR1@90. A quarter of it is more than the default --hold; of the 60 s that count
# outside Slurm it would be 15 s, and a trainer may import for longer.
BUDGET = ['--lead', '90']


class Drawn:
    """One trainer: how long each rank imports, and when the notice comes."""

    def __init__(self, serial, command, ranks, draw):
        self.serial = serial
        self.command = command
        self.imports = [draw.uniform(0, 15) for _ in range(ranks)]
        self.notice = draw.uniform(0, max(self.imports) + 1)
        self.told = self.status = self.story = None

    def go(self):
        with Life() as life:
            rules = ['USR1=save:0.2:138', *(f'{rank}:import={seconds:.3f}'
                                            for rank, seconds in enumerate(self.imports))]
            life.start(self.command(life, *rules), BUDGET)
            # From the first start of a rank; a launcher itself may take seconds on a busy machine.
            life.log.wait_for('start', seconds=120)
            time.sleep(self.notice)
            life.send('USR1')
            self.status = life.wait(90)
            self.told = sorted(life.log.got().items())
            self.saved = len(life.log.of('saved'))
            self.left = life.left()
            self.story = life.story()

    def __str__(self):
        imports = ', '.join(f'{seconds:.2f}' for seconds in self.imports)
        return f'trainer {self.serial}: imports {imports} s, notice after {self.notice:.2f} s'


class Imports(LifeTest):
    def each_saves(self, command, status, ranks=1, at_once=20):
        print(f'SEED={SEED}', flush=True)
        draw = random.Random(SEED)
        count = 200 if FULL else 20
        trainers = [Drawn(serial, command, ranks, draw) for serial in range(count)]
        wrong = side_by_side(trainers, Drawn.go, at_once)
        for trainer in trainers:
            with self.subTest(str(trainer), seed=SEED):
                if trainer in wrong:
                    raise wrong[trainer]
                self.assertEqual([signals for _, signals in trainer.told], [['USR1']] * ranks,
                                 trainer.story)
                self.assertEqual(trainer.saved, ranks, trainer.story)
                self.assertEqual(trainer.status, status, trainer.story)
                self.assertEqual(trainer.left, [], trainer.story)

    def test_bare(self):
        self.each_saves(before(), 138)

    def test_behind_bash(self):
        self.each_saves(lambda life, *rules: ['bash', '-c', ' '.join(life.rank(*rules)) +
                                              '; exit $?'], 138)

    def test_four_ranks_behind_torchrun(self):
        """torchrun says 1, whatever its ranks said."""
        self.need_components(torchrun)
        self.each_saves(torchrun_of(4), 1, ranks=4, at_once=10)


if __name__ == '__main__':
    main()
