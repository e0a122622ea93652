"""Hooks run beside the relay, know why, and never delay or outlive the wrapper for long."""
import os
import time

from processes import alive, until
from wrapper import FAST_BINARY, WrapperTest, main, probe


def variables(path):
    with open(path, encoding='utf-8') as file:
        pairs = [line.split('=', 1) for line in file.read().splitlines() if '=' in line]
    return {name: value for name, value in pairs if name.startswith('PREEMPT_')}


class OnNotice(WrapperTest):
    def test_it_is_told_why(self):
        rows = [
            # name, notice, options, does the deadline have a value
            ('USR1', 'USR1', [], None),
            ('TERM', 'TERM', [], None),
            ('with a deadline', 'USR1', ['--lead', '60s'], True),
        ]
        for index, (name, notice, options, deadline) in enumerate(rows):
            with self.subTest(name):
                told, log = self.path(f'told{index}'), f'trainer{index}'
                wrapper = self.start('--on-notice', f'env >{told}.new; mv {told}.new {told}',
                                     *options, '--', *self.trainer(f'{notice}=save:500:4', log=log))
                self.log(log).ready()
                wrapper.signal(notice)
                self.assertEqual(wrapper.wait(), 4)
                env = variables(told)
                self.assertIn(env['PREEMPT_SIGNAL'], (notice, 'SIG' + notice))
                self.assertTrue(env['PREEMPT_CAUSE'])
                if deadline:
                    self.assertTrue(env['PREEMPT_DEADLINE'])

    def test_once_per_episode(self):
        count = self.path('count')
        wrapper, log = self.start_ready(['--on-notice', f'echo x >>{count}'],
                                        'USR1=log', 'USR2=log', 'ALRM=exit:4')
        for name in ('USR1', 'USR1', 'USR2'):
            wrapper.signal(name)
            wrapper.fence(log)
        until('the hook', lambda: os.path.exists(count))
        wrapper.signal('ALRM')
        wrapper.wait()
        with open(count, encoding='ascii') as file:
            self.assertEqual(file.read(), 'x\n')

    def test_not_without_a_notice(self):
        ran = self.path('ran')
        wrapper, log = self.start_ready(['--on-notice', f'touch {ran}'], 'HUP=exit:4')
        wrapper.signal('HUP')
        self.assertEqual(wrapper.wait(), 4)
        self.assertFalse(os.path.exists(ran))
        self.assertEqual(log.order(), ['HUP'])

    def test_a_hook_that_hangs_delays_neither_relay_nor_kill(self):
        # 10 s are a sixth of a second here: time enough for the trainer to note what it got.
        wrapper, log = self.start_ready(['--on-notice', 'sleep 300', '--grace', '10s'],
                                        'all=log', binary=FAST_BINARY)
        wrapper.signal('USR1')
        log.wait_for('USR1', seconds=5)
        trainer = log.ready()
        until('the KILL', lambda: not alive(trainer), 5)
        # Its time limit passes 60 times faster here.
        self.assertEqual(wrapper.wait(), 137)
        self.assert_nothing_left()

    def test_a_hook_is_not_of_the_tree(self):
        # Neither a target of --to tree, nor a straggler that gets TERM when the trainer ends.
        wrapper = self.start(
            '--to', 'tree', '--stragglers', '50ms', '--on-notice',
            f'exec {probe("trainer")} {self.path("hook.log")} 10=log 15=log end=700:0',
            '--', *self.trainer('USR1=save:50:4'))
        self.log().ready()
        wrapper.signal('USR1')
        self.log('hook').ready()
        wrapper.signal('USR1')
        self.assertEqual(wrapper.wait(), 4)
        self.assertEqual(self.log('hook').of('got'), [])

    def test_a_hook_that_hangs_does_not_make_us_miss_the_deadline(self):
        # Be done a margin before it; the trainer is, its hook is not.
        wrapper, _ = self.start_ready(['--lead', '3s', '--on-notice', 'sleep 9'], 'USR1=exit:0')
        begin = time.monotonic()
        wrapper.signal('USR1')
        self.assertEqual(wrapper.wait(), 0)
        self.assertLess(time.monotonic() - begin, 3)
        self.assert_nothing_left()

    def test_what_a_hook_leaves_behind_is_not_the_trainer_s(self):
        left = self.path('left')
        hook = f'sleep 20 & echo $! >{left}.new; mv {left}.new {left}; exit 0'
        wrapper, log = self.start_ready(['--on-notice', hook], 'USR1=log', 'ALRM=exit:4')
        wrapper.signal('USR1')
        log.wait_for('USR1')
        until('the hook', lambda: os.path.exists(left))
        with open(left, encoding='ascii') as file:
            sleep = int(file.read())
        until('the end of what the hook left', lambda: not alive(sleep))
        begin = time.monotonic()
        wrapper.signal('ALRM')
        self.assertEqual(wrapper.wait(), 4)
        self.assertLess(time.monotonic() - begin, 3)
        self.assertIn('nothing left behind', wrapper.err)
        self.assertNotIn('left behind by', wrapper.err)
        self.assertFalse(alive(sleep))

    def test_a_hook_that_fails_changes_nothing(self):
        for hook in ('exit 3', 'kill -KILL $$', 'no-such-command-anywhere', 'syntax ( error'):
            with self.subTest(hook):
                log = f'trainer.{len(hook)}'
                wrapper = self.start('--on-notice', hook, '--on-exit', hook, '--',
                                     *self.trainer('USR1=save:100:4', log=log))
                self.log(log).ready()
                wrapper.signal('USR1')
                self.assertEqual(wrapper.wait(), 4)

    def test_what_a_hook_prints_is_not_on_standard_output(self):
        wrapper = self.call('--on-exit', 'echo hook', '--', 'echo', 'trainer')
        self.assertEqual(wrapper.out, 'trainer\n')

    def test_a_hook_starts_without_our_mask_and_descriptors(self):
        file = self.path('state.json')
        self.assertEqual(self.call('--journal', self.path('journal'), '--on-exit',
                                   f'exec {probe("state")} {file}', '--', 'true').status, 0)
        with open(file, encoding='ascii') as text:
            state = text.read()
        self.assertIn('"blocked": []', state)
        fds = state[state.index('"fds"'):state.index('}')]
        self.assertNotIn('"3"', fds)


