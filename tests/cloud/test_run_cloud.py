"""`run --cloud` and a notice: who is told when, what its end is, and what is no end at all."""
import json
import os
import time

from clouds import FAST_BINARY, SAVES, CloudTest, main, source, until

CLOUDS = ('ec2', 'gce', 'azure')
# cloud, what it says, how long before the end, the longest that the trainer may have then, in s
NOTICES = (
    ('ec2', {'action': 'terminate', 'after': 100}, 100),
    ('ec2', {'action': 'stop', 'after': 60}, 60),
    ('ec2', {'action': 'terminate', 'after': 400}, 120),
    ('gce', {'action': 'preempted'}, 30),
    ('gce', {'action': 'terminate'}, 60),
    ('azure', {'action': 'Preempt', 'after': 30}, 30),
    ('azure', {'action': 'Terminate', 'after': 300}, 300),
    ('azure', {'action': 'Reboot', 'after': 200}, 200),
    ('azure', {'action': 'Redeploy', 'after': 50}, 50),
    ('azure', {'action': 'Preempt', 'started': True}, 30),
)
ADVICE = (('ec2', {'action': 'rebalance'}), ('gce', {'action': 'migrate'}),
          ('azure', {'action': 'Freeze'}), ('azure', {'action': 'Preempt', 'vm': 'another_7'}))
# One notice after another while the trainer saves, and the longest that is left after the second.
TWO = (
    ('ec2', {'after': 110}, {'after': 20}, 20),
    ('ec2', {'after': 20}, {'after': 110}, 20),
    ('gce', {'action': 'terminate'}, {'action': 'preempted'}, 30),
    ('gce', {'action': 'preempted'}, {'action': 'terminate'}, 30),
    ('azure', {'action': 'Terminate', 'after': 300}, {'action': 'Preempt'}, 30),
    ('azure', {'action': 'Preempt'}, {'action': 'Terminate', 'after': 300}, 30),
)
POLL_MS = 500
RUNS = 3


