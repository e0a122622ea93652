"""The start gate beside what people write by hand (`flock F sleep T`) and beside no gate at all: 10,
100 and 1,000 processes released at once on a local disk. Asserted: the gate's budget of design and
README (makespan <= 1.05 x ideal, no start given twice, <= 1.1 commits a task); the rest is shown."""
import os
import shutil
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'gate'))
from counts import busiest  # noqa: E402
from gates import BINARY, FAULTY_BINARY, GateTest, main  # noqa: E402

ROWS = ((10, 0.1), (100, 0.02), (1000, 0.02))  # processes, seconds between two starts
HEAD = ('tasks  T ms  gate            makespan/ideal  most in 10 T  lock held p50/p99 ms'
        '  calls/task  commits/task')


class Race(GateTest):
    def release(self, count, command, **env):
        """Starts them all, held back by a pipe that is closed when the last one is there."""
        held, release = os.pipe()
        environ = self.environ(**env)
        wait = ['sh', '-c', 'read go; exec "$@" </dev/null', 'sh']
        runs = [subprocess.Popen([*wait, *command], env=environ, stdin=held,
                                 stderr=subprocess.DEVNULL) for _ in range(count)]
        self._processes += runs
        os.close(held)
        begin = time.time()
        os.write(release, b'go\n' * count)
        os.close(release)
        self.assertEqual({run.wait(300) for run in runs}, {0})
        starts = self.starts()
        os.remove(self.path('starts'))
        self.assertEqual(len(starts), count)
        return starts[-1] - begin, starts

    def row(self, name, count, spacing, took, starts, rest=''):
        ideal = (count - 1) * spacing
        print(f'{count:5}  {spacing * 1e3:4.0f}  {name:14}  {took / ideal:14.3f}'
              f'  {busiest(starts, 10 * spacing):12}  {rest}')

    def test_side_by_side(self):
        print(HEAD)
        for count, spacing in ROWS:
            took, starts = self.release(count, self.stamp())
            self.row('none', count, spacing, took, starts)
            file = self.path('lock')
            hold = ['sh', '-c', f'flock {file} sleep {spacing}; {self.stamp()[2]}']
            took, starts = self.release(count, hold)
            self.row('flock + sleep', count, spacing, took, starts)
            self.our_gate(count, spacing)

    def our_gate(self, count, spacing):
        shutil.rmtree(self.gate, ignore_errors=True)
        options = ['-q', '--gate', self.gate, '--start-rate', f'{round(1 / spacing)}/s', '--']
        took, starts = self.release(count, [BINARY, *options, *self.stamp()])
        records = self.records()
        given = sorted(int(record['t'], 36) for record in records)
        doubles = sum(1 for a, b in zip(given, given[1:]) if b - a < round(spacing * 1e9))
        # Once more with calls that are counted: they take their own time.
        shutil.rmtree(self.gate)
        locks = self.path('locks')
        self.release(count, [FAULTY_BINARY, *options, *self.stamp()], PW_TEST_LOCKS=locks)
        with open(locks, encoding='ascii') as file:
            lines = [tuple(map(int, line.split())) for line in file]
        os.remove(locks)
        held = sorted(nanos / 1e6 for _, nanos, _ in lines)
        calls = statistics.mean({pid: made for pid, _, made in lines}.values())
        rest = (f'{statistics.median(held):9.3f}/{held[int(len(held) * 0.99)]:7.3f}  {calls:13.1f}'
                f'  {len(records) / count:12.2f}')
        self.row('preempt-wrap', count, spacing, took, starts, rest)
        ideal = (count - 1) * spacing
        self.assertEqual(doubles, 0)
        self.assertLessEqual(len(records), 1.1 * count)
        self.assertLessEqual((given[-1] - given[0]) / 1e9, 1.05 * ideal)
        self.assertLessEqual(took, 1.05 * ideal + 0.5)


if __name__ == '__main__':
    main()
