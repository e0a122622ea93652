"""Saves of minutes in seconds: preempt-wrap-fast is the same program on a clock 60 times faster.
A minute is one real second here."""
import os
import shutil
import time

from processes import alive, children, state, until
from wrapper import FAST, FAST_BINARY, WrapperTest, main


def real(seconds):
    """Milliseconds on the trainer's clock for so many seconds on the wrapper's."""
    return int(seconds * 1000 / FAST)


def read(path):
    if not os.path.exists(path):
        return ''
    with open(path, encoding='utf-8') as file:
        return file.read()


class LongSaves(WrapperTest):
    def setUp(self):
        super().setUp()
        self.need(os.access(FAST_BINARY, os.X_OK), f'{FAST_BINARY} is not built')

    def start_fast(self, options, *rules, env=None, prefix=()):
        wrapper = self.start(*options, '--', *self.trainer(*rules), binary=FAST_BINARY,
                             env=env, prefix=prefix)
        self.log().ready()
        return wrapper

    def saved(self, wrapper, status):
        self.assertEqual(wrapper.wait(), status)
        self.assertEqual(len(self.log().of('saved')), 1)
        self.assertEqual(self.log().order(), ['USR1'])

    def killed_after(self, wrapper, notice, at_least, at_most):
        """Both on the wrapper's clock."""
        begin = time.monotonic()
        wrapper.signal(notice)
        wrapper.wait()
        took = (time.monotonic() - begin) * FAST
        self.assertGreaterEqual(took, at_least)
        self.assertLess(took, at_most)


class OutsideSlurm(LongSaves):
    def test_a_save_of_4_minutes_with_5_minutes_of_grace(self):
        wrapper = self.start_fast(['--grace', '5m'], f'USR1=save:{real(240)}:7', 'TERM=log')
        wrapper.signal('USR1')
        self.saved(wrapper, 7)

    def test_the_default_grace_is_60_s(self):
        wrapper = self.start_fast([], f'USR1=save:{real(35)}:7')
        wrapper.signal('USR1')
        self.saved(wrapper, 7)

    def test_and_no_more(self):
        wrapper = self.start_fast([], 'all=log')
        self.killed_after(wrapper, 'USR1', 55, 200)
        self.assertEqual(wrapper.status, 137)
        self.assertEqual(self.log().order(), ['USR1', 'TERM'])

    def test_the_default_wait_for_stragglers_is_5_s(self):
        left = self.path('left.log')
        script = f'"$0" "$1" 15=save:{real(2)}:0 & until [ -s "$1" ]; do :; done; exit 5'
        wrapper = self.call('--', 'bash', '-c', script, self.trainer()[0], left,
                            binary=FAST_BINARY)
        self.assertEqual(wrapper.status, 5)
        self.assertEqual(len(self.log('left').of('saved')), 1)

    def test_slurm_variables_of_last_week_do_not_count(self):
        # No ancestor is slurmstepd: the job's end in the environment is not ours.
        env = self.environ(SLURM_JOB_ID='4711', SLURM_JOB_END_TIME=str(int(time.time()) + 5))
        wrapper = self.start_fast([], f'USR1=save:{real(35)}:7', env=env)
        wrapper.signal('USR1')
        self.saved(wrapper, 7)

    def test_a_lead_of_more_than_30_min_is_advice(self):
        wrapper = self.start_fast(['--lead', '2h', '--exit-preempted', '75'], 'USR1=log',
                                  'ALRM=exit:0')
        for count in (1, 2):
            wrapper.signal('USR1')
            self.log().wait_for('USR1', count)
            # The next one is judged anew; only repeats within 5 s are one.
            time.sleep(10 / FAST)
        wrapper.signal('ALRM')
        # No episode: the exit code is not replaced, and nothing was killed after 60 s.
        self.assertEqual(wrapper.wait(), 0)
        self.assertEqual(self.log().order(), ['USR1', 'USR1', 'ALRM'])


