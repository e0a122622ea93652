"""What a trainer says over the notify socket: heard from stock clients; the socket and its folder
are there when asked for, and never otherwise."""
import glob
import os
import shutil
import subprocess
import tempfile
import time

from notify import NotifyTest, SYSTEM_PYTHON, variables_of
from processes import alive, send, state, until
from wrapper import BINARY, WrapperTest, main


class StockClients(NotifyTest):
    def rows(self):
        sdnotify = 'import sdnotify; n = sdnotify.SystemdNotifier(); '
        systemd = 'from systemd import daemon; '
        status = 'STATUS=epoch 3 of 9'
        return {
            'systemd-notify': ['systemd-notify', '--ready', '--status', 'epoch 3 of 9'],
            'sdnotify': [SYSTEM_PYTHON, '-c', f'{sdnotify}n.notify("READY=1"); n.notify("{status}")'],
            'systemd.daemon': [SYSTEM_PYTHON, '-c',
                               f'{systemd}daemon.notify("READY=1\\n{status}") or exit(1)'],
        }

    def need_client(self, name):
        if name == 'systemd-notify':
            return self.need(shutil.which(name), 'systemd-notify is not installed')
        found = subprocess.run([SYSTEM_PYTHON, '-c', f'import {name}'], capture_output=True,
                               check=False).returncode == 0
        return self.need(found, f'the Python module {name} is not installed')

    def test_each_is_heard(self):
        for name, command in self.rows().items():
            with self.subTest(name):
                self.need_client(name)
                begin = time.monotonic()
                wrapper = self.call('--ready', 'notify', '--journal', self.path('journal'), '--',
                                    *command)
                self.assertEqual(wrapper.status, 0, wrapper.err)
                # systemd-notify waits 5 s for a barrier that is not answered.
                self.assertLess(time.monotonic() - begin, 4.5)
                self.assertEqual(self.told('ready')[0]['by'], 'notify')
                self.assertEqual(self.told('status')[0]['text'], 'epoch 3 of 9')
                os.remove(self.path('journal'))

    def test_the_watchdog_of_each_is_told(self):
        # libsystemd's own question: is it on, and for me?
        self.need_client('systemd.daemon')
        code = ('import ctypes; l = ctypes.CDLL("libsystemd.so.0"); u = ctypes.c_uint64(); '
                'print(l.sd_watchdog_enabled(0, ctypes.byref(u)), u.value)')
        wrapper = self.call('--watchdog', '45s', '--', 'sh', '-c', '"$0" -c "$1"; exit 0',
                            SYSTEM_PYTHON, code)
        self.assertEqual(wrapper.out, '1 45000000\n')


class Environment(NotifyTest):
    """Which variables the trainer finds."""
    above = {'NOTIFY_SOCKET': '/no/such/socket', 'WATCHDOG_USEC': '30000000', 'WATCHDOG_PID': '1'}

    def variables(self, *options, **env):
        wrapper = self.call(*options, '--', 'env', env=self.environ(**env))
        self.assertEqual(wrapper.status, 0, wrapper.err)
        pairs = [line.split('=', 1) for line in wrapper.out.splitlines()]
        return {name: value for name, value in pairs if name in self.above}

    def test_untouched_by_default(self):
        self.assertEqual(self.variables(**self.above), self.above)
        self.assertEqual(self.variables(), {})

    def test_untouched_when_ready_by_time(self):
        self.assertEqual(self.variables('--ready', '5s', **self.above), self.above)

    def test_ours_when_asked_for(self):
        for options, watchdog in ((['--ready', 'notify'], None), (['--watchdog', '2s'], '2000000')):
            with self.subTest(options):
                found = self.variables(*options)
                self.assertRegex(found.pop('NOTIFY_SOCKET'), '^/')
                self.assertEqual(found, {'WATCHDOG_USEC': watchdog} if watchdog else {})

    def test_the_shorter_watchdog_counts_and_its_pid_is_left_out(self):
        # `exec` keeps the PID: WATCHDOG_PID is the wrapper's, as systemd sets it.
        script = f'WATCHDOG_PID=$$ exec {BINARY} "$@"'
        for usec, options, want in (('30000000', ['--watchdog', '20s'], '20000000'),
                                    ('10000000', ['--watchdog', '20s'], '10000000'),
                                    ('10000000', ['--ready', 'notify'], '10000000')):
            with self.subTest(usec=usec, options=options):
                wrapper = self.call('-c', script, 'sh', *options, '--', 'env', binary='/bin/sh',
                                    env=self.environ(WATCHDOG_USEC=usec))
                lines = [line for line in wrapper.out.splitlines() if 'WATCHDOG' in line]
                self.assertEqual(lines, [f'WATCHDOG_USEC={want}'])

    def test_somebody_else_s_watchdog_is_not_the_trainer_s(self):
        found = self.variables('--ready', 'notify', **self.above)
        self.assertNotIn('WATCHDOG_USEC', found)
        self.assertNotIn('WATCHDOG_PID', found)

    def test_a_hook_keeps_the_manager_s_socket(self):
        told = self.path('told')
        self.call('--ready', 'notify', '--on-exit', f'echo "$NOTIFY_SOCKET" >{told}', '--', 'true',
                  env=self.environ(**self.above))
        with open(told, encoding='ascii') as file:
            self.assertEqual(file.read().strip(), self.above['NOTIFY_SOCKET'])


