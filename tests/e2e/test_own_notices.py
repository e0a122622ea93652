"""Notices that nobody sends: --notice-after, --notice-before-end; and what the start line and the
first moments say of what cannot work."""
import os
import signal
import time

from processes import children, until
from stand_in_job import STEP, JobTest
from wrapper import FAST_BINARY, main

SIGNAL = '#SBATCH --signal=USR1@90\n'
APPENDS = {'SLURM_OPEN_MODE': 'a'}
WRITTEN = (  # what was asked for, the batch script, the environment, what is said
    (['--requeue', 'auto'], SIGNAL, APPENDS, []),
    (['--requeue', 'auto'], SIGNAL, {}, ['without sbatch --open-mode=append']),
    (['--requeue', 'auto'], '', {'SLURM_OPEN_MODE': 't'},
     ['without sbatch --open-mode=append', 'has no --signal']),
    ([], '', {}, ['has no --signal']),
    (['--notice-before-end', '90s'], '', {}, []),
    (['--notice-before-end', '90s'], SIGNAL, {}, ['has a --signal']),
)
SAID = ('has a --signal', 'without sbatch --open-mode=append', 'has no --signal', 'may not be requeued',
        'is longer than')


def name_of(pid):
    try:
        with open(f'/proc/{pid}/comm', encoding='ascii') as file:
            return file.read().strip()
    except OSError:
        return ''


