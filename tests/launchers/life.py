"""One run of a launcher with its ranks, bare or below preempt-wrap, from start to end."""
import concurrent.futures
import contextlib
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import unittest

from components import PYTHON, RANK, Missing
from processes import LIMIT, alive, carrying, send, until
from ranks import RankLog
from wrapper import BINARY

_serial = itertools.count()


class Life:
    """Use as a context: whatever way it ends, what was started is ended, by PID."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix='pw-launcher-')
        self.log = RankLog(self.folder + '/ranks')
        self.mark = f'PW_LIFE={os.getpid()}.{next(_serial)}'
        self.process = None
        self.status = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            until('the end of what was started', self._kill_left)
        finally:
            if self.process:
                self.process.kill()
                self.process.wait(LIMIT)
            shutil.rmtree(self.folder, ignore_errors=True)

    def _kill_left(self):
        left = carrying(self.mark)
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not left

    # ---- the start

    def rank(self, *rules):
        """The command of a rank."""
        return [PYTHON, RANK, self.log.path, *rules]

    def script(self, text):
        """The command of a bash script."""
        path = self.folder + '/job.sh'
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
        return ['bash', path]

    def environ(self, **more):
        """A small environment without traces of ours."""
        name, value = self.mark.split('=')
        return {'PATH': os.environ['PATH'], 'HOME': self.folder, 'LANG': 'C.UTF-8',
                'OMP_NUM_THREADS': '1', 'TMPDIR': self.folder, name: value, **more}

    def start(self, command, options=None, binary=BINARY, **more):
        """Bare, or with `options` below preempt-wrap. As a scheduler does: no terminal."""
        if options is not None:
            command = [binary, *options, '--', *command]
        with open(self.folder + '/output', 'wb') as output:
            self.process = subprocess.Popen(
                command, env=self.environ(**more), cwd=self.folder, stdin=subprocess.DEVNULL,
                stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
        return self

    # ---- its course

    @property
    def pid(self):
        return self.process.pid

    def send(self, name):
        send(self.pid, name)

    def running(self):
        return self.process.poll() is None

    def wait(self, seconds=60):
        try:
            self.status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f'still running after {seconds} s; {self.story()}') from None
        return self.status

    def left(self):
        """The PIDs of all that is left once the ranks that were told have ended."""
        return [pid for pid in carrying(self.mark) if alive(pid)]

    def output(self):
        with open(self.folder + '/output', encoding='utf-8', errors='replace') as file:
            return file.read()

    def story(self):
        first = next((e.at for e in self.log.events()), 0)
        events = '\n'.join(f'  {(e.at - first) / 1e9:7.3f} {e.pid} {e.role} {e.what} {e.word or ""}'
                           for e in self.log.events())
        return f'events:\n{events}\noutput:\n{self.output()[-3000:]}'


def side_by_side(lives, go, at_once=8):
    """go(life) for all, some at once; returns {life: what it raised}."""
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        futures = {life: pool.submit(go, life) for life in lives}
    return {life: future.exception() for life, future in futures.items() if future.exception()}


class LifeTest(unittest.TestCase):
    maxDiff = None

    def need_components(self, *makers):
        """Skips the test, or fails it where nothing may be skipped."""
        try:
            for make in makers:
                make()
        except Missing as missing:
            if os.environ.get('PW_REQUIRE_ALL') == '1':
                self.fail(f'PW_REQUIRE_ALL=1, but {missing}')
            self.skipTest(str(missing))

    def assert_told_once(self, life, signal, ranks=1):
        """The promise: each rank is told once and has saved, nobody else is told, nothing left."""
        self.assertEqual(list(life.log.got().values()), [[signal]] * ranks, life.story())
        self.assertEqual(life.log.got('worker'), {}, life.story())
        self.assertEqual(life.log.saved(), f'{ranks} of {ranks}', life.story())
        self.assertEqual(life.left(), [], life.story())
