#!/usr/bin/env python3
"""One folder mounted twice by bindfs: two nodes whose locks do not exclude each other and whose
caches are stale. A gate that trusts its lock gives the same start twice there; ours never does."""
import os
import shutil
import subprocess

from counts import most_at_once
from gates import BINARY, FULL, GateTest, main
from processes import LIMIT, until

PROCESSES = 100
SPACING = 20_000_000  # ns
RUNS = 10 if FULL else 2


class TwoNodes(GateTest):
    def setUp(self):
        super().setUp()
        self.need_root()
        self.need(os.path.exists('/dev/fuse'), 'there is no /dev/fuse')
        self.need(shutil.which('bindfs'), 'bindfs is not installed')
        os.mkdir(self.path('disk'), 0o700)
        self.nodes = [self.mount('node0'), self.mount('node1')]

    def mount(self, name):
        """A client of the disk: its own locks, its own caches."""
        where = self.path(name)
        os.mkdir(where)
        self.addCleanup(subprocess.run, ['umount', '-l', where], check=False)
        subprocess.run(['bindfs', self.path('disk'), where], check=True, timeout=LIMIT,
                       env=self.environ())
        until(f'the mount of {name}', lambda: os.path.ismount(where))
        return where

    def both(self, command):
        """Starts PROCESSES of command(node, n) at once, half of them on each node."""
        running = [subprocess.Popen(command(self.nodes[n % 2], n), env=self.environ(),
                                    stderr=subprocess.DEVNULL) for n in range(PROCESSES)]
        self._processes += running
        self.assertEqual({process.wait(120) for process in running}, {0})

    def test_a_lock_alone_does_not_exclude(self):
        program = self.path('lock_only')
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lock_only.c')
        subprocess.run(['cc', '-O2', '-Wall', '-Wextra', '-Werror', '-o', program, source], check=True)
        self.both(lambda node, n: [program, node + '/state', str(SPACING), self.path('holds')])
        with open(self.path('holds'), encoding='ascii') as file:
            holds = [tuple(map(int, line.split())) for line in file]
        self.assertEqual(len(holds), PROCESSES)
        overlaps = sum(1 for n, a in enumerate(holds) for b in holds[n + 1:]
                       if a[0] < b[1] and b[0] < a[1])
        self.assertGreater(overlaps, 0, 'the lock was granted to two at the same time')
        given = sorted(start for _, _, start in holds)
        doubles = sum(1 for a, b in zip(given, given[1:]) if b - a < SPACING)
        self.assertGreaterEqual(doubles, 12, 'dozens of starts are given twice')
        print(f'lock only: {doubles} of {PROCESSES} starts overlap; granted twice {overlaps} times')

    def test_the_gate_never_gives_a_start_twice(self):
        for run in range(RUNS):
            gate = f'/gate{run}'
            self.both(lambda node, n: [BINARY, '-q', '--gate', node + gate, '--start-rate',
                                       f'{1_000_000_000 // SPACING}/s', '--', 'true'])
            records = self.records(self.path('disk') + gate)
            given = [int(record['t'], 36) - SPACING for record in records]
            doubles = sum(1 for a, b in zip(sorted(given), sorted(given)[1:]) if b - a < SPACING)
            self.assertEqual(doubles, 0)
            self.assertEqual(int(records[-1]['q'], 36), PROCESSES)
            print(f'the gate: {doubles} of {PROCESSES}, {len(records)} commits')

    def test_no_more_than_n_are_in_start_up_on_both_nodes(self):
        command = self.note(('sleep 0.1', 'true'))
        running = [subprocess.Popen([BINARY, '-q', '--gate', self.nodes[n % 2] + '/gate',
                                     '--max-starting', '4', '--ready', '1h', '--', *command],
                                    env=self.environ(), stderr=subprocess.DEVNULL)
                   for n in range(24)]
        self._processes += running
        self.assertEqual({process.wait(120) for process in running}, {0})
        most, whole = most_at_once(self.path('life'))
        self.assertEqual(whole, 24)
        self.assertLessEqual(most, 4)
        self.assertGreaterEqual(most, 2, 'they start beside each other')


if __name__ == '__main__':
    main()
