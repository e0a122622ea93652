"""What comes of it: more time, a hang that is noticed, what the manager above is told; and that
nothing that anybody sends does harm."""
import os
import subprocess
import time

from notify import NotifyTest, SYSTEM_PYTHON, Voice, variables_of
from processes import send
from wrapper import BINARY, FAST_BINARY, main


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
        # Here the time of the watchdog, 4 min, is four seconds.
        for reports in (False, True):
            with self.subTest(reports=reports):
                wrapper, log, voice = self.start_voice(['--watchdog', '4m'], 'ALRM=exit:4',
                                                       'TERM=log', binary=FAST_BINARY)
                began = said = time.monotonic()
                while (now := time.monotonic()) < began + 5:
                    self.assertLess(now, said + 3, 'this machine stood still')
                    said = now
                    if reports:
                        voice.say('WATCHDOG=1')
                    time.sleep(0.2)
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


if __name__ == '__main__':
    main()
