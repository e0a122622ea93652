"""Starts preempt-wrap as a scheduler would and watches it from outside: the fixture of all
end-to-end tests. A trainer is probe_trainer (probes/trainer.c), which notes what it receives."""
import collections
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from processes import LIMIT, carrying, number, queue, send, until

_REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BINARY = os.path.abspath(os.environ.get('PW_BINARY', _REPO + '/build/release/preempt-wrap'))
FAST_BINARY = os.path.abspath(os.environ.get('PW_FAST_BINARY', BINARY + '-fast'))
FAULTY_BINARY = os.path.abspath(os.environ.get('PW_FAULTY_BINARY', BINARY + '-faulty'))
FAST = 60  # the clock of FAST_BINARY runs this many times faster
_PROBES = os.environ.get('PW_PROBES', os.path.dirname(BINARY) + '/probes')

_serial = itertools.count()

Event = collections.namedtuple('Event', 'at pid what signal sender code value')
Event.__new__.__defaults__ = (None,) * 4


def probe(name):
    return os.path.join(_PROBES, 'probe_' + name)



class TrainerLog:
    """What one or more probe_trainers have noted in their file."""

    def __init__(self, path):
        self.path = path

    def events(self):
        try:
            with open(self.path, encoding='ascii') as file:
                text = file.read()
        except FileNotFoundError:
            return []
        # A reader may see the begin of a line that is being written.
        lines = text[:text.rfind('\n') + 1].splitlines()
        fields = [line.split() for line in lines]
        return [Event(int(f[0]), int(f[1]), f[2], *map(int, f[3:])) for f in fields]

    def of(self, what):
        return [event for event in self.events() if event.what == what]

    def got(self, name):
        return [event for event in self.of('got') if event.signal == number(name)]

    def order(self):
        """The names of the signals received, in order, without the fence's."""
        numbers = [e.signal for e in self.of('got') if e.signal != signal.SIGWINCH]
        return [signal.Signals(n).name[3:] if n < 32 else n for n in numbers]

    def wait_for(self, what, count=1, seconds=LIMIT):
        """Waits for `count` events: "ready", "saved", or the name of a signal."""
        look = self.of if what.islower() else self.got
        return until(f'{count} x {what} in {self.path}',
                     lambda: (found := look(what)) and len(found) >= count and found, seconds)

    def ready(self, count=1):
        """Waits until the trainer has its handlers; returns its PID."""
        return self.wait_for('ready', count)[-1].pid


class Wrapper:
    """One started preempt-wrap (or another program in its place)."""

    def __init__(self, process, out, err):
        self._process = process
        self._out = out
        self._err = err
        self.pid = process.pid
        self.started = time.monotonic()
        self.status = None

    def signal(self, name):
        send(self.pid, name)

    def queue(self, sig, value):
        queue(self.pid, sig, value)

    def running(self):
        return self._process.poll() is None

    def wait(self, seconds=LIMIT):
        """The exit status; -n when the wrapper itself died of signal n."""
        try:
            self.status = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f'still running after {seconds} s; its stderr:\n{self.err}') \
                from None
        return self.status

    def read_out(self):
        """All that comes from a stdout=PIPE; it ends when nobody holds the other end."""
        out, _ = self._process.communicate(timeout=LIMIT)
        return out

    def fence(self, log):
        """Returns when all signals sent so far have been dealt with. The trainer notes WINCH,
        which is no notice and has a higher number than the notices: it is relayed after them."""
        before = len(log.got('WINCH'))
        self.signal('WINCH')
        log.wait_for('WINCH', before + 1)

    @property
    def out(self):
        return _text(self._out)

    @property
    def err(self):
        return _text(self._err)


def _text(path):
    if path is None:
        return ''
    with open(path, encoding='utf-8', errors='replace') as file:
        return file.read()


