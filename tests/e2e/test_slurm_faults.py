"""A Slurm job that goes wrong around us: what its variables say, where the state lies, a newer Slurm,
a cancel or a notice before the start."""
import os
import signal
import subprocess
import time

from processes import children, until
from stand_in_job import STEP, JobTest
from wrapper import FAULTY_BINARY, main

REQUEUE = ['--requeue', 'auto']
NONSENSE = (
    {'SLURM_RESTART_COUNT': 'abc', 'SLURM_PROCID': '', 'SLURM_STEP_ID': '0'},
    {'SLURM_RESTART_COUNT': '-1', 'SLURM_PROCID': '-7', 'SLURM_STEP_ID': 'x.y'},
    {'SLURM_RESTART_COUNT': '99999999999999999999', 'SLURM_JOB_END_TIME': '99999999999999999999'},
    {'SLURM_JOB_END_TIME': '-5', 'SLURM_STEP_NUM_TASKS': '99999999999', 'SLURM_STEP_ID': '0',
     'SLURM_GTIDS': '0-,,9', 'SLURM_STEP_TASKS_PER_NODE': '3(x', 'SLURM_NODEID': '-1'},
    {'SLURM_ARRAY_TASK_ID': '3', 'SLURM_ARRAY_JOB_ID': ''},
    {'SLURM_ARRAY_JOB_ID': '99', 'SLURM_ARRAY_TASK_MAX': '2'},
    {'SLURM_CLUSTER_NAME': '../../etc', 'SLURM_JOB_PARTITION': '=\n#'},
    {'SLURM_CONF': '/dev/zero'},
    {'SLURM_CONF': '/'},
)


