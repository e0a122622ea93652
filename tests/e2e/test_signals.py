"""What happens to each signal: notices once per episode, others as they come, none lost."""
import os
import signal

from processes import number, send, state, until, zombies_of
from wrapper import BINARY, WrapperTest, main, probe

RT_KINDS = range(signal.SIGRTMIN, signal.SIGRTMAX + 1)
SI_QUEUE = -1


class Notices(WrapperTest):
    def test_each_default_notice_is_relayed_once(self):
        for name in ('USR1', 'USR2', 'TERM', 'INT'):
            with self.subTest(name):
                log = f'trainer.{name}'
                wrapper = self.start('--', *self.trainer(f'{name}=exit:41', log=log))
                self.log(log).ready()
                wrapper.signal(name)
                self.assertEqual(wrapper.wait(), 41)
                self.assertEqual(self.log(log).order(), [name])

    def test_a_repeat_is_counted_not_relayed(self):
        journal = self.path('journal')
        wrapper, log = self.start_ready(['--journal', journal], 'USR1=log', 'ALRM=exit:3')
        for _ in range(3):
            wrapper.signal('USR1')
            wrapper.fence(log)
        wrapper.signal('ALRM')
        self.assertEqual(wrapper.wait(), 3)
        self.assertEqual(len(log.got('USR1')), 1)
        notices = [e for e in self.journal() if e['event'] == 'notice']
        self.assertEqual([e['signal'] for e in notices], ['USR1'] * 3)
        self.assertEqual(notices[0]['verdict'], 'relayed')
        for repeat in notices[1:]:
            self.assertNotEqual(repeat['verdict'], 'relayed')

    def test_what_comes_later_in_an_episode(self):
        rows = [
            # name, options, signals, what the trainer gets (without the rungs: grace is 60 s)
            ('TERM after USR1 waits for its rung', [], ['USR1', 'TERM'], ['USR1']),
            ('USR1 after TERM is counted', [], ['TERM', 'USR1'], ['TERM']),
            ('TERM after a dropped USR1 is relayed',
             ['--map-signal', 'USR1:'], ['USR1', 'TERM'], ['TERM']),
            ('TERM once', [], ['TERM', 'TERM', 'TERM'], ['TERM']),
            ('repeats of an advice within 5 s are one',
             ['--lead', '2h'], ['USR1', 'USR1', 'USR1'], ['USR1']),
            ('without notices each is passed on',
             ['--notice', 'none'], ['TERM', 'USR1', 'TERM'], ['TERM', 'USR1', 'TERM']),
        ]
        for index, (name, options, signals, got) in enumerate(rows):
            with self.subTest(name):
                log = f'trainer{index}'
                wrapper = self.start(*options, '--', *self.trainer(
                    'USR1=log', 'TERM=log', 'INT=log', 'ALRM=exit:3', log=log))
                self.log(log).ready()
                for name_ in signals:
                    wrapper.signal(name_)
                    wrapper.fence(self.log(log))
                wrapper.signal('ALRM')
                self.assertEqual(wrapper.wait(), 3)
                self.assertEqual(self.log(log).order(), [*got, 'ALRM'])

    def test_a_notice_list_of_our_own(self):
        wrapper, log = self.start_ready(['--notice', 'USR2,RTMIN+3'],
                                        'all=log', 'ALRM=exit:3')
        for name in ('USR1', 'USR1', 'USR2', 'USR2'):
            wrapper.signal(name)
            wrapper.fence(log)
        wrapper.signal('ALRM')
        wrapper.wait()
        # USR1 is no notice here: each one is passed on.
        self.assertEqual(log.order(), ['USR1', 'USR1', 'USR2', 'ALRM'])

    def test_an_rt_notice_keeps_its_value(self):
        wrapper, log = self.start_ready(['--notice', 'RTMIN+3'], 'RTMIN+3=exit:5')
        wrapper.queue(number('RTMIN+3'), 4711)
        self.assertEqual(wrapper.wait(), 5)
        self.assertEqual(log.got('RTMIN+3')[0].value, 4711)

    def test_the_wrapper_as_the_sender(self):
        # The trainer sees one sender, the wrapper, and an ordinary kill(2).
        wrapper, log = self.start_ready([], 'USR1=exit:5')
        wrapper.signal('USR1')
        wrapper.wait()
        self.assertEqual(log.got('USR1')[0].sender, wrapper.pid)


