"""One box for all tests of a class, and what they share: the watcher, trainers, notices."""
import os
import re
import sys
import unittest

from box import RUN_DIR, WATCH, Box, trainer
from processes import until
from wrapper import BINARY, TrainerLog, probe

POLL = '200ms'
IPV6 = 'AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE=IPv6\n'
OF_AND_BY = OF, BY = 'UNIT=', '_SYSTEMD_UNIT='
# Quick questions; and this machine may say nothing of a cloud.
SOURCES = {'ec2': f'ec2:poll={POLL}', 'ec2-ipv6': f'ec2:poll={POLL}', 'gce': 'gce'}


class BoxTest(unittest.TestCase):
    """Each test begins without trainers, notice and memory, and with the units as shipped."""
    maxDiff = 2000
    box = None  # one for all classes of a file

    @classmethod
    def setUpClass(cls):
        if BoxTest.box is None:
            BoxTest.box = Box()
            unittest.addModuleCleanup(BoxTest.box.stop)

    def setUp(self):
        self.addCleanup(self.clean)
        self._units = []
        self._drop_ins = []
        self.forget()

    def forget(self):
        """What the watcher, and systemd of it, have said so far is another test's."""
        self._marks = {match: len(self.box.journal(match + WATCH)) for match in OF_AND_BY}

    def clean(self):
        """SIGKILL, as nothing of the end is looked at any more."""
        for unit in [WATCH, *self._units]:
            self.box.systemctl('kill', '-s', 'KILL', unit, status=None)
        self.box.systemctl('stop', WATCH, 'metadata.service', *self._units, status=None)
        self.box.systemctl('reset-failed', status=None)
        for unit in self._drop_ins:
            self.box.drop_in(unit, '')
        self.box.run('sh', '-c', f'rm -rf {RUN_DIR}/* /var/lib/private/preempt-wrap/* ' +
                     ' '.join(f'/run/{unit.removesuffix(".service")}' for unit in self._units) +
                     ' /var/lib/train/*')

    def drop_in(self, unit, text):
        self._drop_ins.append(unit)
        self.box.drop_in(unit, text)

    # ---- the watcher

    def watch(self, cloud='ec2', options='', source=None, serve=True):
        """Starts it on a cloud that answers."""
        if serve:
            self.box.serve(cloud)
        words = f'--cloud {source or SOURCES[cloud]} {options}'.strip()
        self.box.write('/etc/preempt-wrap/watch.env',
                       f'PREEMPT_WRAP_WATCH_OPTIONS="{words}"\n' + (IPV6 if 'v6' in cloud else ''))
        self.box.systemctl('start', WATCH)

    def watched(self):
        """The watcher's lines of this test."""
        return self._messages(BY)

    def said_of_watcher(self):
        """systemd's lines of it, in this test."""
        return self._messages(OF)

    def _messages(self, match):
        entries = self.box.journal(match + WATCH)[self._marks[match]:]
        return [entry['MESSAGE'] for entry in entries]

    def wait_line(self, pattern, count=1):
        """Waits until it has said so; returns the lines."""
        def found():
            lines = [line for line in self.watched() if re.search(pattern, line)]
            return lines if len(lines) >= count else None
        return self.until(pattern, found)

    def until(self, what, condition):
        """As processes.until; a failure has the watcher's lines with it."""
        try:
            return until(what, condition)
        except AssertionError as error:
            raise AssertionError(f'{error}\n' + '\n'.join(self.watched())) from None

    # ---- trainers

    def instance(self, name, command, options=''):
        """Starts preempt-wrap@NAME, by its env file; waits for the trainer's handlers."""
        unit = f'preempt-wrap@{name}.service'
        self._units.append(unit)
        self.box.write(f'/etc/preempt-wrap/{name}.env',
                       f'TRAINER="{" ".join(command)}"\nPREEMPT_WRAP_RUN_OPTIONS="{options}"\n')
        self.box.systemctl('start', unit)
        log = self.box.log_of(f'/var/lib/train/{name}')
        log.ready()
        return unit, log

    def process(self, name, *words, user='alice'):
        """A process of a user that is no service of ours; its folder is /run/NAME. `words` may
        begin with options of systemd-run."""
        unit = f'{name}.service'
        self._units.append(unit)
        self.box.run('systemd-run', '-q', f'--unit={name}', f'--uid={user}', '-p', 'Type=exec',
                     '-p', f'RuntimeDirectory={name}', '-p', 'RuntimeDirectoryPreserve=yes',
                     '-p', f'WorkingDirectory=/run/{name}', *words)
        return unit, TrainerLog(self.box.path(f'/run/{name}/trainer.log'))

    def wrapped(self, name, *command, user='alice'):
        """The same under `run --register`, which the watcher then knows."""
        unit, log = self.process(name, '/usr/local/bin/preempt-wrap', 'run', '--register', '--',
                                 *(command or trainer('USR1=save:300:138', 'TERM=log')),
                                 user=user)
        log.ready()
        pid = self.box.main_pid(unit)
        until(f'the PID file of {pid}', lambda: self.registered(pid))
        return unit, log

    def registered(self, pid):
        """Where, below the run directory."""
        top = self.box.path(RUN_DIR)
        found = [os.path.join(folder, name) for folder, _, names in os.walk(top) for name in names]
        return next((os.path.relpath(path, top) for path in found
                     if os.path.basename(path) == f'{pid}.pid'), None)

    def named(self, name, *rules, user='alice', path=None, owner=None):
        """A bare trainer whose PID somebody, by default its own user, has written into a file."""
        unit, log = self.process(name, *trainer(*rules), user=user)
        log.ready()
        owner = owner or user
        path = path or f'{RUN_DIR}/{owner}/{name}.pid'
        self.plant(path, self.box.main_pid(unit), owner)
        return unit, log

    def plant(self, path, text, owner, more=''):
        """Writes a file as that user; its folder, too."""
        script = f'umask 022; mkdir -p "${{1%/*}}"; echo "$2" >"$1"; {more}'
        self.box.run('setpriv', f'--reuid={owner}', f'--regid={owner}', '--clear-groups', 'sh',
                     '-c', script, 'sh', path, str(text))

    def wait_end(self, unit):
        """Waits until it is inactive or failed, and says which."""
        self.until(f'the end of {unit}', lambda: self.box.show(unit, 'ActiveState') in
                   ('inactive', 'failed'))
        return self.box.show(unit, 'ActiveState')

    def assert_untouched(self, unit, log):
        """It has got no signal at all: the last one comes alone."""
        pid = self.box.main_pid(unit)
        self.assertNotEqual(pid, 0, f'{unit} has ended')
        before = len(log.got('WINCH'))
        self.box.run('kill', '-s', 'WINCH', str(pid))
        log.wait_for('WINCH', before + 1)
        self.assertEqual(log.order(), [])


def main():
    """As unittest.main(), but a file of which nothing could run is a skip for ctest (77)."""
    for file in (BINARY, probe('trainer')):
        if not os.access(file, os.X_OK):
            sys.exit(f'{file}: not built; set PW_BINARY and PW_PROBES')
    result = unittest.main(exit=False).result
    if result.skipped and not result.testsRun - len(result.skipped):
        print('skipped:', result.skipped[0][1])
        sys.exit(77)
    sys.exit(not result.wasSuccessful())
