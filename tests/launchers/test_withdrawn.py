#!/usr/bin/env python3
"""A cloud takes its notice back while ranks save because of it: nobody breaks them off, and what was
stopped for it has not finished.

    test_withdrawn.py [-k NAME]
"""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'e2e'))

from components import torchrun
from launchers import bash, torchrun_of
from life import Life, LifeTest
from processes import until
from wrapper import main

FAST_AND_SLOW = ('0:USR1=save:1:138', '1:USR1=save:6:138')
FAR = 600  # seconds to the end that is taken back
# Its trainer is the script, which has left when the slow rank saves.
LEAVES_FIRST = 'RANK=1 {rank} & RANK=0 {rank}; exit 138\n'


class Withdrawn(LifeTest):
    def setUp(self):
        self.life = Life()
        self.addCleanup(self.life.__exit__)
        self.notice = self.life.folder + '/notice'

    def tell(self, seconds):
        with open(self.notice + '.new', 'w', encoding='ascii') as file:
            file.write('{"action":"terminate","time":"%s"}' % utc(seconds))
        os.rename(self.notice + '.new', self.notice)

    def withdrawn_in_the_save(self, command, ranks, *options, end=FAR):
        """Starts it, and takes the notice back when all ranks have it."""
        life = self.life
        life.start(command, ['--cloud', 'file:' + self.notice, *options])
        life.log.wait_for('ready', ranks, seconds=60)
        self.tell(end)
        life.log.wait_for('got', ranks)
        os.unlink(self.notice)
        until('the withdrawal', lambda: 'has withdrawn' in life.output())
        return life

    def test_torchrun_does_not_end_who_still_saves(self):
        self.need_components(torchrun)
        life = self.life
        self.withdrawn_in_the_save(torchrun_of(2, '--monitor_interval', '2')(life, *FAST_AND_SLOW),
                                   2)
        life.wait()
        self.assert_told_once(life, 'USR1', 2)

    def test_who_saves_is_no_straggler_of_a_script_that_has_left(self):
        life = self.withdrawn_in_the_save(bash(LEAVES_FIRST)(self.life, *FAST_AND_SLOW), 2)
        self.assertEqual(life.wait(), 138, life.story())
        self.assert_told_once(life, 'USR1', 2)

    def test_who_hands_out_no_more_work_has_not_finished(self):
        """GNU parallel ends its jobs and exits 0, long after the end that was taken back."""
        command = ['parallel', '-j2', *self.life.rank('USR1=log'), ':::', *['end=12:0'] * 4]
        life = self.withdrawn_in_the_save(command, 2, '--exit-preempted', '85', end=10)
        self.assertEqual(life.wait(), 85, life.story())
        self.assertEqual(len(life.log.of('end')), 2, life.story())


def utc(seconds):
    at = time.time() + seconds
    return time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(at))


if __name__ == '__main__':
    main()
