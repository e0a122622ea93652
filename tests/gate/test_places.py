#!/usr/bin/env python3
"""--stagger in an array of Slurm's, at a terminal, at the first moment: which place a task has, and
what becomes of the signals that come while it waits."""
import os
import re
import shutil
import signal
import time

from gates import GateTest, main

from processes import LIMIT, children, until
from terminal import CTRL_C, Terminal
from wrapper import BINARY, FAST_BINARY

JOB = {'SLURM_JOB_ID': '4711', 'SLURM_JOBID': '4711', 'SLURM_CONF': '/nowhere/slurm.conf'}
ONE_HOUR = ('--stagger', '1h', '--index', '1', '--count', '2')


def array(task, first, last, step='1', **more):
    return {**JOB, 'SLURM_ARRAY_JOB_ID': '4700', 'SLURM_ARRAY_TASK_ID': task,
            'SLURM_ARRAY_TASK_MIN': first, 'SLURM_ARRAY_TASK_MAX': last,
            'SLURM_ARRAY_TASK_STEP': step, **more}


class Places(GateTest):
    def setUp(self):
        super().setUp()
        self.stepd = self.path('slurmstepd')
        shutil.copy('/bin/sh', self.stepd)

    def dry_run(self, *options, script='"$0" "$@"; exit $?', env):
        """Below a process named slurmstepd: SLURM_* count only there."""
        wrapper = self.call('--dry-run', '--stagger', '100s', *options, '--', 'false',
                            prefix=[self.stepd, '-c', script], env=self.environ(**env))
        self.assertEqual((wrapper.status, wrapper.err), (0, ''))
        delay, remark = re.fullmatch(r'start after ([0-9.]+) s \((.*)\)\n', wrapper.out).groups()
        return float(delay), remark

    def test_which_task_it_is(self):
        rows = (
            ('the first', array('0', '0', '9'), (0, 10), 'task 1 of 10'),
            ('the last', array('9', '0', '9'), (90, 100), 'task 10 of 10'),
            ('from 1', array('5', '1', '10'), (40, 50), 'task 5 of 10'),
            ('a step', array('14', '10', '18', '2'), (40, 60), 'task 3 of 5'),
            ('with gaps', array('5', '1', '20'), (20, 25), 'task 5 of 20'),
            ('outside', array('20', '0', '9'), (0, 100), 'no array'),
            ('half of it', array('3', '', '9'), (0, 100), 'no array'),
            ('no array', JOB, (0, 100), 'no array'),
            ('requeued', array('9', '0', '9', SLURM_RESTART_COUNT='2'), (0, 30), 'restarted alone'),
        )
        for name, env, (low, high), remark in rows:
            with self.subTest(name):
                delay, said = self.dry_run(env=env)
                self.assertIn(f'--stagger 1m40s, {remark}', said)
                self.assertGreaterEqual(delay, low)
                self.assertLess(delay, high)

    def test_index_and_count_win_over_slurms(self):
        delay, said = self.dry_run('--index', '0', '--count', '4', env=array('9', '0', '9'))
        self.assertIn('task 1 of 4', said)
        self.assertLess(delay, 25)

    def test_all_ranks_of_a_task_wait_alike_and_another_job_does_not(self):
        def delay(**more):
            return self.dry_run(env=array('3', '0', '9', **more))[0]
        ranks = {delay(SLURM_STEP_ID='0', SLURM_PROCID=rank) for rank in ('0', '1', '2')}
        self.assertEqual(len(ranks), 1)
        self.assertNotIn(delay(SLURM_ARRAY_JOB_ID='4800'), ranks)

    def test_a_rank_does_not_wait_for_ever_for_a_rank_0_that_says_nothing(self):
        env = self.environ(**array('3', '0', '9', SLURM_STEP_ID='0', SLURM_PROCID='1',
                                   SLURM_STEP_NUM_TASKS='2'))
        wrapper = self.behind('--start-rate', '10/s', '--max-delay', '1s', env=env,
                              binary=FAST_BINARY,
                              prefix=[self.stepd, '-c', '"$0" "$@"; exit $?'])
        self.assertEqual(wrapper.wait(), 0)
        self.assertIn('rank 0 of the step has said nothing', wrapper.err)

    def test_a_variable_of_a_job_that_is_over_does_not_count(self):
        wrapper = self.call('--dry-run', '--stagger', '100s', '--', 'false',
                            env=self.environ(**array('9', '0', '9')))
        self.assertIn('no array', wrapper.out)

    def test_what_slurm_sent_while_it_waited_has_not_reached_the_trainer_yet(self):
        # Under linuxproc slurmstepd signals our descendants itself; but there were none.
        conf = self.write('slurm.conf', 'ClusterName=c\nProctrackType=proctrack/linuxproc\n')
        script = ('"$0" "$@" & until [ -e "$GO" ]; do sleep 0.01; done; kill -WINCH $!; '
                  'wait $!; exit $?')
        env = {**JOB, 'SLURM_STEP_ID': '0', 'SLURM_CONF': conf, 'GO': self.path('go')}
        wrapper = self.start('--stagger', '3s', '--index', '2', '--count', '3', '--journal',
                             self.path('journal'), '--', 'sleep', '0.1',
                             prefix=[self.stepd, '-c', script], env=self.environ(**env))
        self.wait_line(wrapper)
        self.write('go', '')
        self.assertEqual(wrapper.wait(), 0)
        events = self.journal()
        [start] = [e for e in events if e['event'] == 'start']
        verdicts = [e['verdict'] for e in events if e['event'] == 'pass' and e['signal'] == 'WINCH']
        self.assertEqual(verdicts, ['kept', 'passed'])
        [sent] = [e for e in events if e['event'] == 'sent']
        self.assertEqual(sent['to'], [start['trainer']])

    def test_gpus(self):
        rows = (({'SLURM_GPUS_ON_NODE': '1'}, ', holding 1 GPU\n'),
                ({'SLURM_GPUS_ON_NODE': '4', 'CUDA_VISIBLE_DEVICES': '0'}, ', holding 4 GPUs\n'),
                ({'CUDA_VISIBLE_DEVICES': 'GPU-1a,GPU-2b'}, ', holding 2 GPUs\n'),
                ({'CUDA_VISIBLE_DEVICES': '-1'}, 'task 2 of 2\n'),
                ({'CUDA_VISIBLE_DEVICES': 'NoDevFiles'}, 'task 2 of 2\n'),
                ({}, 'task 2 of 2\n'))
        for env, said in rows:
            with self.subTest(env=env):
                wrapper = self.start(*ONE_HOUR, '--', 'true', env=self.environ(**env))
                self.wait_line(wrapper)
                self.assertTrue(wrapper.err.endswith(said), wrapper.err)
                wrapper.signal('TERM')
                self.assertEqual(wrapper.wait(), 143)