class Folder(NotifyTest):
    """The socket's own folder."""

    def test_private_and_gone_at_the_end(self):
        ends = {
            'exits': (4, lambda wrapper, log: wrapper.signal('ALRM')),
            'dies': (137, lambda wrapper, log: send(log.ready(), 'KILL')),
            'is killed by us': (137, lambda wrapper, log: wrapper.signal('TERM')),
        }
        for name, (status, end) in ends.items():
            with self.subTest(name):
                log = name.replace(' ', '-')
                wrapper = self.start('--ready', 'notify', '-k', '200ms', '--',
                                     *self.trainer('TERM=log', 'ALRM=exit:4', log=log))
                path = variables_of(self.log(log).ready())['NOTIFY_SOCKET']
                self.assertEqual(os.stat(os.path.dirname(path)).st_mode & 0o777, 0o700)
                self.assertLess(len(path), 108)
                end(wrapper, self.log(log))
                self.assertEqual(wrapper.wait(), status)
                self.assert_gone(path)

    def test_gone_when_nothing_was_started(self):
        before = set(glob.glob('/tmp/preempt-wrap.*'))
        runtime = self.path('runtime')
        os.mkdir(runtime)
        env = self.environ(XDG_RUNTIME_DIR=runtime, TMPDIR=runtime)
        for command, status in (('/no/such/command', 127), ('/etc/passwd', 126)):
            self.assertEqual(self.call('--ready', 'notify', '--', command, env=env).status, status)
        self.assertEqual(os.listdir(runtime), [])
        # Other tests may run at the same time, with folders that are theirs.
        mine = [path for path in set(glob.glob('/tmp/preempt-wrap.*')) - before
                if not self.in_use(path + '/notify')]
        self.assertEqual(mine, [])

    def in_use(self, path):
        def bound():
            with open('/proc/net/unix', encoding='ascii', errors='replace') as file:
                return path in file.read()
        return bound() or not os.path.exists(path)

    def in_namespace(self, *options, script='exec "$@"', **env):
        """Runs the wrapper where /tmp cannot be written to."""
        self.need_root()
        mounts = ''.join(f'mount --bind {place} {place} && mount -o remount,bind,ro {place} && '
                         for place in ('/tmp', '/run'))
        return self.call('--mount', 'sh', '-c', mounts + script, 'sh', BINARY, *options,
                         binary='/usr/bin/unshare', env=self.environ(**env), cwd='/')

    def test_another_place_where_tmp_cannot_be_written_to(self):
        for variable in ('XDG_RUNTIME_DIR', 'TMPDIR'):
            with self.subTest(variable):
                place = tempfile.mkdtemp(prefix='pw-e2e-', dir='/var/tmp')
                self.addCleanup(shutil.rmtree, place, ignore_errors=True)
                wrapper = self.in_namespace('--ready', 'notify', '--', 'sh', '-c',
                                            'echo $NOTIFY_SOCKET', **{variable: place})
                self.assertEqual(wrapper.status, 0, wrapper.err)
                self.assertTrue(wrapper.out.startswith(place), wrapper.out)
                self.assertEqual(os.listdir(place), [])

    def test_without_any_place_the_training_runs(self):
        wrapper = self.in_namespace('--ready', 'notify', '--', 'sh', '-c',
                                    'echo "<$NOTIFY_SOCKET>"; exit 7',
                                    NOTIFY_SOCKET='/as/before', TMPDIR='/proc')
        self.assertEqual((wrapper.status, wrapper.out), (7, '</as/before>\n'))
        warnings = [line for line in wrapper.err.splitlines() if 'warning' in line]
        self.assertEqual(len(warnings), 1, wrapper.err)
        self.assertIn('notify socket', warnings[0])


