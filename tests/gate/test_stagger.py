#!/usr/bin/env python3
"""--stagger: no files, repeatable, interruptible; and what start control needs of its options."""
import re

from gates import GateTest, main

MISTAKES = (  # options, what the complaint says
    (['--start-rate', '0'], 'is no rate'),
    (['--start-rate', '-1/s'], 'is no rate'),
    (['--start-rate', '5/parsec'], 'is no rate'),
    (['--start-rate', '5'], 'is no rate'),
    (['--max-starting', '0'], 'no number from 1'),
    (['--max-starting', '41'], 'no number from 1 to 40'),
    (['--start-rate', '5/s'], 'needs --gate'),
    (['--gate', '/nowhere'], 'needs --start-rate or --max-starting'),
    (['--gate', '/nowhere', '--max-starting', '2'], 'needs --ready'),
    (['--index', '3'], 'needs --count'),
    (['--count', '3'], 'needs --index'),
    (['--index', '3', '--count', '3'], 'is not below --count 3'),
    (['--stagger', 'soon'], 'is no duration'),
    (['--stopped-exit', '256'], 'no exit status'),
    (['--gate-unit', 'node'], 'none of task, rank'),
)


class Stagger(GateTest):
    def delay(self, *options, **env):
        wrapper = self.call('--dry-run', *options, '--', 'false', env=self.environ(**env))
        self.assertEqual((wrapper.status, wrapper.err), (0, ''))
        return float(re.match(r'start after ([0-9.]+) s', wrapper.out)[1])

    def test_mistakes_start_nothing(self):
        for options, complaint in MISTAKES:
            with self.subTest(options=options):
                wrapper = self.call(*options, '--', 'touch', self.path('started'))
                self.assertEqual(wrapper.status, 125)
                self.assertIn(complaint, wrapper.err)
                self.assertRaises(FileNotFoundError, open, self.path('started'))

    def test_all_mistakes_at_once(self):
        wrapper = self.call('--start-rate', '0', '--max-starting', '0', '--index', '1', '--', 'true')
        self.assertEqual(len(wrapper.err.splitlines()), 3, wrapper.err)

    def test_each_task_has_its_own_part_of_the_window(self):
        for index in range(10):
            delay = self.delay('--stagger', '100s', '--index', str(index), '--count', '10')
            self.assertGreaterEqual(delay, 10 * index)
            self.assertLess(delay, 10 * (index + 1))

    def test_it_is_repeatable(self):
        options = ('--stagger', '1h', '--index', '3', '--count', '7')
        self.assertEqual(self.delay(*options), self.delay(*options))

    def test_without_an_array_it_is_within_the_window(self):
        self.assertLess(self.delay('--stagger', '5s'), 5)

    def test_nothing_is_waited_for_by_default(self):
        wrapper = self.call('--log-level', 'debug', '--', 'true')
        self.assertEqual(wrapper.status, 0)
        self.assertNotIn('start in', wrapper.err)

    def test_it_waits_and_says_so_once(self):
        wrapper = self.call('--stagger', '2s', '--index', '1', '--count', '2',
                            '--journal', self.path('journal'), '--', *self.stamp(),
                            env=self.environ(CUDA_VISIBLE_DEVICES='0,1'))
        self.assertEqual(wrapper.status, 0)
        self.assertEqual(len(self.starts()), 1)
        self.assertRegex(wrapper.err, r'start in [12]\.\d s: --stagger 2s, task 2 of 2, holding 2 GPUs')
        [line] = [e for e in self.journal() if e['event'] == 'stagger']
        self.assertEqual((line['index'], line['count']), (1, 2))
        self.assertGreaterEqual(line['delay_ms'], 1000)

    def test_the_plan_of_a_gate(self):
        wrapper = self.call('gate', 'plan', '--tasks', '600', '--start-rate', '5/s',
                            '--max-starting', '16', '--startup', '20s')
        self.assertEqual((wrapper.status, wrapper.err), (0, ''))
        self.assertRegex(wrapper.out, r'in start-up     16 at most')
        # 600 x 20 s / 16 places; nobody can be faster.
        self.assertRegex(wrapper.out, r'makespan +12m[1-5]\ds')
        rate = self.call('gate', 'plan', '--tasks', '100', '--start-rate', '5/s').out
        self.assertRegex(rate, r'makespan +19\.?\d* s|makespan +20 s')
        for options in (['--tasks', '0', '--start-rate', '1/s'], ['--tasks', '5'],
                        ['--tasks', '5', '--max-starting', '3'], ['--tasks', '5', '--start-rate', '0']):
            self.assertEqual(self.call('gate', 'plan', *options).status, 125, options)

    def test_a_signal_ends_the_wait(self):
        rows = (([], 'TERM', 143), ([], 'USR1', 138), ([], 'HUP', 129), ([], 'ALRM', 142),
                ([], 'RTMIN+1', 163), (['--notice', 'none'], 'TERM', 143),
                (['--notice', 'none'], 'USR2', 140))
        for options, name, status in rows:
            with self.subTest(signal=name, options=options):
                wrapper = self.start(*options, '--stagger', '1h', '--index', '1', '--count', '2',
                                     '--', *self.stamp())
                self.wait_line(wrapper)
                wrapper.signal(name)
                self.assertEqual(wrapper.wait(), status)
        self.assertEqual(self.starts(), [])

    def test_what_ends_no_process_does_not_end_the_wait(self):
        wrapper = self.start('--stagger', '1h', '--index', '1', '--count', '2', '--', *self.stamp())
        self.wait_line(wrapper)
        for name in ('CONT', 'WINCH', 'URG', 'CHLD'):
            wrapper.signal(name)
        wrapper.signal('TERM')
        self.assertEqual(wrapper.wait(), 143)


if __name__ == '__main__':
    main()
