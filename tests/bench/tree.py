"""A notice with --to handlers on a tree of 100 processes reaches its four targets within 5 ms, where
one look suffices; the best of some tries, for the machine has other work. And the table of a node
with 2,000 processes is read within 20 ms: then the notice comes within 25."""
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'e2e'))
from processes import until  # noqa: E402
from wrapper import WrapperTest, main  # noqa: E402

TRIES = 8
RANK = 'for i in $(seq $1); do sleep 1000 & done; shift; exec "$@"'
JOB = 'for i in 1 2 3 4; do bash -c "$0" rank "$@" & done; wait; wait; wait; wait; wait'


class Tree(WrapperTest):
    def one_notice(self, attempt, workers):
        log = f'rank{attempt}'
        wrapper = self.start('-q', '--', 'bash', '-c', JOB, RANK, str(workers),
                             *self.trainer('USR1=exit:0', log=log))
        self.log(log).ready(4)
        until('all workers', lambda: len(self.left()) >= 4 * workers + 6)
        begin = time.monotonic_ns()
        wrapper.signal('USR1')
        got = self.log(log).wait_for('USR1', 4)
        self._kill_left()
        wrapper.wait()
        return (max(event.at for event in got) - begin) / 1e6

    def within(self, limit, workers):
        took = []
        for attempt in range(TRIES):
            took.append(self.one_notice(attempt, workers))
            if took[-1] <= limit:
                break
        print(f'a notice to 4 ranks with {workers} workers each: {min(took):.2f} ms')
        self.assertLessEqual(min(took), limit)

    def test_a_tree_of_100(self):
        self.within(5, 24)

    def test_beside_2000_other_processes(self):
        others = subprocess.Popen(['sh', '-c', 'i=0; while [ $i -lt 2000 ]; do sleep 1000 & i=$((i+1));'
                                   ' done; echo up; wait'], env=self.environ(),
                                  stdout=subprocess.PIPE, start_new_session=True)
        self._processes.append(others)
        others.stdout.readline()
        self.addCleanup(others.stdout.close)
        self.within(25, 24)


if __name__ == '__main__':
    main()