class Notices(CloudTest):
    def test_each_kind_reaches_the_trainer_with_its_end(self):
        for serial, (cloud, what, seconds) in enumerate(NOTICES):
            with self.subTest(cloud=cloud, **what):
                server = self.serve(cloud)
                wrapper, log = self.begin(source(cloud, server), SAVES, log=f'kind{serial}')
                server.notice(**what)
                self.assertEqual(wrapper.wait(), 138, wrapper.err)
                self.assertEqual(log.order(), ['USR1'])
                self.assertRegex(wrapper.err, f'notice from {cloud}')
                told, = self.told('notice', f'kind{serial}')
                self.assertEqual(told['source'], 'cloud')
                # EC2's and Azure's times are of whole seconds.
                self.assertLessEqual(told['left_ms'], seconds * 1000)
                self.assertGreater(told['left_ms'], seconds * 1000 - 5000)

    def test_a_notice_that_was_there_before_the_start(self):
        for cloud in CLOUDS:
            with self.subTest(cloud=cloud):
                server = self.serve(cloud)
                server.notice()
                # It is told when it can act; what asks must not be quicker than the trainer.
                wrapper, log = self.begin(source(cloud, server), SAVES, log=cloud)
                self.assertEqual(wrapper.wait(), 138, wrapper.err)
                self.assertEqual(log.order(), ['USR1'])

    def test_without_a_handler_it_is_term(self):
        server = self.serve('ec2')
        wrapper, log = self.begin(source('ec2', server), 'TERM=save:1:143',
                                  options=['--hold', '1s'], binary=FAST_BINARY)
        server.notice()
        self.assertEqual(wrapper.wait(), 143)
        self.assertEqual(log.order(), ['TERM'])

    def test_the_signal_is_ours_to_choose(self):
        server = self.serve('gce')
        wrapper, log = self.begin(source('gce', server), 'RTMIN+3=save:1:165', 'USR1=log',
                                  options=['--notice-as', 'RTMIN+3'])
        server.notice()
        self.assertEqual(wrapper.wait(), 165)
        self.assertEqual(len(log.got('RTMIN+3')), 1)

    def test_google_s_longer_notice_is_configured(self):
        server = self.serve('gce')
        wrapper, _ = self.begin(source('gce', server, notice='120s'), SAVES)
        server.notice()
        self.assertEqual(wrapper.wait(), 138)
        self.assertAlmostEqual(self.told('notice')[0]['left_ms'], 120_000, delta=5000)

    def test_who_does_not_end_is_killed_before_the_machine_is(self):
        """On the fast clock: all of it within the notice, TERM first; nothing comes twice."""
        for cloud, seconds in (('ec2', 120), ('gce', 30), ('azure', 30)):
            with self.subTest(cloud=cloud):
                server = self.serve(cloud)
                wrapper, log = self.begin(source(cloud, server, poll='5s'), 'USR1=log',
                                          'TERM=log', log=cloud, binary=FAST_BINARY)
                given = server.notice()
                self.assertEqual(wrapper.wait(), 137, wrapper.err)
                took = time.monotonic() - given
                self.assertEqual(log.order(), ['USR1', 'TERM'])
                # Two seconds more for what a fast clock makes of a slow machine.
                self.assertLess(took, seconds / 60 + 2)

    def test_unheard_of_later_it_stays_a_notice_and_comes_once(self):
        for cloud in CLOUDS:
            for fault in ('refused', '503'):
                with self.subTest(cloud=cloud, fault=fault):
                    server, name = self.serve(cloud), cloud + fault
                    wrapper, log = self.begin(source(cloud, server, poll='10s'), 'USR1=log',
                                              'TERM=log', log=name, binary=FAST_BINARY)
                    server.notice()
                    log.wait_for('USR1')
                    server.fault(fault)
                    self.assertEqual(wrapper.wait(), 137, wrapper.err)
                    self.assertEqual(log.order(), ['USR1', 'TERM'])

    def test_withdrawn_nobody_is_killed_and_the_next_notice_is_a_new_one(self):
        for cloud in CLOUDS:
            with self.subTest(cloud):
                server = self.serve(cloud)
                wrapper, log = self.begin(source(cloud, server, poll='10s'), 'USR1=log',
                                          'USR2=log', 'TERM=log', log=cloud, binary=FAST_BINARY)
                server.notice()
                log.wait_for('USR1')
                server.withdraw()
                until('the withdrawal', lambda: 'has withdrawn' in wrapper.err)
                wrapper.fence(log)
                wrapper.signal('USR2')
                log.wait_for('USR2')
                self.assertTrue(wrapper.running())
                self.assertNotIn('TERM', log.order())

    def test_withdrawn_and_given_again_is_told_again(self):
        server = self.serve('ec2')
        wrapper, log = self.begin(source('ec2', server), 'USR1=log', 'TERM=exit:143')
        server.notice()
        log.wait_for('USR1')
        server.withdraw()
        until('the withdrawal', lambda: 'has withdrawn' in wrapper.err)
        server.notice()
        log.wait_for('USR1', 2)
        self.assertEqual(len(self.told('notice')), 2)
        self.assertEqual([line['verdict'] for line in self.told('notice')], ['relayed'] * 2)

    def test_a_save_that_a_withdrawn_notice_began_ends_as_preempted(self):
        server = self.serve('ec2')
        wrapper, log = self.begin(source('ec2', server), 'USR1=save:1000:0',
                                  options=['--exit-preempted', '85'])
        server.notice()
        log.wait_for('USR1')
        server.withdraw()
        until('the withdrawal', lambda: 'has withdrawn' in wrapper.err)
        self.assertEqual(wrapper.wait(), 85)

    def test_of_two_notices_the_earlier_end_counts_and_the_trainer_is_told_once(self):
        for serial, (cloud, first, second, seconds) in enumerate(TWO):
            with self.subTest(cloud=cloud, first=first, second=second):
                server, name = self.serve(cloud), f'two{serial}'
                wrapper, log = self.begin(source(cloud, server), 'USR1=save:1000:138', log=name)
                server.notice(**first)
                log.wait_for('USR1')
                asked = len(server.asked())
                server.notice(**second)
                until('its answer', lambda: len(server.asked()) > asked)
                self.assertEqual(wrapper.wait(), 138, wrapper.err)
                self.assertEqual(log.order(), ['USR1'])
                left = min(line['left_ms'] for line in self.told('notice', name))
                self.assertLessEqual(left, seconds * 1000)
                self.assertGreater(left, seconds * 1000 - 5000)

    def test_after_a_hibernation_s_save_the_end_is_told_as_well(self):
        server = self.serve('ec2')
        wrapper, log = self.begin(source('ec2', server), 'USR1=log')
        server.notice(action='hibernate')
        log.wait_for('USR1')
        server.notice(action='terminate')
        log.wait_for('USR1', 2)
        self.assertIn('notice from ec2 (terminate)', wrapper.err)
        os.kill(log.ready(), 9)
        wrapper.wait()

    def test_hibernation_has_no_clock(self):
        """Four minutes of the fast clock, twice the notice of an end: told once, never killed."""
        server = self.serve('ec2')
        wrapper, log = self.begin(source('ec2', server, poll='5s'), 'USR1=log', 'TERM=log',
                                  'end=4000:7', binary=FAST_BINARY)
        server.notice(action='hibernate')
        log.wait_for('USR1')
        self.assertEqual(wrapper.wait(), 7)
        self.assertEqual(log.order(), ['USR1'])

    def test_advice_is_a_line_and_to_whom_wants_it_a_signal(self):
        for serial, (cloud, what) in enumerate(ADVICE):
            others = what.get('vm') is not None
            for relays in (False, True):
                log_name = f'advice{serial}{relays}'
                with self.subTest(cloud=cloud, relays=relays, **what):
                    server = self.serve(cloud)
                    how = {'advice': 'relay'} if relays else {}
                    wrapper, log = self.begin(source(cloud, server, **how), SAVES, 'TERM=log',
                                              log=log_name)
                    server.notice(**what)
                    if relays and not others:
                        self.assertEqual(wrapper.wait(), 138)
                        continue
                    if others:
                        self.asks(server, cloud, 2)
                    else:
                        until('the line', lambda: f'{cloud} advises' in wrapper.err)
                    wrapper.fence(log)
                    self.assertEqual(log.order(), [])
                    server.notice()
                    self.assertEqual(wrapper.wait(), 138, 'advice hides no notice')

    def test_who_asks_has_gone_with_the_run(self):
        for cloud in CLOUDS:
            server = self.serve(cloud)
            wrapper, _ = self.begin(source(cloud, server), 'end=300:7', log=cloud)
            self.assertEqual(wrapper.wait(), 7)
            self.assert_nothing_left()
            until('the last connection', lambda: server.at_once == 0)

    def test_a_killed_wrapper_leaves_nobody_who_asks(self):
        server = self.serve('ec2')
        wrapper, log = self.begin(source('ec2', server), SAVES)
        trainer = log.ready()
        wrapper.signal('KILL')
        wrapper.wait()
        os.kill(trainer, 9)
        until('the end of who asks', lambda: not self.left())

    def test_its_cause_is_told(self):
        server = self.serve('gce')
        wrapper, _ = self.begin(source('gce', server), SAVES, options=[
            '--on-notice', f'echo $PREEMPT_CAUSE >{self.path("cause")}'])
        server.notice()
        self.assertEqual(wrapper.wait(), 138)
        with open(self.path('cause'), encoding='ascii') as file:
            self.assertEqual(file.read(), 'cloud\n')

    def test_at_the_gate_it_ends_the_run_with_143(self):
        gate = self.path('gate')
        slow = ['--gate', gate, '--start-rate', '1/h']
        self.assertEqual(self.call(*slow, 'true').status, 0)
        for cloud in CLOUDS:
            with self.subTest(cloud=cloud):
                server = self.serve(cloud)
                wrapper = self.start('--cloud', source(cloud, server), *slow, '--',
                                     *self.trainer(SAVES, log=cloud))
                until('its wait', lambda: 'start in' in wrapper.err)
                server.notice()
                self.assertEqual(wrapper.wait(), 143)
                self.assertEqual(self.log(cloud).events(), [])

    def test_advice_at_the_gate_is_for_the_trainer(self):
        gate = self.path('gate')
        begin = ['--gate', gate, '--start-rate', '100/s', '--']
        self.assertEqual(self.call(*begin, 'true').status, 0)
        self.assertEqual(self.call('gate', 'pause', gate).status, 0)
        server = self.serve('ec2')
        wrapper = self.start('--cloud', source('ec2', server, advice='relay'), *begin,
                             *self.trainer(SAVES))
        until('its wait', lambda: 'paused' in wrapper.err)
        server.notice(action='hibernate')
        until('the advice', lambda: 'for the trainer, once it runs' in wrapper.err)
        self.assertEqual(self.call('gate', 'resume', gate).status, 0)
        self.assertEqual(wrapper.wait(), 138, wrapper.err)
        self.assertEqual(self.log().order(), ['USR1'])

    def test_hooks_learn_of_a_notice_at_the_gate(self):
        gate = self.path('gate')
        slow = ['--gate', gate, '--start-rate', '1/h']
        self.assertEqual(self.call(*slow, 'true').status, 0)
        server = self.serve('ec2')
        wrapper = self.start('--cloud', source('ec2', server), *slow, '--on-exit',
                             'echo $PREEMPT_CAUSE $PREEMPT_SIGNAL ${PREEMPT_DEADLINE:+known} '
                             f'>{self.path("hook")}', '--', 'true')
        until('its wait', lambda: 'start in' in wrapper.err)
        server.notice()
        self.assertEqual(wrapper.wait(), 143)
        with open(self.path('hook'), encoding='ascii') as file:
            self.assertEqual(file.read(), 'cloud USR1 known\n')

    def test_azure_is_told_after_the_save_and_only_if_that_is_wanted(self):
        for ack in ('no', 'yes'):
            with self.subTest(ack=ack):
                server = self.serve('azure')
                wrapper, log = self.begin(source('azure', server, ack=ack), 'USR1=save:300:138',
                                          log=ack)
                server.notice()
                self.assertEqual(wrapper.wait(), 138)
                posts = server.asked(method='POST')
                self.assertEqual(len(posts), 1 if ack == 'yes' else 0)
                if posts:
                    self.assertEqual(posts[0].status, 200)
                    self.assertGreater(posts[0].at, log.of('saved')[0].at / 1e9)