class Waiting(GateTest):
    def test_no_delay_is_no_wait(self):
        wrapper = self.call('--stagger', '0', '--', *self.stamp())
        self.assertEqual(wrapper.status, 0)
        self.assertEqual(len(self.starts()), 1)
        self.assertNotIn('start in', wrapper.err)

    def test_a_dry_run_needs_no_command_and_starts_none(self):
        wrapper = self.call('--dry-run', *ONE_HOUR)
        self.assertEqual((wrapper.status, wrapper.err), (0, ''))
        for env in ({}, {'PREEMPT_WRAP_BYPASS': '1'}):
            with self.subTest(env=env):
                wrapper = self.call('--dry-run', *ONE_HOUR, '--', *self.stamp(),
                                    env=self.environ(**env))
                self.assertRegex(wrapper.out, r'^start after \d+\.\d{3} s \(.*task 2 of 2\)$')
        self.assertEqual(self.starts(), [])

    def test_a_notice_at_the_first_moment_ends_the_wait(self):
        # Sent before the wrapper is executed; what is blocked over exec stays pending.
        for name, status in (('USR1', 138), ('HUP', 129)):
            with self.subTest(name):
                number = getattr(signal, 'SIG' + name)

                def before():
                    signal.pthread_sigmask(signal.SIG_BLOCK, [number])
                    sender = os.fork()  # what we cause ourselves does not count
                    if sender == 0:
                        os.kill(os.getppid(), number)
                        os._exit(0)
                    os.waitpid(sender, 0)
                wrapper = self.start(*ONE_HOUR, '--', *self.stamp(), before=before)
                self.assertEqual(wrapper.wait(), status)
        self.assertEqual(self.starts(), [])

    def test_the_wait_ends_at_once(self):
        wrapper = self.start(*ONE_HOUR, '--', *self.stamp())
        self.wait_line(wrapper)
        begin = time.monotonic()
        wrapper.signal('USR1')
        self.assertEqual(wrapper.wait(), 138)
        self.assertLess(time.monotonic() - begin, 2)
        self.assertRegex(wrapper.err, 'notice USR1 from .*nothing was started')

    def test_what_came_meanwhile_reaches_the_trainer(self):
        wrapper = self.start('--stagger', '3s', '--index', '2', '--count', '3', '--journal',
                             self.path('journal'), '--', *self.trainer('WINCH=log', 'ALRM=exit:7'),
                             before=lambda: signal.pthread_sigmask(signal.SIG_BLOCK,
                                                                   [signal.SIGWINCH]))
        self.wait_line(wrapper)
        wrapper.signal('WINCH')
        until('the journal to say so', lambda: os.path.exists(self.path('journal')) and [
            e for e in self.journal() if e.get('verdict') == 'kept'])
        self.log().ready()
        # Blocked at the start, it is still there when the handler is.
        wrapper.signal('ALRM')
        self.assertEqual(wrapper.wait(), 7)
        passed = [e['event'] for e in self.journal() if e['event'] in ('stagger', 'pass', 'start')]
        self.assertEqual(passed[:2], ['stagger', 'pass'])

    def test_in_front_of_srun_too(self):
        # Once it runs HUP would SIGKILL its step and is withheld; before that it can harm nobody.
        self.write('bin/srun', f'#!/bin/sh\necho started > {self.path("started")}\n', 0o755)
        env = self.environ(PATH=f'{self.path("bin")}:{os.environ["PATH"]}')
        for name, status in (('HUP', 129), ('INT', 130), ('TERM', 143)):
            with self.subTest(name):
                wrapper = self.start(*ONE_HOUR, '--', 'srun', 'true', env=env)
                self.wait_line(wrapper)
                wrapper.signal(name)
                self.assertEqual(wrapper.wait(), status)
        self.assertFalse(os.path.exists(self.path('started')))

    def test_ctrl_c(self):
        # Tests in the background of a script would inherit INT ignored.
        terminal = Terminal(['env', '--default-signal=INT', 'bash', '--norc', '-c',
                             f'{BINARY} {" ".join(ONE_HOUR)} -- true; echo status=$?; exit 3'],
                            self.environ())
        self.addCleanup(terminal.close)
        terminal.expect('start in')
        terminal.type(CTRL_C)
        # We die of it, as `sleep` would: bash ends its script.
        self.assertEqual(terminal.wait(), -signal.SIGINT)
        self.assertNotIn('status=', terminal.shown())

    def test_hup_under_nohup_is_ignored_as_before(self):
        wrapper = self.start(*ONE_HOUR, '--', 'true',
                             before=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        self.wait_line(wrapper)
        wrapper.signal('HUP')
        wrapper.signal('TERM')
        self.assertEqual(wrapper.wait(), 143)

    def test_nothing_runs_beside_a_waiting_run(self):
        wrapper = self.start(*ONE_HOUR, '--', 'true')
        self.wait_line(wrapper)
        self.assertEqual(children(wrapper.pid), {})
        wrapper.signal('TERM')
        self.assertEqual(wrapper.wait(LIMIT), 143)


if __name__ == '__main__':
    main()