class SlurmFaults(JobTest):
    def keeps(self):
        return [*REQUEUE, '--state-dir', self.path('state')]

    def clear(self):
        for name in ('trainer.log', 'journal', 'calls'):
            if os.path.exists(self.path(name)):
                os.remove(self.path(name))

    # ---- variables

    def test_variables_that_are_nonsense_or_half_there(self):
        """The notice is relayed, the trainer ends as it likes, and at most one requeue follows."""
        for variables in NONSENSE:
            with self.subTest(variables):
                self.clear()
                shell, wrapper = self.run_in_job(self.keeps(), 'USR1=save:100:138', env=variables)
                os.kill(wrapper, signal.SIGUSR1)
                self.assertEqual(shell.wait(), 138)
                self.assertLessEqual(len(self.calls('requeue')), 1)
                self.assertEqual(self.log().order(), ['USR1'])
                self.assertFalse(os.path.exists('/etc/preempt-wrap'))

    def test_a_job_of_last_week_in_a_shell_is_none(self):
        """No slurmstepd above, and no cgroup of that job."""
        self.assertEqual(subprocess.run(['grep', '-q', '/job_4711', '/proc/self/cgroup'],
                                        check=False).returncode, 1)
        wrapper, _ = self.start_ready([*self.keeps(), '--journal', self.path('journal')],
                                      'USR1=save:100:138', env=self.job_environ())
        wrapper.signal('USR1')
        self.assertEqual(wrapper.wait(), 138)
        self.assertEqual((self.calls('show'), self.calls('requeue')), ([], []))
        self.assertNotIn('job', self.journal()[0])

    def test_a_clock_that_is_an_hour_off(self):
        """Against a real slurmctld munge would refuse the question; here the times contradict ours."""
        for ahead, calls in (('3600', 1), ('-3600', 0)):
            with self.subTest(ahead):
                self.clear()
                env = {'PW_TEST_CLOCK_AHEAD': ahead,
                       'SLURM_JOB_END_TIME': str(int(time.time()) + 90)}
                shell, wrapper = self.run_in_job([*REQUEUE, '--state-dir', self.path(ahead)],
                                                 'USR1=save:500:138', env=env,
                                                 binary=FAULTY_BINARY)
                os.kill(wrapper, signal.SIGUSR1)
                self.assertEqual(shell.wait(), 138)
                self.assertEqual(len(self.calls('requeue')), calls)
                notice, = self.told('notice')
                self.assertGreater(notice.get('kill_in_ms', 10**9), 25_000)

    # ---- the state folder

    def test_without_a_state_folder_it_is_requeued_all_the_same_once(self):
        """Slurm's own answer tells then whether somebody was first."""
        file = self.write('file', '')
        for folder in (f'{file}/state', '/proc/preempt-wrap', '/dev/full'):
            with self.subTest(folder):
                self.clear()
                shell, wrapper = self.run_in_job([*REQUEUE, '--state-dir', folder],
                                                 'USR1=save:100:138')
                os.kill(wrapper, signal.SIGUSR1)
                self.assertEqual(shell.wait(), 138)
                self.assertEqual(len(self.calls('requeue')), 1)
                self.assertIn('warning: ', shell.err)

    def test_a_read_only_filesystem(self):
        mounted = self.path('mounted')
        os.mkdir(mounted)
        script = f'mount -t tmpfs -o ro none {mounted} && exec "$@"'
        done = subprocess.run(['unshare', '--mount', 'sh', '-c', script, 'sh', 'true'], check=False)
        if done.returncode != 0:
            self.assertNotEqual(os.environ.get('PW_REQUIRE_ALL'), '1', 'no mount namespace here')
            self.skipTest('no mount namespace here')
        shell = self.start('--journal', self.path('journal'), *REQUEUE, '--state-dir',
                           f'{mounted}/state', '--', *self.trainer('USR1=save:100:138'),
                           env=self.job_environ(),
                           prefix=['unshare', '--mount', 'sh', '-c', script, 'sh',
                                   self.stepd, '-c', '"$0" "$@"; exit $?'])
        os.kill(self.wrapper_above(self.log().ready()), signal.SIGUSR1)
        self.assertEqual(shell.wait(), 138)
        self.assertEqual(len(self.calls('requeue')), 1)
        self.assertIn('Read-only file system', shell.err)

    @staticmethod
    def wrapper_above(trainer):
        with open(f'/proc/{trainer}/stat', encoding='ascii') as file:
            return int(file.read().rpartition(')')[2].split()[1])

    # ---- before the start

    def at_the_gate(self, *options):
        gate = self.path('gate')
        if not os.path.exists(gate):
            self.assertEqual(self.start('--gate', gate, '--start-rate', '1/s', 'true').wait(), 0)
            self.assertEqual(self.start('gate', 'pause', gate).wait(), 0)
        shell = self.start('--journal', self.path('journal'), '--gate', gate, '--start-rate', '1/s',
                           *self.keeps(), *options, '--', 'touch', self.path('ran'),
                           env={**self.job_environ(), **STEP},
                           prefix=[self.stepd, '-c', '"$0" "$@"; exit $?'])
        until('its wait', lambda: os.path.exists(self.path('journal')) and self.told('gate-wait'))
        return shell, next(iter(children(shell.pid)))

    def test_a_notice_at_the_gate_counts_as_one_in_training(self):
        shell, wrapper = self.at_the_gate()
        os.kill(wrapper, signal.SIGUSR1)
        self.assertEqual(shell.wait(), 138)
        self.assertEqual(len(self.calls('requeue')), 1)
        self.assertFalse(os.path.exists(self.path('ran')))

    def test_a_cancel_at_the_gate_never_comes_back(self):
        shell, wrapper = self.at_the_gate()
        self.says('COMPLETING', end=0)
        os.kill(wrapper, signal.SIGTERM)
        self.assertEqual(shell.wait(), 143)
        self.assertEqual(self.calls('requeue'), [])
        self.assertIn('not requeued: the job was cancelled', shell.err)

    def test_requeues_of_runs_that_never_started_are_no_loop(self):
        """Six in a row would be too many short runs, had they run."""
        for restart in range(7):
            self.clear()
            self.says('RUNNING', end=90, Restarts=restart)
            shell, wrapper = self.at_the_gate_again(restart)
            os.kill(wrapper, signal.SIGUSR1)
            self.assertEqual(shell.wait(), 138)
            self.assertEqual(len(self.calls('requeue')), 1, restart)

    def at_the_gate_again(self, restart):
        self.job_environ = lambda: {**JobTest.job_environ(self),
                                    'SLURM_RESTART_COUNT': str(restart)}
        return self.at_the_gate()

    # ---- what Slurm 22.05 has not: by its variables and answers, not by a real one

    def test_a_newer_slurm_tells_the_end_at_the_start(self):
        """SLURM_JOB_END_TIME, 23.02 and later: the budget is known before anybody is asked."""
        until_end = int(subprocess.check_output(['date', '+%s'])) + 90
        shell, wrapper = self.run_in_job([], 'USR1=save:1:138',
                                         env={'SLURM_JOB_END_TIME': str(until_end)})
        self.write('fails', '')
        os.kill(wrapper, signal.SIGUSR1)
        self.assertEqual(shell.wait(), 138)
        notice, = self.told('notice')
        self.assertGreater(notice['left_ms'], 60_000)
        self.assertLess(notice['left_ms'], 120_000)

    def test_a_newer_slurm_requeues_an_exit_within_the_grace_itself(self):
        """24.05: Restarts counts on as soon as the job ends, and ours would be the second."""
        shell, wrapper = self.run_in_job(self.keeps(), 'TERM=save:300:143')
        os.kill(wrapper, signal.SIGTERM)
        self.log().wait_for('TERM')
        self.says('COMPLETING', end=0, Restarts=1)
        self.assertEqual(shell.wait(), 143)
        self.assertEqual(self.calls('requeue'), [])
        self.assertIn('a requeue is under way', shell.err)

    # ---- a wrapper that is killed

    def test_a_killed_wrapper_leaves_a_claim_that_ends_nothing_later(self):
        """Its claim is of one run; the next run's requeue is its own."""
        self.write('bin/scontrol', '#!/bin/sh\ncase $1 in requeue) kill -KILL $PPID ;; '
                   f'show) exec cat {self.dir}/answer ;; esac\n', 0o755)
        shell, wrapper = self.run_in_job(self.keeps(), 'USR1=save:1:138')
        os.kill(wrapper, signal.SIGUSR1)
        self.assertEqual(shell.wait(), 137)
        self.clear()
        self.write_scontrol()
        self.says('RUNNING', end=90, Restarts=1)
        shell, wrapper = self.run_in_job(self.keeps(), 'USR1=save:1:138',
                                         env={'SLURM_RESTART_COUNT': '1'})
        os.kill(wrapper, signal.SIGUSR1)
        self.assertEqual(shell.wait(), 138)
        self.assertEqual(len(self.calls('requeue')), 1)

    def test_who_comes_second_in_the_same_run_leaves_it_to_the_first(self):
        for calls in (1, 1):
            shell, wrapper = self.run_in_job(self.keeps(), 'USR1=save:1:138')
            os.kill(wrapper, signal.SIGUSR1)
            self.assertEqual(shell.wait(), 138)
            self.assertEqual(len(self.calls('requeue')), calls)
            os.remove(self.path('trainer.log'))
        self.assertIn('has requeued it', shell.err)


if __name__ == '__main__':
    main()