class WrapperTest(unittest.TestCase):
    """Each test has a folder of its own, and ends every process that carries its mark."""
    maxDiff = 2000

    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix='pw-e2e-')
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)
        os.chmod(self.dir, 0o755)
        self.home = self.path('home')
        os.mkdir(self.home)
        self.mark = f'PW_E2E={os.getpid()}.{next(_serial)}'
        self._processes = []
        self.addCleanup(self._end_all)

    def _end_all(self):
        until('the end of what the test has started', self._kill_left)
        for process in self._processes:
            if process.poll() is None:
                process.kill()
            process.wait(LIMIT)

    def _kill_left(self):
        left = self.left()
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        return not left

    def need(self, met, reason):
        """Skips the test, or fails it where nothing may be skipped."""
        if not met and os.environ.get('PW_REQUIRE_ALL') == '1':
            self.fail(f'PW_REQUIRE_ALL=1, but {reason}')
        if not met:
            self.skipTest(reason)

    def need_root(self):
        self.need(os.geteuid() == 0, 'it takes root')

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, name, text, mode=0o644):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'wb') as file:
            file.write(text if isinstance(text, bytes) else text.encode())
        os.chmod(path, mode)
        return path

    def environ(self, **more):
        """A small environment without traces of ours; None removes a variable."""
        base = {'PATH': os.environ.get('PATH', '/usr/bin:/bin'), 'HOME': self.home,
                'LANG': 'C.UTF-8', 'USER': 'tester', **more}
        name, value = self.mark.split('=')
        return {k: v for k, v in {**base, name: value}.items() if v is not None}

    def left(self):
        """The living processes that this test has started, directly or not."""
        return carrying(self.mark)

    def start(self, *args, binary=BINARY, prefix=(), env=None, before=None, stdin=None,
              stdout=None, stderr=None, pass_fds=(), cwd=None):
        """Starts the wrapper as a scheduler does: in a session of its own, without a terminal.
        `prefix` is a command that executes it, `before` runs in the child before exec."""
        serial = next(_serial)
        out = None if stdout is not None else self.path(f'out.{serial}')
        err = None if stderr is not None else self.path(f'err.{serial}')
        with open(out or os.devnull, 'wb') as out_file, open(err or os.devnull, 'wb') as err_file:
            process = subprocess.Popen(
                [*prefix, binary, *args], env=env or self.environ(), preexec_fn=before,
                stdin=subprocess.DEVNULL if stdin is None else stdin,
                stdout=out_file if stdout is None else stdout,
                stderr=err_file if stderr is None else stderr,
                pass_fds=pass_fds, cwd=cwd, start_new_session=True)
        self._processes.append(process)
        return Wrapper(process, out, err)

    def call(self, *args, seconds=LIMIT, **how):
        """Starts the wrapper and waits for its end."""
        wrapper = self.start(*args, **how)
        wrapper.wait(seconds)
        return wrapper

    def trainer(self, *rules, log='trainer'):
        """The command of a probe_trainer; it also notes WINCH, for Wrapper.fence()."""
        rules = ['WINCH=log', *rules]
        return [probe('trainer'), self.path(log + '.log'), *map(_numbered, rules)]

    def log(self, name='trainer'):
        return TrainerLog(self.path(name + '.log'))

    def start_ready(self, options, *rules, **how):
        """Starts a wrapped probe_trainer and waits for its handlers: (wrapper, log)."""
        wrapper = self.start(*options, '--', *self.trainer(*rules), **how)
        self.log().ready()
        return wrapper, self.log()

    def journal(self, name='journal'):
        with open(self.path(name), encoding='utf-8') as file:
            return [json.loads(line) for line in file]

    def assert_nothing_left(self):
        self.assertEqual(self.left(), [], 'processes left behind')


def _numbered(rule):
    head, equals, rest = rule.partition('=')
    return rule if head in ('all', 'end') else f'{number(head)}{equals}{rest}'


def main():
    """As unittest.main(), but a file of which nothing could run is a skip for ctest (77)."""
    for file in (BINARY, probe('trainer')):
        if not os.access(file, os.X_OK):
            sys.exit(f'{file}: not built; set PW_BINARY and PW_PROBES')
    result = unittest.main(exit=False).result
    if result.testsRun and len(result.skipped) == result.testsRun:
        print('skipped:', result.skipped[0][1])
        sys.exit(77)
    sys.exit(not result.wasSuccessful())