class InSlurm(LongSaves):
    """Below a process named slurmstepd, with the environment of a job."""

    def start_in_job(self, *rules, end=None, options=(), conf=None,
                     script='"$0" "$@"; exit $?'):
        stepd = self.path('slurmstepd')
        shutil.copy('/bin/sh', stepd)
        conf = conf or self.write('slurm.conf', 'ClusterName=c\nKillWait=30\n')
        job = {'SLURM_JOB_ID': '4711', 'SLURM_JOBID': '4711', 'SLURM_CONF': conf}
        if end is not None:
            job['SLURM_JOB_END_TIME'] = str(int(time.time()) + end)
        # A shell that stays, as the wrapper's parent.
        stepd_process = self.start_fast(options, *rules, env=self.environ(**job),
                                        prefix=[stepd, '-c', script])
        stepd_process.pid, = until('the wrapper', lambda: list(children(stepd_process.pid)))
        return stepd_process

    def test_usr1_at_300_with_a_save_of_240_s_and_no_option(self):
        wrapper = self.start_in_job(f'USR1=save:{real(240)}:0', 'TERM=log', end=300)
        wrapper.signal('USR1')
        self.saved(wrapper, 0)

    def test_a_save_that_hangs_is_killed_before_slurm_does(self):
        # Slurm: TERM at the end, SIGKILL KillWait (30 s) later. Whole seconds of the wall clock
        # are read 60 times faster: the end may be up to 1 s, but not a second of ours, early.
        wrapper = self.start_in_job('all=log', end=120)
        self.killed_after(wrapper, 'USR1', 120, 150 + FAST)
        self.assertEqual(wrapper.status, 137)
        self.assertEqual(self.log().order(), ['USR1', 'TERM'])

    def test_without_a_known_end_no_clock_of_ours_for_usr1(self):
        wrapper = self.start_in_job(f'USR1=save:{real(150)}:0', 'TERM=log')
        wrapper.signal('USR1')
        self.saved(wrapper, 0)

    def test_term_counts_kill_wait(self):
        wrapper = self.start_in_job('all=log')
        self.killed_after(wrapper, 'TERM', 20, 29.7 + FAST)
        self.assertEqual(wrapper.status, 137)

    def test_kill_wait_behind_a_tab(self):
        conf = self.write('tab.conf', 'ClusterName=c\tKillWait=60\tProctrackType=proctrack/pgid\n')
        wrapper = self.start_in_job('all=log', conf=conf)
        self.killed_after(wrapper, 'TERM', 50, 59.7 + FAST)
        self.assertEqual(wrapper.status, 137)

    def test_a_conf_that_nobody_writes_delays_nothing(self):
        conf = self.path('slurm.fifo')
        os.mkfifo(conf)
        wrapper = self.start_in_job('USR1=exit:4', conf=conf)
        wrapper.signal('USR1')
        self.assertEqual(wrapper.wait(), 4)

    def test_slurm_s_own_copy_ends_the_trainer_before_we_see_ours(self):
        # proctrack/linuxproc: the notice came to both, so an exit with 0 is "saved", not "done".
        conf = self.write('linuxproc.conf', 'ProctrackType=proctrack/linuxproc\nKillWait=30\n')
        told = self.path('told')
        os.mkfifo(told)
        wrapper = self.start_in_job(
            'TERM=exit:0', conf=conf, options=['--exit-preempted', '85'],
            script=f'"$0" "$@" & read pids <{told}; kill -TERM $pids; wait $!; exit $?')
        trainer = self.log().ready()
        wrapper.signal('STOP')
        until('the stop', lambda: state(wrapper.pid) == 'T')
        with open(told, 'w', encoding='ascii') as stepd:
            stepd.write(f'{wrapper.pid} {trainer}\n')
        until('the end of the trainer', lambda: not alive(trainer))
        wrapper.signal('CONT')
        self.assertEqual(wrapper.wait(), 85)

    def test_the_hook_runs_for_the_notice_that_follows_an_advice(self):
        told = self.path('told')
        wrapper = self.start_in_job(
            'USR1=log', 'TERM=save:1000:0', end=7200,
            options=['--on-notice', f'echo $PREEMPT_SIGNAL >>{told}'])
        wrapper.signal('USR1')
        self.log().wait_for('USR1')
        until('the hook of the advice', lambda: read(told) == 'USR1\n')
        wrapper.signal('TERM')
        until('the hook of the notice', lambda: read(told) == 'USR1\nTERM\n')
        # The end is not as far as it was said to be: KillWait counts now.
        wrapper.wait()

    def test_an_end_that_is_far_away_makes_it_advice(self):
        wrapper = self.start_in_job(f'USR1=save:{real(90)}:0', 'TERM=log', end=7200,
                                    options=['--exit-preempted', '75'])
        wrapper.signal('USR1')
        self.saved(wrapper, 0)

    def test_death_by_an_advice_is_preempted(self):
        wrapper = self.start_in_job(
            end=7200, options=['--to', 'child', '--journal', self.path('journal')])
        wrapper.signal('USR1')
        self.assertEqual(wrapper.wait(), 138)
        self.assertEqual(self.journal()[-1]['outcome'], 'preempted')

    def test_an_end_that_is_past_or_absurd_is_no_deadline(self):
        for end in (-3600, 10**12):
            with self.subTest(end=end):
                if os.path.exists(self.path('trainer.log')):
                    os.remove(self.path('trainer.log'))
                wrapper = self.start_in_job(f'USR1=save:{real(35)}:0', end=end)
                wrapper.signal('USR1')
                self.saved(wrapper, 0)


if __name__ == '__main__':
    main()
