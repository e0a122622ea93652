"""Starts real `wandb agent`s, bare or below preempt-wrap, against the stand-in server: the fixture
of the tests in this folder."""
import collections
import concurrent.futures
import os
import sys
import time
import unittest

_HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(_HERE), 'e2e'))

import environment  # noqa: E402
from backend import ENTITY, PROJECT, SWEEP, Backend  # noqa: E402
from processes import alive, pids, stat, until  # noqa: E402,F401
from wrapper import BINARY, WrapperTest  # noqa: E402

FULL = os.environ.get('PW_FULL') == '1'
# An agent and a trainer each import wandb and start a wandb-core, next to three others.
LIMIT = 60
SWEEP_PATH = f'{ENTITY}/{PROJECT}/{SWEEP}'
TRAINER = os.path.join(_HERE, 'trainer.py')

Note = collections.namedtuple('Note', 'pid what words')


def comm(pid):
    try:
        with open(f'/proc/{pid}/comm', encoding='utf-8') as file:
            return file.read().rstrip('\n')
    except (FileNotFoundError, ProcessLookupError):
        return ''


def caught(pid):
    """The numbers of the signals that a process has handlers for."""
    with open(f'/proc/{pid}/status', encoding='ascii') as file:
        mask = next(int(line.split()[1], 16) for line in file if line.startswith('SigCgt'))
    return {n for n in range(1, 65) if mask >> (n - 1) & 1}


class SweepTest(WrapperTest):
    """Agents of one sweep, and what came of them."""
    bin = None  # the folder of the real wandb's executables

    def setUp(self):
        super().setUp()
        self.addCleanup(self._no_unknown_request)

    def serve(self, **how):
        """A server of its own for this test; all that it did not know fails the test."""
        self.server = Backend(program=TRAINER, **how)
        self.addCleanup(self.server.close)
        return self.server

    def _no_unknown_request(self):
        if hasattr(self, 'server'):
            self.assertEqual(self.server.unknown, [], 'requests that the stand-in does not know')

    def agent_environ(self, **more):
        """No request leaves the machine, and nothing is read from the user's own settings."""
        url = self.server.url
        base = {
            'PATH': f'{self.bin}:{os.environ.get("PATH", "/usr/bin:/bin")}', 'NO_PROXY': '127.0.0.1',
            'WANDB_BASE_URL': url, 'WANDB_API_KEY': 'k' * 40, 'WANDB_ENTITY': ENTITY,
            'WANDB_PROJECT': PROJECT, 'WANDB_DIR': self.dir, 'WANDB_CONFIG_DIR': self.path('config'),
            'WANDB_CACHE_DIR': self.path('cache'), 'WANDB_DATA_DIR': self.path('data'),
            'WANDB_ERROR_REPORTING': 'false', 'WANDB_CONSOLE': 'off', 'WANDB_SILENT': 'true',
            'WANDB_DISABLE_GIT': 'true', 'WANDB_DISABLE_CODE': 'true',
            'WANDB_X_DISABLE_STATS': 'true', 'WANDB_X_DISABLE_META': 'true',
            'WANDB_X_DISABLE_MACHINE_INFO': 'true', 'WANDB_X_SAVE_REQUIREMENTS': 'false',
            'WANDB_X_FILE_STREAM_TRANSMIT_INTERVAL': '0.2', 'WANDB_X_GRAPHQL_RETRY_MAX': '1',
            # Its default is a link-local address of the cloud.
            'WANDB_X_STATS_COREWEAVE_METADATA_BASE_URL': url, 'WANDB_INIT_TIMEOUT': str(LIMIT),
            'TRAINER_LOG': self.path('trainer.log'),
        }
        if not FULL:
            base['PYTHONPATH'] = os.path.join(_HERE, 'site')
        return self.environ(**{**base, **more})

    def wandb(self, *args):
        return [os.path.join(self.bin, 'wandb'), *args]

    def agent_command(self, *flags):
        return self.wandb('agent', *flags, SWEEP_PATH)

    def bare(self, *flags, command=None, **environ):
        """An agent (or a `command` with agents) as a scheduler would start it, without us."""
        first, *rest = command or self.agent_command(*flags)
        return self.start(*rest, binary=first, env=self.agent_environ(**environ), cwd=self.dir)

    def wrapped(self, *flags, options=(), command=None, **environ):
        """The same below preempt-wrap."""
        words = command or self.agent_command(*flags)
        return self.start(*options, '--', *words, env=self.agent_environ(**environ), cwd=self.dir)

    def notes(self, what=None):
        """What the trainers have noted."""
        try:
            with open(self.path('trainer.log'), encoding='ascii') as file:
                text = file.read()
        except FileNotFoundError:
            return []
        lines = [line.split() for line in text[:text.rfind('\n') + 1].splitlines()]
        notes = [Note(int(words[0]), words[1], words[2:]) for words in lines]
        return [note for note in notes if what in (None, note.what)]

    def forget(self):
        os.truncate(self.path('trainer.log'), 0)

    def got(self):
        """The signals that trainers have handled, in order."""
        return [note.words[0] for note in self.notes('got')]

    def wait_for(self, what, count=1):
        return until(f'{count} x {what}', lambda: (n := self.notes(what))[count - 1:] and n, LIMIT)

    def trainer(self, count=1):
        """The PID of the newest trainer, once `count` of them have their handlers."""
        return self.wait_for('ready', count)[-1].pid

    def begun(self):
        """The runs that have been started on this node, in order."""
        return [note.words[0] for note in self.notes('begun')]

    def wait_for_state(self, state, name='run1'):
        return until(f'{name} is {state}, not {self.server.run(name).states}',
                     lambda: self.server.run(name).state == state, LIMIT)

    def wait_for_post(self, what, name='run1'):
        return until(f'{name} posts {what}', lambda: what in self.server.posted(name), LIMIT)

    def agent_pids(self):
        return [pid for pid in self.left() if comm(pid) == 'wandb']

    def ended(self, started):
        """The exit status of an agent or a wrapper."""
        return started.wait(LIMIT)

    def wait_until_nothing_left(self):
        until(f'the end of {self.left()}', lambda: not self.left(), LIMIT)