class OwnNotices(JobTest):
    def notice(self):
        line, = self.told('notice')
        return line

    def test_our_own_time_limit_gives_usr1_and_a_minute(self):
        shell, log = self.start_ready(['--notice-after', '200ms', '--journal',
                                       self.path('journal')], 'USR1=save:100:138')
        self.assertEqual(shell.wait(), 138)
        notice = self.notice()
        self.assertEqual((notice['source'], notice['signal']), ('own-limit', 'USR1'))
        self.assertAlmostEqual(notice['kill_in_ms'], 60_000, delta=100)
        self.assertEqual(log.order(), ['USR1'])
        self.assertEqual(self.outcome(), 'preempted')

    def test_without_a_handler_it_is_term_when_the_hold_ends(self):
        shell, log = self.start_ready(['--notice-after', '1s', '--hold', '1s'], 'TERM=save:1:143',
                                      binary=FAST_BINARY)
        self.assertEqual(shell.wait(), 143)
        self.assertEqual(log.order(), ['TERM'])

    def test_the_signal_is_ours_to_choose(self):
        shell, log = self.start_ready(['--notice-after', '200ms', '--notice-as', 'RTMIN+3'],
                                      'RTMIN+3=save:1:165', 'USR1=log')
        self.assertEqual(shell.wait(), 165)
        self.assertEqual(len(log.got('RTMIN+3')), 1)

    def test_a_grace_of_the_users_holds_for_it(self):
        shell, log = self.start_ready(
            ['--notice-after', '200ms', '--grace', '1s', '--stragglers', '1s'], 'USR1=log')
        self.assertEqual(shell.wait(), 137)
        self.assertEqual(log.order(), ['USR1'])

    def test_the_own_limit_comes_back_and_says_why(self):
        options = ['--notice-after', '200ms', '--requeue', 'auto', '--state-dir',
                   self.path('state'), '--on-notice', f'echo $PREEMPT_CAUSE >{self.path("cause")}']
        self.says('RUNNING', end=7200)
        shell, _ = self.run_in_job(options, 'USR1=save:100:138')
        self.assertEqual(shell.wait(), 138)
        self.assertEqual(len(self.calls('requeue')), 1)
        self.assertEqual(self.told('requeue')[0]['cause'], 'own-limit')
        with open(self.path('cause'), encoding='ascii') as file:
            self.assertEqual(file.read(), 'own-limit\n')

    def test_before_the_end_within_100_ms(self):
        """Never early, and as late as this machine wakes somebody who sleeps."""
        self.says('RUNNING', end=15)
        with open(self.path('answer'), encoding='ascii') as file:
            end = next(int(word[8:]) for word in file.read().split()
                       if word.startswith('EndTime='))
        shell, _ = self.run_in_job(['--notice-before-end', '12s'], 'USR1=save:1:138')
        time.sleep(max(end - 12 - time.time(), 0))
        late = time.time() - (end - 12)
        self.assertEqual(shell.wait(), 138)
        told = self.notice()
        self.assertEqual(told['source'], 'job-end')
        self.assertAlmostEqual(told['left_ms'], (12 + 30 - 0.3) * 1000, delta=1000 * late + 100)
        came = self.log().got('USR1')[0].at / 1e9 - time.monotonic() + time.time()
        self.assertGreater(came, end - 12 - 0.002)  # two clocks are read one after the other
        self.assertLess(came, end - 12 + 0.1 + late)

    def test_a_limit_that_was_extended_is_asked_for_before_it_acts(self):
        """It would have been told before the second question that follows."""
        self.says('RUNNING', end=600)
        shell, _ = self.run_in_job(['--notice-before-end', '500s'], 'USR1=save:1:138',
                                   binary=FAST_BINARY)
        until('the first question', lambda: self.calls('show'))
        self.says('RUNNING', end=1000)
        until('three more questions', lambda: len(self.calls('show')) >= 4)
        self.assertTrue(shell.running())
        self.assertNotIn('notice', [line['event'] for line in self.journal()])
        self.says('RUNNING', end=400)
        self.assertEqual(shell.wait(), 138)

    def test_a_stale_variable_is_no_end_where_slurm_answers(self):
        """SLURM_JOB_END_TIME of a step that starts after the limit was changed."""
        stale = int(time.time()) + 60
        self.says('RUNNING', end=7200)
        shell, wrapper = self.run_in_job(['--notice-before-end', '90s'], 'USR1=log',
                                         env={'SLURM_JOB_END_TIME': str(stale)})
        until('the question', lambda: self.calls('show'))
        self.assert_no_notice_by_its_answer(shell, wrapper)

    def assert_no_notice_by_its_answer(self, shell, wrapper):
        """WINCH is dealt with after the answer, and after the notice that might have come of it."""
        until('its answer', lambda: not self.asks(wrapper))
        os.kill(wrapper, signal.SIGWINCH)
        self.log().wait_for('WINCH')
        self.assertEqual(self.log().order(), [])
        os.kill(self.log().ready(), signal.SIGKILL)
        shell.wait()

    def test_a_limit_that_was_shortened_before_the_start(self):
        self.says('RUNNING', end=20)
        shell, _ = self.run_in_job(['--notice-before-end', '18s'], 'USR1=save:1:138',
                                   env={'SLURM_JOB_END_TIME': str(int(time.time()) + 7200)})
        self.assertEqual(shell.wait(), 138)

    def test_suspended_it_asks_before_it_acts(self):
        """On the fast clock: a minute to the notice, ten minutes asleep, and an end moved away."""
        self.says('RUNNING', end=200)
        shell, wrapper = self.run_in_job(['--notice-before-end', '140s'], 'USR1=save:1:138',
                                         binary=FAST_BINARY)
        until('the first question', lambda: self.calls('show'))
        until('its answer', lambda: not self.asks(wrapper))
        os.kill(wrapper, signal.SIGSTOP)
        slept = self.uptime() + 600
        until('ten minutes of its clock', lambda: self.uptime() > slept)
        self.says('RUNNING', end=20000)
        asked = len(self.calls('show'))
        os.kill(wrapper, signal.SIGCONT)
        until('a question', lambda: len(self.calls('show')) > asked)
        self.assert_no_notice_by_its_answer(shell, wrapper)

    def test_a_slurm_that_is_not_heard_gives_no_notice_and_is_asked_again(self):
        self.write('fails', '')
        shell, _ = self.run_in_job(['--notice-before-end', '1000s'], 'USR1=save:1:138',
                                   binary=FAST_BINARY)
        until('two questions', lambda: len(self.calls('show')) >= 3)
        self.assertTrue(shell.running())
        self.assertIn('scontrol show job exited 1; it is asked again', shell.err)
        os.remove(self.path('fails'))
        self.assertEqual(shell.wait(), 138)

    def test_the_end_comes_near_while_it_waits_at_the_gate(self):
        gate = self.path('gate')
        self.assertEqual(self.start('--gate', gate, '--start-rate', '1/s', 'true').wait(), 0)
        pause = self.start('gate', 'pause', gate)
        self.assertEqual(pause.wait(), 0, pause.err)
        self.says('RUNNING', end=100)
        options = ['--gate', gate, '--start-rate', '1/s', '--notice-before-end', '200s',
                   '--requeue', 'auto', '--state-dir', self.path('state')]
        shell = self.start('--journal', self.path('journal'), *options, '--', 'true',
                           env={**self.job_environ(), **STEP},
                           prefix=[self.stepd, '-c', '"$0" "$@"; exit $?'])
        self.assertEqual(shell.wait(), 143)
        self.assertEqual(len(self.calls('requeue')), 1)

    def test_outside_a_job_there_is_no_end(self):
        shell, _ = self.start_ready(['--notice-before-end', '90s'], 'USR1=exit:138')
        self.assertIn('this is no Slurm job', shell.err)
        shell.signal('USR1')
        self.assertEqual(shell.wait(), 138)

    # ---- what cannot work

    def test_what_the_batch_script_leaves_out_is_said_once_by_the_first_run(self):
        for options, script, env, want in WRITTEN:
            with self.subTest(options=options, script=script, env=env):
                self.assertEqual(self.said(options, script, env), want)
        again = {'SLURM_RESTART_COUNT': '1'}
        self.assertEqual(self.said(['--requeue', 'auto'], '', env=again, looks=False), [])
        late = {'SLURM_ARRAY_JOB_ID': '4711', 'SLURM_ARRAY_TASK_ID': '2',
                'SLURM_ARRAY_TASK_MIN': '1'}
        self.assertEqual(self.said(['--requeue', 'auto'], '', env=late, looks=False), [])

    def test_a_job_that_may_not_be_requeued(self):
        self.says('RUNNING', end=90, Requeue=0)
        self.assertEqual(self.said(['--requeue', 'auto'], SIGNAL, APPENDS),
                         ['may not be requeued'])
        self.assertEqual(self.said([], SIGNAL), [])

    def test_a_grace_that_is_longer_than_what_is_left(self):
        self.assertEqual(self.said(['--notice-before-end', '60s', '--grace', '80s'], ''), [])
        self.assertEqual(self.said(['--notice-before-end', '40s', '--grace', '80s'], ''),
                         ['is longer than'])

    def said(self, options, script, env=None, looks=True):
        """What one run says of its job; it ends when it has looked at it, or would have."""
        self.write('script', '#!/bin/sh\n' + script)
        for name in ('trainer.log', 'journal', 'calls'):
            if os.path.exists(self.path(name)):
                os.remove(self.path(name))
        shell, wrapper = self.run_in_job(options, binary=FAST_BINARY, env={**STEP, **(env or {})})
        if looks:
            until('the look at the script', lambda: self.calls('write'))
            until('its end', lambda: not self.asks(wrapper))
        else:
            until('ten seconds of its clock', lambda: self.uptime() > 10)
            self.assertEqual(self.calls('write'), [])
        os.kill(self.log().ready(), signal.SIGKILL)
        shell.wait()
        return [text for text in SAID if text in shell.err]

    @staticmethod
    def asks(wrapper):
        return any(name_of(pid) in ('scontrol', 'cat') for pid in children(wrapper))

    def uptime(self):
        start = self.journal()[0]
        return (time.monotonic_ns() - self.log().of('ready')[0].at) / 1e9 * 60 if start else 0


if __name__ == '__main__':
    main()
