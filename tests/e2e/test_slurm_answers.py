"""What slurmctld says of the job decides: when it ends, why, whether it comes back."""
import os
import signal
import time

from notify import Voice, variables_of
from processes import until
from stand_in_job import SCONTROL, TWO_RANKS, JobTest
from wrapper import FAST_BINARY, main


def processor_seconds(pid):
    with open(f'/proc/{pid}/stat', encoding='ascii', errors='replace') as file:
        fields = file.read().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


class SlurmAnswers(JobTest):
    # ---- the end

    def test_a_notice_far_from_the_end_is_advice_and_who_leaves_for_it_was_preempted(self):
        self.says('RUNNING', end=7200)
        shell, wrapper = self.run_in_job([], 'USR1=save:300:138')
        os.kill(wrapper, signal.SIGUSR1)
        self.assertEqual(shell.wait(), 138)
        self.assertEqual((self.outcome(), self.told('cause')[0]['cause']), ('preempted', 'by-hand'))

    def test_a_preemption_is_no_advice_however_long_its_grace(self):
        self.says('RUNNING', end=7200, PreemptTime=int(time.time()))
        shell, wrapper = self.run_in_job(['--exit-preempted', '85'], 'TERM=save:300:0')
        os.kill(wrapper, signal.SIGTERM)
        self.assertEqual(shell.wait(), 85)

    def test_each_notice_that_begins_something_is_asked_about(self):
        self.says('RUNNING', end=7200)
        _, wrapper = self.run_in_job([], 'USR1=log', 'USR2=save:1000:140')
        os.kill(wrapper, signal.SIGUSR1)
        self.told('cause')
        self.says('RUNNING', end=90)
        os.kill(wrapper, signal.SIGUSR2)
        causes = self.told('cause', 2)
        self.assertEqual([line['cause'] for line in causes], ['by-hand', 'time-limit'])

    def answers_late(self, seconds=1):
        """What it says is that old: as slurmctld was when it was asked."""
        slow = f'show) answer=$(cat {{folder}}/answer); sleep {seconds}; echo "$answer"; exit ;;'
        text = SCONTROL.replace('show) exec cat {folder}/answer ;;', slow)
        self.write('bin/scontrol', text.format(folder=self.dir), 0o755)

    def test_a_term_that_comes_while_slurm_is_asked_is_asked_about_as_well(self):
        self.answers_late()
        self.says('RUNNING', end=120)
        shell, wrapper = self.run_in_job([], 'USR1=log', 'TERM=log')
        os.kill(wrapper, signal.SIGUSR1)
        until('the question', lambda: self.calls('show'))
        self.says('COMPLETING', end=0)
        os.kill(wrapper, signal.SIGTERM)
        until('the cause', lambda: 'cancel' in [line['cause'] for line in self.told('cause')])
        os.kill(self.log().ready(), signal.SIGKILL)
        shell.wait()

    def test_a_term_that_waits_for_an_answer_costs_no_processor(self):
        self.answers_late(2)
        self.says('RUNNING', end=120)
        _, wrapper = self.run_in_job([], 'USR1=log', 'TERM=log')
        os.kill(wrapper, signal.SIGUSR1)
        until('the question', lambda: self.calls('show'))
        before = processor_seconds(wrapper)
        os.kill(wrapper, signal.SIGTERM)
        self.told('cause')
        self.assertLess(processor_seconds(wrapper) - before, 0.5)

    def test_who_was_not_heard_is_asked_again(self):
        self.write('fails', '')
        self.says('RUNNING', end=20, PreemptTime=int(time.time()))
        _, wrapper = self.run_in_job([], 'TERM=log', binary=FAST_BINARY)
        os.kill(wrapper, signal.SIGTERM)
        until('a second question', lambda: len(self.calls('show')) > 1)
        os.unlink(self.path('fails'))
        self.assertEqual(self.told('cause', 2)[1]['cause'], 'preemption')

    def test_a_term_is_not_lost_when_the_notice_before_it_is_found_to_be_advice(self):
        self.answers_late()
        self.says('RUNNING', end=86400)
        shell, wrapper = self.run_in_job([], 'USR1=log', 'TERM=save:1:143')
        os.kill(wrapper, signal.SIGUSR1)
        until('the question', lambda: self.calls('show'))
        os.kill(wrapper, signal.SIGTERM)
        self.assertEqual(shell.wait(), 143)
        self.assertEqual(self.log().order(), ['USR1', 'TERM'])

    def never_killed_while_it_runs(self):
        """30 s to the end, but no TERM of Slurm's ever comes: on the fast clock its 58 s until our
        SIGKILL are one second."""
        self.says('RUNNING', end=30)
        shell, wrapper = self.run_in_job(['--stragglers', '1s'], 'USR1=log', 'TERM=log',
                                         binary=FAST_BINARY)
        os.kill(wrapper, signal.SIGUSR1)
        self.told('cause')
        return shell, wrapper

    def test_no_sigkill_while_slurm_says_that_the_job_runs(self):
        shell, wrapper = self.never_killed_while_it_runs()
        until('five more questions', lambda: len(self.calls('show')) > 5)
        self.assertTrue(shell.running())
        self.says('COMPLETING', end=0, Reason='TimeLimit')
        os.kill(wrapper, signal.SIGTERM)
        self.assertEqual(shell.wait(), 137)

    def test_no_sigkill_when_slurm_is_heard_no_more_before_its_term(self):
        shell, _ = self.never_killed_while_it_runs()
        self.write('fails', '')
        asked = len(self.calls('show'))
        until('five more questions', lambda: len(self.calls('show')) > asked + 5)
        self.assertTrue(shell.running())

    # ---- what comes back

    def test_why_a_run_stays_away_is_said(self):
        keeps = ['--requeue', 'auto', '--state-dir', self.path('state')]
        rows = ((keeps, 0, 'not requeued: the trainer exited 0, which counts as done'),
                ([*keeps, '--done-file', self.write('done', '')], 0, 'not requeued: the work is done'),
                ([], 138, 'not requeued: --requeue is none'))
        for options, status, line in rows:
            with self.subTest(line):
                for name in ('trainer.log', 'journal'):
                    if os.path.exists(self.path(name)):
                        os.remove(self.path(name))
                self.says('RUNNING', end=90)
                shell, wrapper = self.run_in_job(options, f'USR1=save:300:{status}')
                os.kill(wrapper, signal.SIGUSR1)
                self.assertEqual(shell.wait(), status)
                self.assertIn(line, shell.err)
        self.assertEqual(self.calls('requeue'), [])

    def test_the_code_of_requeue_exit_is_for_the_batch_process_alone(self):
        rows = (('"$0" "$@"; exit $?', 100, 0), ('sh -c \'"$0" "$@"; exit $?\' "$0" "$@"', 138, 1))
        for script, status, calls in rows:
            with self.subTest(script):
                for name in ('calls', 'trainer.log', 'journal'):
                    if os.path.exists(self.path(name)):
                        os.remove(self.path(name))
                self.says('RUNNING', end=90)
                options = ['--requeue', 'auto', '--requeue-exit', '100',
                           '--state-dir', self.path(f'state{status}')]
                shell = self.in_any_depth(options, script)
                self.assertEqual(shell.wait(), status)
                self.assertEqual(len(self.calls('requeue')), calls)

    def in_any_depth(self, options, script):
        shell = self.start('--journal', self.path('journal'), *options, '--',
                           *self.trainer('USR1=save:300:138'), env=self.job_environ(),
                           prefix=[self.stepd, '-c', script])
        self.log().ready()
        start, = self.told('start')
        os.kill(start['pid'], signal.SIGUSR1)
        return shell

    # ---- ranks

    BESIDE = 'SLURM_PROCID=1 sleep 1000 & echo $! >{file}; "$0" "$@"; exit $?'

    def rank_0(self, options, *rules):
        """Beside it runs rank 1, whose PID is returned as well. KillWait is 5 s."""
        file = self.path('rank1')
        conf = {'SLURM_CONF': self.write('slurm.conf', 'KillWait=5\n')}
        shell, wrapper = self.run_in_job(
            ['--requeue', 'auto', '--state-dir', self.path('state'), *options], *rules,
            script=self.BESIDE.format(file=file), env={**TWO_RANKS, **conf})
        with open(file, encoding='ascii') as rank_1:
            return shell, wrapper, int(rank_1.read())

    def test_a_short_wait_for_ranks_lets_no_requeue_end_those_that_save(self):
        shell, wrapper, rank_1 = self.rank_0(['--wait-ranks', '10ms'], 'USR1=exit:138')
        os.kill(wrapper, signal.SIGUSR1)
        until('its wait', lambda: 'waiting for rank 1' in shell.err)
        self.assertNotIn('at most 10 ms', shell.err)
        ended = time.time()
        os.kill(rank_1, signal.SIGKILL)
        self.assertEqual(shell.wait(), 138)
        requeued, = self.calls('requeue')
        self.assertGreater(requeued, ended)

    def test_the_end_of_the_job_ends_the_wait_for_ranks(self):
        shell, wrapper, rank_1 = self.rank_0(['--lead', 'none'], 'USR1=exit:138')
        os.kill(wrapper, signal.SIGUSR1)
        until('its wait', lambda: 'waiting for rank 1' in shell.err)
        self.says('COMPLETING', end=0, Reason='TimeLimit')
        os.kill(wrapper, signal.SIGTERM)
        self.assertEqual(shell.wait(), 138)
        self.assertEqual(len(self.calls('requeue')), 1)
        os.kill(rank_1, 0)  # it has not ended

    def test_a_rank_that_hangs_waits_for_nobody(self):
        shell, _, rank_1 = self.rank_0(['--watchdog', '1s', '--grace', '1s'], 'TERM=exit:3')
        trainer = self.log().of('ready')[0].pid
        voice = Voice(variables_of(trainer)['NOTIFY_SOCKET'])
        self.addCleanup(voice.close)
        voice.say('WATCHDOG=trigger')
        self.assertEqual(shell.wait(), 3)
        self.assertEqual(self.calls('requeue'), [])
        os.kill(rank_1, 0)


if __name__ == '__main__':
    main()
