#!/usr/bin/env python3
"""Ranks of one step behind a gate when something is wrong with rank 0."""
import os
import shutil
import signal
import time

from gates import GateTest, children_of, main
from processes import until

JOB = {'SLURM_JOB_ID': '4711', 'SLURM_STEP_ID': '0', 'SLURM_STEP_NUM_TASKS': '2',
       'SLURM_CONF': '/nowhere/slurm.conf'}


class Ranks(GateTest):
    def setUp(self):
        super().setUp()
        self.stepd = self.path('slurmstepd')
        shutil.copy('/bin/sh', self.stepd)

    def rank(self, number, *options):
        return self.behind(*options, command=self.stamp(), env=self.environ(
            **JOB, SLURM_PROCID=number), prefix=[self.stepd, '-c', 'exec 3>&1; "$0" "$@"; exit $?'])

    def keeper_of(self, stepd):
        with open(f'/proc/{stepd.pid}/task/{stepd.pid}/children', encoding='ascii') as file:
            stepd.pid = int(file.read().split()[0])
        return until('its keeper', lambda: children_of(stepd, self.mark))[0]

    def test_rank_0_that_goes_on_without_the_gate_takes_the_others_along(self):
        self.assertEqual(self.behind('--start-rate', '1/h').wait(), 0)
        ranks = [self.rank('0', '--start-rate', '1/h'), self.rank('1', '--start-rate', '1/h')]
        self.wait_line(ranks[0])
        os.kill(self.keeper_of(ranks[0]), signal.SIGKILL)
        self.assertEqual([rank.wait() for rank in ranks], [0, 0])
        self.assertIn('no maximum rate', ranks[0].err)
        self.assertEqual(len(self.starts()), 2)

    def test_a_rank_0_whose_clock_is_ahead_holds_nobody_up(self):
        self.assertEqual(self.rank('0', '--start-rate', '1/s').wait(), 0)
        [name] = os.listdir(f'{self.gate}/go')
        os.unlink(f'{self.gate}/go/{name}')
        ahead = time.time_ns() + 600 * 10**9
        os.symlink(f'start {ahead}', f'{self.gate}/go/{name}')
        self.assertEqual(self.rank('1', '--start-rate', '1/s').wait(), 0)


if __name__ == '__main__':
    main()
