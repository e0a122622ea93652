#!/usr/bin/env python3
"""Hundreds of runs at once behind one gate: nothing is given twice, the rate is held, and who is
killed holds nobody up for long."""
import contextlib
import os
import random
import signal
import subprocess
import time

from counts import busiest, most_at_once
from gates import BINARY, FULL, GateTest, children_of, main
from processes import until

SEED = int(os.environ.get('SEED', random.randrange(100_000)))


class Crowd(GateTest):
    def crowd(self, count, *options, index=False, command=None):
        """Starts that many runs behind the gate; returns the processes."""
        place = (lambda n: ['--index', str(n), '--count', str(count)]) if index else lambda n: []
        runs = [subprocess.Popen([BINARY, '-q', '--gate', self.gate, *options, *place(n), '--',
                                  *(command or self.stamp())], env=self.environ(),
                                 stderr=subprocess.DEVNULL) for n in range(count)]
        self._processes += runs
        return runs

    def check_rate(self, count, per_second):
        spacing = 1_000_000_000 // per_second
        given = sorted(int(record['t'], 36) for record in self.records())
        self.assertEqual(len(given), count, 'one commit a task')
        self.assertTrue(all(b - a >= spacing for a, b in zip(given, given[1:])))
        starts = self.starts()
        self.assertEqual(len(starts), count)
        early = [at for at, start in zip(given, starts) if start < at / 1e9 - 1 / per_second]
        self.assertEqual(early, [], 'nobody starts before its time')
        ideal = (count - 1) / per_second
        makespan = starts[-1] - starts[0]
        most = busiest(starts, 1)
        print(f'{count} at {per_second}/s: {makespan:.2f} s of {ideal:.2f} s ideal, '
              f'{most} starts in the busiest second')
        # The gate's own time; starts themselves wait for two processors.
        self.assertLessEqual((given[-1] - given[0]) / 1e9, 1.05 * ideal + 0.1)
        self.assertLessEqual(most, 1.3 * per_second + 1)

    def test_two_hundred(self):
        runs = self.crowd(200, '--start-rate', '50/s')
        self.assertEqual({run.wait(60) for run in runs}, {0})
        self.check_rate(200, 50)

    def test_two_hundred_of_an_array(self):
        runs = self.crowd(200, '--start-rate', '50/s', index=True)
        self.assertEqual({run.wait(60) for run in runs}, {0})
        self.check_rate(200, 50)

    def test_a_thousand(self):
        runs = self.crowd(1000, '--start-rate', '100/s')
        self.assertEqual({run.wait(120) for run in runs}, {0})
        self.check_rate(1000, 100)

    def test_a_thousand_of_an_array(self):
        runs = self.crowd(1000, '--start-rate', '100/s', index=True)
        self.assertEqual({run.wait(120) for run in runs}, {0})
        self.check_rate(1000, 100)

    def test_on_other_filesystems(self):
        """Memory, and a container's layers."""
        self.need_root()
        for kind in ('tmpfs', 'overlay'):
            where = self.path(kind)
            os.mkdir(where, 0o755)
            options = ['size=16m']
            if kind == 'overlay':  # needs an upper folder that is no overlay itself
                for name in ('lower', 'tmpfs/upper', 'tmpfs/work'):
                    os.mkdir(self.path(name), 0o755)
                options = [f'lowerdir={self.path("lower")},upperdir={self.path("tmpfs/upper")},'
                           f'workdir={self.path("tmpfs/work")}']
            subprocess.run(['mount', '-t', kind, '-o', *options, kind, where], check=True)
            self.addCleanup(subprocess.run, ['umount', '-l', where], check=False)
            self.gate = where + '/gate'
            with contextlib.suppress(FileNotFoundError):
                os.remove(self.path('starts'))
            runs = self.crowd(100, '--start-rate', '50/s')
            self.assertEqual({run.wait(60) for run in runs}, {0})
            self.check_rate(100, 50)

    def test_a_third_is_killed(self):
        """SIGKILL at random moments, each run with its children: nothing is given twice, all the others
        start, no more than N at a time."""
        dice = random.Random(SEED)
        count, places = (200, 8) if FULL else (60, 8)
        print(f'SEED={SEED}')
        runs = self.crowd(count, '--start-rate', '50/s', '--max-starting', str(places), '--ready',
                          '1h', '--if-wrapper-dies', 'none', command=self.note(('sleep 0.2', 'true')))
        victims = dice.sample(runs, count // 3)
        for victim in victims:
            time.sleep(dice.random() * 0.1)
            # Still first: one that outlives its keeper for a moment starts without the gate.
            kill(victim.pid, signal.SIGSTOP)
            for pid in [*keepers_now(victim, self.mark), victim.pid]:
                kill(pid, signal.SIGKILL)
        others = [run for run in runs if run not in victims]
        self.assertEqual({run.wait(280) for run in others}, {0})
        until('the end of the trainers of the killed', lambda: not self.left(), 30)
        most, whole = most_at_once(self.path('life'))
        self.assertGreaterEqual(whole, len(others))
        self.assertLessEqual(most, places)
        self.assertGreaterEqual(most, places // 2)
        tickets = [int(record['n'], 36) for record in self.records()]
        self.assertEqual(tickets, sorted(tickets), 'tickets only grow')


def kill(pid, sig):
    try:
        os.kill(pid, sig)
    except ProcessLookupError:
        pass


def keepers_now(run, mark):
    try:
        return children_of(run, mark)
    except FileNotFoundError:
        return []


if __name__ == '__main__':
    main()