class Files(CloudTest):
    def give(self, text, name='notice'):
        """As a careful writer does it: whole, by rename."""
        os.rename(self.write(name + '.new', text), self.path(name))

    def test_a_file_is_a_source(self):
        rows = (('{"action":"terminate"}', 30), ('{"action":"terminate","id":"x","time":""}', 30),
                (json.dumps({'action': 'stop', 'time': time.strftime(
                    '%Y-%m-%dT%H:%M:%SZ', time.gmtime(time.time() + 100))}), 100))
        for serial, (text, seconds) in enumerate(rows):
            with self.subTest(text=text):
                name, log_name = f'notice{serial}', f'file{serial}'
                wrapper, log = self.begin('file:' + self.path(name), SAVES, log=log_name)
                self.give(text, name)
                self.assertEqual(wrapper.wait(), 138, wrapper.err)
                self.assertEqual(log.order(), ['USR1'])
                left = self.told('notice', log_name)[0]['left_ms']
                self.assertLessEqual(left, seconds * 1000)
                self.assertGreater(left, seconds * 1000 - 15_000)

    def test_empty_garbage_and_advice_end_nothing(self):
        wrapper, log = self.begin('file:' + self.path('notice'), SAVES)
        for text in ('', ' \n', '{"action":', '<html>', '[]', 'x' * 100_000,
                     '{"action":"rebalance","advice":true}'):
            self.give(text)
            wrapper.fence(log)
            self.assertEqual(log.order(), [], text[:40])
        until('the advice', lambda: 'rebalance' in wrapper.err)
        wrapper.fence(log)
        self.assertEqual(log.order(), [])
        self.give('{"action":"terminate"}')
        self.assertEqual(wrapper.wait(), 138)

    def test_a_file_that_everybody_may_write_is_not_believed(self):
        wrapper, log = self.begin('file:' + self.path('notice'), SAVES)
        os.rename(self.write('new', '{"action":"terminate"}', 0o666), self.path('notice'))
        until('a complaint', lambda: 'written by everybody' in wrapper.err)
        wrapper.fence(log)
        self.assertEqual(log.order(), [])