class OnExit(WrapperTest):
    def test_it_runs_at_the_end_with_and_without_a_notice(self):
        for notice in (None, 'USR1'):
            with self.subTest(notice=notice):
                told, log = self.path(f'told{notice}'), f'trainer{notice}'
                rules = ['end=50:4'] if notice is None else ['USR1=save:50:4']
                wrapper = self.start('--on-exit', f'env >{told}', '--',
                                     *self.trainer(*rules, log=log))
                self.log(log).ready()
                if notice:
                    wrapper.signal(notice)
                self.assertEqual(wrapper.wait(), 4)
                env = variables(told)
                if notice:
                    self.assertIn(env['PREEMPT_SIGNAL'], (notice, 'SIG' + notice))

    def test_after_the_trainer_and_what_it_left(self):
        left = self.path('left.log')
        # A zombie, not reaped yet, is gone, too.
        hook = (f'case "$(ps -o stat= -p $(cut -d" " -f2 {left} | head -n 1))" in '
                f'""|Z*) touch {self.path("gone")};; esac')
        script = '"$0" "$1" 15=exit:0 & until [ -s "$1" ]; do :; done; exit 5'
        wrapper = self.call('--on-exit', hook, '--', 'bash', '-c', script, probe('trainer'), left)
        self.assertEqual(wrapper.status, 5)
        self.assertTrue(os.path.exists(self.path('gone')))

    def test_its_end_is_waited_for(self):
        done = self.path('done')
        self.call('--on-exit', f'sleep 0.3; touch {done}', '--', 'true')
        self.assertTrue(os.path.exists(done))

    def test_but_not_for_ever(self):
        begin = time.monotonic()
        wrapper = self.call('--on-exit', 'sleep 300', '--', 'sh', '-c', 'exit 4',
                            binary=FAST_BINARY)
        self.assertEqual(wrapper.status, 4)
        self.assertLess(time.monotonic() - begin, 15)
        self.assert_nothing_left()


if __name__ == '__main__':
    main()