class Others(WrapperTest):
    def test_passed_on_to_the_trainer_alone(self):
        names = ['HUP', 'QUIT', 'ALRM', 'VTALRM', 'PROF', 'XCPU', 'URG', 'IO', 'PWR', 'WINCH',
                 'PIPE', 'CONT', 'RTMIN', 'RTMIN+30']
        script = '"$0" "$1" all=log & exec "$0" "$2" all=log'
        wrapper = self.start('--to', 'tree', '--', 'bash', '-c', script, probe('trainer'),
                             self.path('child.log'), self.path('trainer.log'))
        log = self.log()
        log.ready()
        self.log('child').ready()
        for name in names:
            wrapper.signal(name)
            log.wait_for(name)
        # As often as sent, though never as a notice.
        wrapper.signal('HUP')
        log.wait_for('HUP', 2)
        self.assertEqual(self.log('child').of('got'), [])
        for name in names[1:]:
            self.assertEqual(len(log.got(name)), 1, name)

    def test_a_signal_that_is_no_notice_starts_no_clock(self):
        wrapper, log = self.start_ready(['--grace', '100ms'], 'HUP=save:700:3')
        wrapper.signal('HUP')
        self.assertEqual(wrapper.wait(), 3)
        self.assertEqual(len(log.of('saved')), 1)

    def test_hup_that_nohup_ignores_is_not_relayed(self):
        def nohup():
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
        wrapper, log = self.start_ready([], 'HUP=log', 'ALRM=exit:3', before=nohup)
        wrapper.signal('HUP')
        wrapper.fence(log)
        wrapper.signal('ALRM')
        self.assertEqual(wrapper.wait(), 3)
        self.assertEqual(log.order(), ['ALRM'])

    def test_int_ignored_by_an_ampersand_is_a_notice_without_a_terminal(self):
        def ampersand():
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGQUIT, signal.SIG_IGN)
        wrapper, log = self.start_ready([], 'INT=exit:4', before=ampersand)
        wrapper.signal('INT')
        self.assertEqual(wrapper.wait(), 4)
        self.assertEqual(log.order(), ['INT'])

    def test_sigchld_is_never_relayed(self):
        wrapper, log = self.start_ready([], 'CHLD=log', 'ALRM=exit:3')
        wrapper.signal('CHLD')
        wrapper.fence(log)
        wrapper.signal('ALRM')
        self.assertEqual(wrapper.wait(), 3)
        self.assertEqual(log.order(), ['ALRM'])


class Mapping(WrapperTest):
    def test_table(self):
        rows = [
            # name, map, sent, what the trainer gets
            ('another', 'USR1:USR2', ['USR1'], ['USR2']),
            ('by number', '10:12', ['USR1'], ['USR2']),
            ('with SIG', 'SIGUSR1:SIGUSR2', ['USR1'], ['USR2']),
            ('dropped', 'USR1:', ['USR1'], []),
            ('two of them', 'USR1:TERM,HUP:', ['HUP', 'USR1'], ['TERM']),
            ('one that is no notice', 'HUP:QUIT', ['HUP'], ['QUIT']),
            ('from RT', 'RTMIN+3:USR1', ['RTMIN+3'], ['USR1']),
            ('to RT', 'USR1:RTMIN+3', ['USR1'], [number('RTMIN+3')]),
            ('swapped', 'USR1:USR2,USR2:USR1', ['USR1'], ['USR2']),
        ]
        for index, (name, mapping, sent, got) in enumerate(rows):
            with self.subTest(name):
                log = f'trainer{index}'
                wrapper = self.start('--map-signal', mapping, '--', *self.trainer(
                    'all=log', 'ALRM=exit:3', log=log))
                self.log(log).ready()
                for name_ in sent:
                    wrapper.signal(name_)
                    wrapper.fence(self.log(log))
                wrapper.signal('ALRM')
                self.assertEqual(wrapper.wait(), 3)
                self.assertEqual(self.log(log).order(), [*got, 'ALRM'])


