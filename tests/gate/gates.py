"""The fixture of the start gate's tests: runs behind a gate, and what its folder says of them."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'e2e'))
import counts  # noqa: E402
from processes import LIMIT, carrying, until  # noqa: E402
from wrapper import BINARY, FAST_BINARY, FAULTY_BINARY, WrapperTest, main  # noqa: E402, F401

FULL = os.environ.get('PW_FULL') == '1'


class GateTest(WrapperTest):
    def setUp(self):
        super().setUp()
        self.gate = self.path('gate')

    def steer(self, *words, binary=BINARY):
        """The verb gate, on this test's gate."""
        action, *rest = words
        done = subprocess.run([binary, 'gate', action, self.gate, *rest], env=self.environ(),
                              capture_output=True, text=True, timeout=LIMIT)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def status(self):
        done = subprocess.run([BINARY, 'gate', 'status', '--json', self.gate],
                              env=self.environ(), capture_output=True, text=True, timeout=LIMIT)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def records(self, gate=None):
        """The texts of the chain, oldest first, each as {key: value}."""
        return counts.records(gate or self.gate)

    def wait_line(self, wrapper, text='start in'):
        return until(f'"{text}" on stderr', lambda: text in wrapper.err and wrapper.err)

    def behind(self, *options, command=('true',), **how):
        """Starts a run behind the gate."""
        return self.start('--gate', self.gate, *options, '--', *command, **how)

    def stamp(self, name='starts'):
        """A command that notes when it was started."""
        return ['sh', '-c', f'date +%s.%N >> {self.path(name)}']

    def note(self, work):
        """A command that notes its begin and its end around `work`, for counts.most_at_once."""
        life = self.path('life')
        return ['sh', '-c', f'echo + $$ >> {life}; {work[0]}; echo - $$ >> {life}; {work[1]}']

    def starts(self, name='starts'):
        try:
            with open(self.path(name), encoding='ascii') as file:
                return sorted(float(line) for line in file)
        except FileNotFoundError:
            return []

    def end_by_pid(self, *wrappers):
        for wrapper in wrappers:
            if wrapper.running():
                wrapper.signal('TERM')
        for wrapper in wrappers:
            wrapper.wait()


def children_of(wrapper, mark):
    """The children of a run; while it waits only its keeper."""
    with open(f'/proc/{wrapper.pid}/task/{wrapper.pid}/children', encoding='ascii') as file:
        own = [int(pid) for pid in file.read().split()]
    return [pid for pid in own if pid in carrying(mark)]
