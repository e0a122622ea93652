"""What a trainer says over the notify socket: heard from stock clients, acted on, passed upwards;
and nothing that anybody sends there does harm."""
import glob
import json
import os
import shutil
import subprocess
import tempfile
import time

from notify import Manager, Voice, variables_of
from processes import alive, send, state, until
from wrapper import BINARY, FAST_BINARY, WrapperTest, main

SYSTEM_PYTHON = '/usr/bin/python3'  # Debian's modules are for Debian's Python


class NotifyTest(WrapperTest):
    def start_voice(self, options, *rules, **how):
        """Starts a wrapped trainer with a socket: (wrapper, log, voice)."""
        wrapper, log = self.start_ready(['--journal', self.path('journal'), *options], *rules,
                                        **how)
        voice = Voice(variables_of(log.ready())['NOTIFY_SOCKET'])
        self.addCleanup(voice.close)
        return wrapper, log, voice

    def manager(self, address=None):
        manager = Manager(address or self.path('manager'))
        self.addCleanup(manager.close)
        return manager

    def told(self, event):
        """The journal's lines of this event so far."""
        try:
            with open(self.path('journal'), encoding='utf-8') as file:
                text = file.read()
        except FileNotFoundError:
            return []
        lines = text[:text.rfind('\n') + 1].splitlines()
        return [line for line in map(json.loads, lines) if line['event'] == event]

    def wait_told(self, event):
        return until(f'"{event}" in the journal', lambda: self.told(event))[0]

    def assert_gone(self, path):
        self.assertFalse(os.path.exists(os.path.dirname(path)), 'the folder was left behind')


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