def settle(seconds=2.0):
    """For what must *not* happen: four of the agent's polls."""
    time.sleep(seconds if not FULL else seconds * 10)


def _run_one(test):
    result = unittest.TestResult()
    began = time.monotonic()
    test.run(result)
    return test, result, time.monotonic() - began


def _tests(suite):
    for item in suite:
        yield from _tests(item) if isinstance(item, unittest.TestSuite) else [item]


def main(side_by_side=4, afterwards=None):
    """As unittest.main(), for tests that mostly wait: some of them at the same time. `afterwards`
    is called when all were successful."""
    try:
        SweepTest.bin = environment.prepare()
        print(environment.version(), 'below' if os.path.exists(BINARY) else 'without', BINARY)
    except environment.Missing as missing:
        print(f'skipped: wandb cannot be installed from PyPI: {missing}')
        sys.exit(1 if os.environ.get('PW_REQUIRE_ALL') == '1' else 77)
    loader = unittest.TestLoader()
    if '-k' in sys.argv:
        loader.testNamePatterns = [f'*{sys.argv[sys.argv.index("-k") + 1]}*']
    suite = loader.loadTestsFromModule(sys.modules['__main__'])
    failed = False
    with concurrent.futures.ThreadPoolExecutor(side_by_side) as pool:
        for test, result, seconds in pool.map(_run_one, _tests(suite)):
            trouble = result.errors + result.failures
            failed = failed or bool(trouble)
            print('FAIL' if trouble else 'ok  ', f'{seconds:5.1f} s', test.id(), flush=True)
            for _, text in trouble:
                print(text, flush=True)
    if afterwards and not failed:
        afterwards()
    sys.exit(failed)