class RealTime(WrapperTest):
    def test_all_31_kinds_with_their_values(self):
        wrapper, log = self.start_ready([], 'all=log')
        for sig in RT_KINDS:
            wrapper.queue(sig, sig * 1000 + 7)
        until('31 RT signals', lambda: len(log.of('got')) >= 31)
        got = {e.signal: (e.code, e.value) for e in log.of('got')}
        self.assertEqual(got, {sig: (SI_QUEUE, sig * 1000 + 7) for sig in RT_KINDS})

    def test_100_queued_come_in_order(self):
        wrapper, log = self.start_ready([], 'all=log')
        # Stopped, so that they queue up in the wrapper.
        send(wrapper.pid, 'STOP')
        until('the stop', lambda: state(wrapper.pid) == 'T')
        for value in range(100):
            wrapper.queue(number('RTMIN+5'), value - 50)
        send(wrapper.pid, 'CONT')
        until('100 of them', lambda: len(log.got('RTMIN+5')) >= 100)
        self.assertEqual([e.value for e in log.got('RTMIN+5')], [v - 50 for v in range(100)])


class Storm(WrapperTest):
    def test_10000_signals_lose_no_kind_and_leave_no_zombie(self):
        kinds = ['HUP', 'INT', 'QUIT', 'USR1', 'USR2', 'ALRM', 'TERM', 'WINCH', 'RTMIN+9']
        # While a crowd of orphans ends below it.
        script = ('for i in $(seq 100); do (true & ) ; done >/dev/null & '
                  'exec "$0" "$1" all=log')
        wrapper = self.start('--notice', 'none', '--', 'bash', '-c', script, probe('trainer'),
                             self.path('trainer.log'))
        log = self.log()
        log.ready()
        for index in range(10000):
            try:
                send(wrapper.pid, kinds[index % len(kinds)])
            except BlockingIOError:
                pass  # the queue of RT signals is full
        wrapper.fence(log)
        for kind in kinds:
            self.assertGreaterEqual(len(log.got(kind)), 1, kind)
        self.assertTrue(wrapper.running())
        # Each kind is still passed on.
        before = {kind: len(log.got(kind)) for kind in kinds}
        for kind in kinds:
            wrapper.signal(kind)
            log.wait_for(kind, before[kind] + 1)
        until('no zombie', lambda: not zombies_of(wrapper.pid))
        os.kill(log.ready(), signal.SIGKILL)
        self.assertEqual(wrapper.wait(), 137)
        self.assert_nothing_left()

    def test_a_storm_of_notices_is_one_episode(self):
        wrapper, log = self.start_ready([], 'USR1=log', 'USR2=log', 'TERM=log', 'ALRM=exit:3')
        for index in range(3000):
            wrapper.signal(('USR1', 'USR2')[index % 2])
        wrapper.fence(log)
        wrapper.signal('ALRM')
        self.assertEqual(wrapper.wait(), 3)
        self.assertLessEqual(len(log.got('USR1')), 1)
        self.assertLessEqual(len(log.got('USR2')), 1)
        self.assertEqual(log.got('TERM'), [])


class StopAndContinue(WrapperTest):
    def test_a_stopped_trainer_is_continued_for_a_notice(self):
        wrapper, log = self.start_ready([], 'USR1=exit:6', 'CONT=log')
        trainer = log.ready()
        send(trainer, 'STOP')
        until('the stop', lambda: state(trainer) == 'T')
        wrapper.signal('USR1')
        self.assertEqual(wrapper.wait(), 6)
        self.assertEqual(len(log.got('USR1')), 1)

    def test_a_running_one_is_not(self):
        wrapper, log = self.start_ready([], 'USR1=exit:6', 'CONT=log')
        wrapper.signal('USR1')
        self.assertEqual(wrapper.wait(), 6)
        self.assertEqual(log.got('CONT'), [])

    def test_tstp_and_cont_reach_the_trainer(self):
        wrapper, log = self.start_ready([], 'ALRM=exit:6')
        trainer = log.ready()
        for _ in range(2):
            wrapper.signal('TSTP')
            until('the stop', lambda: state(trainer) == 'T')
            wrapper.signal('CONT')
            until('the trainer to go on', lambda: state(trainer) == 'S')
        wrapper.signal('ALRM')
        self.assertEqual(wrapper.wait(), 6)

    def test_a_trainer_that_stops_itself_does_not_end_us(self):
        wrapper = self.start('--', 'sh', '-c', 'echo $$ >"$0"; kill -STOP $$; exit 8',
                             self.path('pid'))
        until('its PID', lambda: os.path.exists(self.path('pid')) and
              os.path.getsize(self.path('pid')))
        with open(self.path('pid'), encoding='ascii') as file:
            trainer = int(file.read())
        until('the stop', lambda: state(trainer) == 'T')
        self.assertTrue(wrapper.running())
        send(trainer, 'CONT')
        self.assertEqual(wrapper.wait(), 8)