class MoreTime(NotifyTest):
    def asks(self, options, microseconds):
        """What SIGKILL's time is after a trainer in its grace has asked for more, in ms."""
        wrapper, log, voice = self.start_voice(['--ready', 'notify', *options],
                                               'USR1=log', 'ALRM=exit:4')
        wrapper.signal('USR1')
        log.wait_for('USR1')
        voice.say(f'EXTEND_TIMEOUT_USEC={microseconds}')
        voice.barrier()
        wrapper.signal('ALRM')
        self.assertEqual(wrapper.wait(), 4)
        (extend,) = self.told('extend')
        for name in ('journal', 'trainer.log'):
            os.remove(self.path(name))
        a_year = 366 * 24 * 3600_000  # no more than that is understood
        self.assertEqual(extend['asked_ms'], min(microseconds // 1000, a_year))
        return extend['kill_in_ms']

    def test_what_it_comes_to(self):
        hour, slack = 3600_000_000, 20_000
        rows = [
            # name, options, asks for, SIGKILL in, less what the test took
            ('ten minutes are the most by default', ['-k', '60s'], hour, 600_000),
            ('--max-grace', ['-k', '60s', '--max-grace', '20m'], hour, 1200_000),
            ('never past the deadline', ['--lead', '90s'], hour, 88_000),
            ('the deadline counts, not --max-grace', ['--lead', '25m', '-k', '60s'], hour,
             1498_000),
            ('never less than without', ['-k', '60s', '--max-grace', '1s'], hour, 60_000),
            ('less than there is changes nothing', ['-k', '60s'], 1_000_000, 60_000),
            ('infinity', ['-k', '60s'], 2**64 - 1, 600_000),
        ]
        for name, options, asked, want in rows:
            with self.subTest(name):
                self.assertTrue(want - slack < self.asks(options, asked) <= want)

    def test_a_save_that_asks_for_time_is_not_cut_off(self):
        for asks, status in ((True, 5), (False, 137)):
            with self.subTest(asks=asks):
                wrapper, log, voice = self.start_voice(
                    ['--ready', 'notify', '-k', '2s'], 'USR1=save:4000:5')
                wrapper.signal('USR1')
                log.wait_for('USR1')
                if asks:
                    voice.say('EXTEND_TIMEOUT_USEC=15000000')
                self.assertEqual(wrapper.wait(), status)
                os.remove(self.path('trainer.log'))

    def test_outside_an_episode_nothing_comes_of_it(self):
        wrapper, log, voice = self.start_voice(['--ready', 'notify', '-k', '300ms'], 'USR1=log')
        voice.say('EXTEND_TIMEOUT_USEC=3600000000')
        voice.barrier()
        wrapper.signal('USR1')
        self.assertEqual(wrapper.wait(), 137)
        self.assertEqual(self.told('extend'), [])


class Watchdog(NotifyTest):
    def test_silence_is_noticed(self):
        hook = self.path('hook')
        wrapper, log, voice = self.start_voice(
            ['--watchdog', '300ms', '--on-notice', f'echo $PREEMPT_CAUSE $PREEMPT_SIGNAL >{hook}'],
            'TERM=save:50:9', 'USR1=log')
        voice.say('WATCHDOG=1')
        self.assertEqual(wrapper.wait(), 9)
        self.assertEqual(log.order(), ['TERM'])
        (watchdog,) = self.told('watchdog')
        self.assertEqual(watchdog['by'], 'silence')
        self.assertGreaterEqual(watchdog['silent_ms'], 300)
        self.assertRegex(wrapper.err, 'warning: the trainer has not reported for .*TERM sent')
        with open(hook, encoding='ascii') as file:
            self.assertEqual(file.read(), 'watchdog TERM\n')
        self.assertEqual(self.told('end')[0]['outcome'], 'failed')

    def test_the_ladder_runs_to_its_end(self):
        wrapper, log, voice = self.start_voice(['--watchdog', '200ms', '-k', '400ms'], 'TERM=log')
        voice.say('WATCHDOG=1')
        self.assertEqual(wrapper.wait(), 137)
        self.assertEqual(log.order(), ['TERM'])
        self.assertEqual(self.told('end')[0]['outcome'], 'killed')

    def test_trigger(self):
        wrapper, _, voice = self.start_voice(['--watchdog', '1h'], 'TERM=exit:9')
        voice.say('WATCHDOG=trigger')
        self.assertEqual(wrapper.wait(), 9)
        self.assertEqual(self.told('watchdog')[0]['by'], 'trigger')

    def test_who_reports_or_never_did_is_left_alone(self):
        # Here the time of the watchdog, 2 min, is two seconds.
        for reports in (0, 15):
            with self.subTest(reports=reports):
                wrapper, log, voice = self.start_voice(['--watchdog', '2m'], 'ALRM=exit:4',
                                                       'TERM=log', binary=FAST_BINARY)
                for _ in range(reports):
                    voice.say('WATCHDOG=1')
                    time.sleep(0.2)
                if not reports:
                    time.sleep(3)
                wrapper.signal('ALRM')
                self.assertEqual(wrapper.wait(), 4)
                self.assertEqual(log.order(), ['ALRM'])
                os.remove(self.path('trainer.log'))

    def test_off_by_default(self):
        wrapper, log, voice = self.start_voice(['--ready', 'notify'], 'TERM=log', 'ALRM=exit:4')
        voice.say('WATCHDOG=1')
        voice.say('WATCHDOG=trigger')
        voice.barrier()
        wrapper.signal('ALRM')
        self.assertEqual(wrapper.wait(), 4)
        self.assertEqual(log.order(), ['ALRM'])

    def test_who_saves_need_not_report(self):
        wrapper, log, voice = self.start_voice(['--watchdog', '1s', '-k', '30s'],
                                               'USR1=save:2500:6', 'TERM=log')
        voice.say('WATCHDOG=1')
        wrapper.signal('USR1')
        self.assertEqual(wrapper.wait(), 6)
        self.assertEqual(log.order(), ['USR1'])
        self.assertEqual(self.told('watchdog'), [])


class Upwards(NotifyTest):
    """A stand-in for systemd, which accepts messages of the main process: of us."""

    def start_below(self, manager, *options):
        return self.start_voice(['--ready', 'notify', *options], 'USR1=log', 'ALRM=exit:4',
                                env=self.environ(NOTIFY_SOCKET=manager.address))

    def test_what_is_passed_on_and_what_is_not(self):
        for address in (self.path('manager'), f'@pw-notify-{os.getpid()}'):
            with self.subTest(address):
                manager = self.manager(address)
                wrapper, log, voice = self.start_below(manager)
                voice.say('MAINPID=1', 'READY=1', 'STATUS=at work')
                voice.say('EXTEND_TIMEOUT_USEC=5000000')
                voice.say('WATCHDOG=1', 'FDSTORE=1', 'NOTIFYACCESS=all')
                voice.say('WATCHDOG=trigger')
                voice.say('STOPPING=1')
                voice.barrier()
                self.assertEqual(manager.read(), [
                    'READY=1', 'STATUS=at work', 'EXTEND_TIMEOUT_USEC=5000000', 'WATCHDOG=1',
                    'WATCHDOG=trigger', 'STOPPING=1'])
                self.assertEqual(manager.senders, {wrapper.pid})
                wrapper.signal('ALRM')
                self.assertEqual(wrapper.wait(), 4)
                os.remove(log.path)

    def test_a_hang_is_ended_by_us_alone(self):
        manager = self.manager()
        wrapper, _, voice = self.start_voice(['--watchdog', '1h'], 'TERM=exit:9',
                                             env=self.environ(NOTIFY_SOCKET=manager.address))
        voice.say('WATCHDOG=1')
        voice.say('WATCHDOG=trigger')
        self.assertEqual(wrapper.wait(), 9)
        self.assertEqual(manager.read(), ['WATCHDOG=1'])

    def test_a_manager_that_is_slow_blocks_nothing_and_misses_nothing(self):
        manager = self.manager()
        wrapper, log, voice = self.start_below(manager)
        for step in range(700):  # more than any queue holds
            voice.say(f'STATUS={step}')
        voice.say('READY=1')
        voice.barrier()
        wrapper.signal('USR1')
        log.wait_for('USR1')
        manager.wait_for('READY=1')
        self.assertIn('STATUS=699', manager.lines)
        self.assertLess(len(manager.lines), 701)
        wrapper.signal('ALRM')
        self.assertEqual(wrapper.wait(), 4)

    def test_a_manager_that_is_gone_hurts_nobody(self):
        for address, warnings in (('/no/such/socket', 1), ('vsock:2:1', 1)):
            with self.subTest(address):
                wrapper, log, voice = self.start_voice(
                    ['--ready', 'notify'], 'ALRM=exit:4', env=self.environ(NOTIFY_SOCKET=address))
                for _ in range(3):
                    voice.say('READY=1')
                voice.barrier()
                wrapper.signal('ALRM')
                self.assertEqual(wrapper.wait(), 4)
                self.assertEqual(wrapper.err.count('warning'), warnings, wrapper.err)
                self.assertEqual(len(self.told('ready')), 1)
                os.remove(log.path)
                os.remove(self.path('journal'))

    def test_one_wrapper_below_another(self):
        manager = self.manager()
        outer = self.start('--ready', 'notify', '--', BINARY, '-q', '--ready', 'notify', '--',
                           *self.trainer('ALRM=exit:4'),
                           env=self.environ(NOTIFY_SOCKET=manager.address))
        trainer = self.log().ready()
        voice = Voice(variables_of(trainer)['NOTIFY_SOCKET'])
        self.addCleanup(voice.close)
        voice.say('READY=1')
        manager.wait_for('READY=1')
        self.assertEqual(manager.senders, {outer.pid})
        send(trainer, 'ALRM')
        self.assertEqual(outer.wait(), 4)


class Harm(NotifyTest):
    """What nobody should send, and somebody will."""

    def harmless(self, attack, warnings=()):
        wrapper, log, voice = self.start_voice(['--ready', 'notify'], 'USR1=log', 'ALRM=exit:4')
        voice.barrier()  # all that the start opens for a moment is closed
        descriptors = os.listdir(f'/proc/{wrapper.pid}/fd')
        attack(voice)
        voice.barrier()
        self.assertEqual(os.listdir(f'/proc/{wrapper.pid}/fd'), descriptors)
        wrapper.signal('USR1')
        log.wait_for('USR1')
        self.assertEqual(self.told('ready'), [])
        voice.say('READY=1')
        self.wait_told('ready')
        wrapper.signal('ALRM')
        self.assertEqual(wrapper.wait(), 4)
        found = [line for line in wrapper.err.splitlines() if 'warning' in line]
        self.assertEqual(len(found), len(warnings), wrapper.err)
        for line, text in zip(found, warnings):
            self.assertIn(text, line)
        self.assert_gone(voice.path)

    def test_nonsense(self):
        def attack(voice):
            for datagram in (b'', b'\n', b'=', b'READY', b'READY=', b'READY=2', b'\xff' * 100,
                             b'A' * 4096, b'\n' * 4096, b'EXTEND_TIMEOUT_USEC=-1'):
                voice.send(datagram)
        self.harmless(attack)

    def test_nul_bytes(self):
        def attack(voice):
            for _ in range(3):
                voice.send(b'READY=1\0STATUS=x')
                voice.send(b'\0\0')
        self.harmless(attack, ['NUL'])

    def test_too_long(self):
        def attack(voice):
            if os.geteuid() == 0:
                voice.have_room(4 << 20)
                voice.send(b'READY=1\n' + b'x' * (1 << 20))
            for _ in range(3):
                voice.send(b'READY=1\n' + b'x' * 4096)
        self.harmless(attack, ['4096'])

    def test_descriptors(self):
        def attack(voice):
            with open(os.devnull, 'rb') as null:
                for count in (1, 2, 253):
                    voice.send(b'FDSTORE=1', [null.fileno()] * count)
        self.harmless(attack)

    def test_other_users(self):
        self.need_root()

        def attack(voice):
            # The connection was made before the process became somebody else.
            for _ in range(2):
                pid = os.fork()
                if pid == 0:
                    os.setuid(65534)
                    voice.say('READY=1')
                    os._exit(0)
                os.waitpid(pid, 0)
        self.harmless(attack, ['user 65534'])

    def test_a_flood_does_not_hold_up_the_notice(self):
        wrapper, log, voice = self.start_voice(['--ready', 'notify'], 'USR1=log', 'TERM=exit:4')
        code = ('import os, socket\ns = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n'
                's.connect(os.environ["NOTIFY_SOCKET"])\n'
                'while True: s.send(b"STATUS=" + os.urandom(3).hex().encode())')
        env = self.environ(NOTIFY_SOCKET=voice.path)
        floods = [subprocess.Popen([SYSTEM_PYTHON, '-c', code], env=env, stderr=subprocess.DEVNULL)
                  for _ in range(2)]
        try:
            self.wait_told('status')
            begin = time.monotonic()
            for _ in range(5):
                wrapper.fence(log)
            wrapper.signal('USR1')
            log.wait_for('USR1')
            self.assertLess(time.monotonic() - begin, 5)
            self.assertTrue(all(flood.poll() is None for flood in floods))
            send(log.ready(), 'TERM')
            self.assertEqual(wrapper.wait(), 4)
        finally:
            for flood in floods:
                flood.kill()
                flood.wait()
        self.assert_gone(voice.path)


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
