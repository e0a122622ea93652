"""A box (box.sh) with preempt-wrap installed in it by scripts/install, as the tests see it."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(REPOSITORY / 'tests' / part) for part in ('e2e', 'cloud')]

from metadata_server import tell  # noqa: E402
from processes import until  # noqa: E402
from wrapper import BINARY, TrainerLog, probe  # noqa: E402

BOX = REPOSITORY / 'tests' / 'systemd' / 'box.sh'
WATCH = 'preempt-wrap-watch.service'
RUN_DIR = '/run/preempt-wrap'
CONTROL = '/run/metadata.control'
ADDRESSES = {'ec2': '169.254.169.254:80', 'ec2-ipv6': '[fd00:ec2::254]:80',
             'gce': '169.254.169.254:80', 'azure': '169.254.169.254:80'}
USERS = ('trainer', 'alice', 'mallory')
SKIPPED = 77
NUMBERS = {'USR1': 10, 'TERM': 15, 'WINCH': 28}


class Box:
    """Started at once; stop() leaves nothing. `binds` are {host's path: path in the box}."""

    def __init__(self, binds=None):
        self._folder = tempfile.mkdtemp(prefix='pw-box-')
        self.state = os.path.join(self._folder, 'box')
        mounts = {str(REPOSITORY): '/src', os.path.dirname(BINARY): '/pw',
                  os.path.dirname(probe('trainer')): '/probes', **(binds or {})}
        words = [word for pair in mounts.items() for word in ('--bind', ':'.join(pair))]
        guard, self._held = os.pipe()
        done = subprocess.run([BOX, 'start', self.state, '--until-eof', *words], stdin=guard,
                              capture_output=True, text=True, check=False)
        os.close(guard)
        if done.returncode != 0:
            self.stop()
            if done.returncode == SKIPPED and os.environ.get('PW_REQUIRE_ALL') != '1':
                raise unittest.SkipTest(done.stderr.strip())
            raise AssertionError('no box: ' + done.stdout + done.stderr)
        try:
            self.run('systemd-sysusers', '-', stdin=''.join(f'u {user} -\n' for user in USERS))
            self.install()
        except BaseException:
            self.stop()
            raise

    def install(self):
        self.run('/src/scripts/install', '--binary', '/pw/' + os.path.basename(BINARY))

    def firmware(self, **texts):
        """What the machine's firmware says it is, below /sys/class/dmi/id; nothing: the host's."""
        self.run('sh', '-c', 'while mountpoint -q /sys/class; do umount /sys/class; done')
        if texts:
            self.run('sh', '-c', 'mount -t tmpfs dmi /sys/class && mkdir -p /sys/class/dmi/id')
        for name, text in texts.items():
            self.write(f'/sys/class/dmi/id/{name}', text + '\n')

    def stop(self):
        subprocess.run([BOX, 'stop', self.state], check=True)
        shutil.rmtree(self._folder, ignore_errors=True)
        if self._held is not None:
            os.close(self._held)
            self._held = None

    def power_off(self):
        subprocess.run([BOX, 'poweroff', self.state], check=True)

    def run(self, *words, stdin='', status=0):
        """What it writes, both streams; `status` None: any."""
        done = subprocess.run([BOX, 'exec', self.state, '--', *words], input=stdin, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if status is not None and done.returncode != status:
            raise AssertionError(f'{words}: exit status {done.returncode}\n{done.stdout}')
        return done.stdout

    def systemctl(self, *words, status=0):
        return self.run('systemctl', *words, status=status)

    # ---- files: the box's root, as the host sees it

    def path(self, name):
        with open(os.path.join(self.state, 'pid'), encoding='ascii') as file:
            return f'/proc/{file.read().strip()}/root{name}'

    def write(self, name, text, mode=0o644):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
        os.chmod(path, mode)

    def drop_in(self, unit, text):
        """Replaces the test's drop-in of this unit; empty: takes it away."""
        name = f'/run/systemd/system/{unit}.d/test.conf'
        if text:
            self.write(name, text)
        elif os.path.exists(self.path(name)):
            os.unlink(self.path(name))
        else:
            return
        self.systemctl('daemon-reload')

    # ---- what has happened

    def journal(self, *match):
        """The entries so far, also after the end: dicts with MESSAGE, and `at` in nanoseconds of
        CLOCK_MONOTONIC."""
        words = ['-D', os.path.join(self.state, 'journal'), '-o', 'json', '--no-pager', '-q']
        done = subprocess.run(['journalctl', *words, *match], capture_output=True, text=True,
                              check=True)
        entries = [json.loads(line) for line in done.stdout.splitlines()]
        return [{**entry, 'at': 1000 * int(entry['__MONOTONIC_TIMESTAMP'])} for entry in entries]

    def said(self, unit):
        """The lines of the unit itself."""
        return [entry['MESSAGE'] for entry in self.journal(f'_SYSTEMD_UNIT={unit}')]

    def said_of(self, unit):
        """systemd's lines of it."""
        return [entry['MESSAGE'] for entry in self.journal(f'UNIT={unit}')]

    def show(self, unit, name):
        return self.systemctl('show', unit, '--value', '-p', name).strip()

    def wait_state(self, unit, *states):
        return until(f'{unit} {states}', lambda: self.show(unit, 'ActiveState') in states)

    def main_pid(self, unit):
        return int(self.show(unit, 'MainPID'))

    # ---- the metadata service on its real address

    def serve(self, cloud, listen=None, name='metadata'):
        """A unit, so that it ends with the box at the latest."""
        self.systemctl('stop', f'{name}.service', status=None)
        self.run('rm', '-f', CONTROL)
        self.run('systemd-run', '-q', f'--unit={name}', '--collect', '-p', 'Type=exec', 'python3',
                 '/src/tests/cloud/metadata_server.py', cloud.partition('-')[0],
                 '--listen', listen or ADDRESSES[cloud], '--control', CONTROL)

    def tell(self, *words):
        return tell(self.path(CONTROL), *words)

    # ---- trainers

    def log_of(self, folder):
        return TrainerLog(self.path(f'{folder}/trainer.log'))


def trainer(*rules, folder=''):
    """The words of a probe_trainer that notes what it gets, as ('USR1=save:300:138', ...)."""
    spelled = [str(NUMBERS.get(rule.partition('=')[0], rule.partition('=')[0])) + '=' +
               rule.partition('=')[2] for rule in ('WINCH=log', *rules)]
    return ['/probes/probe_trainer', f'{folder}trainer.log', *spelled]