class Targets(WrapperTest):
    def start_three(self, *options):
        """A trainer, a child in its group, a child in a session of its own."""
        script = ('"$0" "$1/group.log" "$2" & setsid "$0" "$1/session.log" "$2" & '
                  'exec "$0" "$1/trainer.log" "$2" 14=exit:3')
        wrapper = self.start(*options, '--', 'bash', '-c', script, probe('trainer'), self.dir,
                             'all=log')
        logs = {name: self.log(name) for name in ('trainer', 'group', 'session')}
        for log in logs.values():
            log.ready()
        return wrapper, logs

    def test_who_gets_it(self):
        rows = [
            ('the default is handlers: it hides those below it', [], ['trainer']),
            ('child', ['--to', 'child'], ['trainer']),
            ('group', ['--to', 'group'], ['trainer', 'group']),
            ('tree', ['--to', 'tree'], ['trainer', 'group', 'session']),
        ]
        for name, options, getters in rows:
            with self.subTest(name):
                for log in ('trainer', 'group', 'session'):
                    if os.path.exists(self.path(log + '.log')):
                        os.remove(self.path(log + '.log'))
                wrapper, logs = self.start_three(*options, '--stragglers', '50ms')
                wrapper.signal('USR1')
                for getter in getters:
                    logs[getter].wait_for('USR1')
                wrapper.fence(logs['trainer'])
                wrapper.signal('ALRM')
                logs['trainer'].wait_for('ALRM')
                got = [name_ for name_, log in logs.items() if log.got('USR1')]
                self.assertEqual(sorted(got), sorted(getters))
                for getter in getters:
                    self.assertEqual(len(logs[getter].got('USR1')), 1)
                    self.assertEqual(logs[getter].got('CONT'), [])
                self._kill_left()
                wrapper.wait()

    def test_tree_reaches_a_daemon(self):
        # Double-forked, with a session of its own: it has become the wrapper's child.
        script = '(setsid "$0" "$1" 10=exit:0 &) ; exec "$0" "$2" 10=save:0:4'
        wrapper = self.start('--to', 'tree', '--', 'bash', '-c', script, probe('trainer'),
                             self.path('daemon.log'), self.path('trainer.log'))
        self.log().ready()
        daemon = self.log('daemon').ready()
        wrapper.signal('USR1')
        self.log('daemon').wait_for('USR1')
        self.assertEqual(wrapper.wait(), 4)
        until('the end of the daemon', lambda: state(daemon) is None)

    def test_a_tree_ends_at_a_wrapper_below(self):
        # It relays by itself. RT signals queue: a second copy would be seen.
        for name in ('USR1', 'RTMIN+1'):
            with self.subTest(name):
                log = 'trainer' + name
                wrapper = self.start('--to', 'tree', '--notice', name, '--', BINARY, '--notice',
                                     name, '--', *self.trainer(f'{name}=log', 'RTMIN+2=exit:4',
                                                               log=log))
                self.log(log).ready()
                wrapper.signal(name)
                self.log(log).wait_for(name)
                wrapper.signal('RTMIN+2')
                self.assertEqual(wrapper.wait(), 4)
                self.assertEqual(len(self.log(log).got(name)), 1)

    def test_a_group_does_not_reach_the_wrapper_below(self):
        # A nested wrapper has its trainer in a group of its own: one copy each.
        wrapper = self.start('--to', 'group', '--', BINARY, '--', *self.trainer('USR1=exit:4'))
        self.log().ready()
        wrapper.signal('USR1')
        self.assertEqual(wrapper.wait(), 4)
        self.assertEqual(len(self.log().got('USR1')), 1)


if __name__ == '__main__':
    main()