class Latency(CloudTest):
    """The best of a few runs, on a machine with other work; each figure is printed."""

    def took(self, cloud, pause, serial):
        server = self.serve(cloud)
        where = source(cloud, server, poll=f'{POLL_MS}ms')
        wrapper, log = self.begin(where, SAVES, log=f'{cloud}{serial}')
        if cloud == 'gce':
            until('hanging requests', lambda: len(server.asked('wait_for_change')) == 2)
        else:
            self.asks(server, cloud)
            time.sleep(pause)  # another place between two questions
        given = server.notice()
        got = log.wait_for('USR1')[0].at / 1e9
        self.assertEqual(wrapper.wait(), 138)
        if cloud == 'gce':
            given = server.asked('preempted?')[-1].answered
        return (got - given) * 1000

    def test_from_the_notice_to_the_handler(self):
        for cloud, most in (('ec2', POLL_MS + 50), ('azure', POLL_MS + 50), ('gce', 50)):
            with self.subTest(cloud=cloud):
                took = sorted(self.took(cloud, n * POLL_MS / RUNS / 1000, n) for n in range(RUNS))
                print(f'{cloud}: notice to handler', ', '.join(f'{ms:.1f}' for ms in took), 'ms')
                self.assertGreater(took[0], 0)
                self.assertLess(took[0], most)
                self.assertLess(took[-1], most + 1000)


if __name__ == '__main__':
    main()