class Heard(NotifyTest):
    def test_ready_status_and_stopping(self):
        wrapper, _, voice = self.start_voice(['--ready', 'notify', '--log-level', 'debug'],
                                             'ALRM=exit:4')
        voice.say('READY=1', 'STATUS=first')
        voice.say('READY=1')
        voice.say('STOPPING=1')
        voice.barrier()
        wrapper.signal('ALRM')
        self.assertEqual(wrapper.wait(), 4)
        for event, count in (('ready', 1), ('status', 1), ('stopping', 1)):
            self.assertEqual(len(self.told(event)), count, event)
        self.assertIn('is stopping', wrapper.err)
        self.assertIn('is ready', wrapper.err)

    def test_last_words_before_the_end(self):
        # Both are there when the wrapper looks: it was stopped meanwhile.
        wrapper, log, voice = self.start_voice(['--ready', 'notify'])
        voice.barrier()
        wrapper.signal('STOP')
        until('the stop', lambda: state(wrapper.pid) == 'T')
        voice.say('STOPPING=1')
        send(log.ready(), 'KILL')
        until('the end', lambda: not alive(log.ready()))
        wrapper.signal('CONT')
        self.assertEqual(wrapper.wait(), 137)
        events = [line['event'] for line in self.journal()]
        self.assertIn('stopping', events)
        self.assertLess(events.index('stopping'), events.index('trainer-ended'))

    def test_ready_by_time(self):
        begin = time.monotonic()
        wrapper, _ = self.start_ready(['--ready', '300ms', '--journal', self.path('journal')],
                                      'ALRM=exit:4')
        ready = self.wait_told('ready')
        self.assertGreaterEqual(time.monotonic() - begin, 0.3)
        self.assertEqual(ready['by'], 'time')
        self.assertGreaterEqual(ready['after_ms'], 300)
        wrapper.signal('ALRM')
        self.assertEqual(wrapper.wait(), 4)

    def test_nobody_is_ready_by_default(self):
        self.call('--journal', self.path('journal'), '--', 'sleep', '0.2')
        self.assertEqual(self.told('ready'), [])

    def test_a_status_may_be_anything(self):
        wrapper, _, voice = self.start_voice(['--ready', 'notify', '--log-level', 'debug'],
                                             'ALRM=exit:4')
        voice.send(b'STATUS=\x1b[2J\xff"\\ ' + b'x' * 3000)
        voice.barrier()
        wrapper.signal('ALRM')
        wrapper.wait()
        self.assertNotIn('\x1b', wrapper.err)
        self.assertLess(max(map(len, wrapper.err.splitlines())), 150)
        self.assertTrue(self.told('status')[0]['text'].startswith('\x1b[2J\ufffd"\\ '))

    def test_what_is_told_often_is_not_written_often(self):
        wrapper, _, voice = self.start_voice(['--ready', 'notify'], 'ALRM=exit:4')
        begin = time.monotonic()
        for step in range(2000):
            voice.say(f'STATUS=step {step}', 'STOPPING=1', 'READY=1')
        voice.barrier()
        most = time.monotonic() - begin + 2
        wrapper.signal('ALRM')
        wrapper.wait()
        for event in ('status', 'stopping', 'ready'):
            self.assertTrue(0 < len(self.told(event)) <= most, event)

    def test_nothing_wakes_it_while_nothing_is_said(self):
        wrapper, _, voice = self.start_voice(
            ['--ready', 'notify', '--watchdog', '1h'], 'ALRM=exit:4')
        voice.say('READY=1', 'WATCHDOG=1')
        voice.barrier()

        def wakes():
            with open(f'/proc/{wrapper.pid}/status', encoding='ascii') as file:
                return [line for line in file if line.startswith('voluntary')]

        def quiet():
            before = wakes()
            time.sleep(0.5)
            return wakes() == before
        # The first lines are still being written to the journal.
        self.assertTrue(quiet() or quiet())
        wrapper.signal('ALRM')
        self.assertEqual(wrapper.wait(), 4)


class Refused(WrapperTest):
    def test_values_that_are_none(self):
        for option, value in (('--ready', 'soon'), ('--ready', '-1'), ('--watchdog', '0'),
                              ('--watchdog', 'on'), ('--max-grace', 'auto')):
            with self.subTest(option=option, value=value):
                wrapper = self.call(f'{option}={value}', '--', 'echo', 'ran')
                self.assertEqual((wrapper.status, wrapper.out), (125, ''))
                self.assertIn(option[2:], wrapper.err)


if __name__ == '__main__':
    main()
