"""What a hostile reader broke: notices taken back, registered runs, crowded folders."""
import os
import shutil
import signal
import subprocess
import time

import gce
from clouds import SAVES, main, source, until
from stand_in_job import JobTest
from test_watch import IGNORES, NOBODY, Watch
from wrapper import BINARY


class TakenBack(Watch):
    def test_a_registered_run_is_not_killed_for_a_notice_that_was_withdrawn(self):
        run = self.register(IGNORES, log='run', bare=False)
        watch = self.watch()
        self.notice(8)
        self.log('run').wait_for('USR1')
        os.unlink(self.notice_file)
        self.says(watch, 'withdrawn')
        self.says(run, 'was withdrawn')
        run.signal('USR2')  # a notice that is new
        self.log('run').wait_for('USR2')
        self.assertTrue(run.running(), run.err)
        self.end(watch)

    def test_who_asks_dies_and_the_notice_is_withdrawn_meanwhile(self):
        wrapper, log = self.begin('file:' + self.notice_file, IGNORES)
        self.notice(8)
        log.wait_for('USR1')
        for pid in children_of(wrapper.pid):
            if name_of(pid).startswith('preempt'):
                os.kill(pid, signal.SIGKILL)
        os.unlink(self.notice_file)
        self.says(wrapper, 'has withdrawn')
        wrapper.signal('USR2')  # a notice that is new
        log.wait_for('USR2')
        self.assertTrue(wrapper.running(), wrapper.err)

    def test_a_notice_after_it_has_a_clock_of_its_own(self):
        """Seen: killed at the end that had been withdrawn."""
        wrapper, log = self.begin('file:' + self.notice_file, IGNORES, options=['--lead', '300s'])
        self.notice(20)
        log.wait_for('USR1')
        os.unlink(self.notice_file)
        self.says(wrapper, 'has withdrawn')
        wrapper.signal('USR1')
        log.wait_for('USR1', 2)
        self.assertGreater(self.told('notice')[-1]['kill_in_ms'], 250_000)

    def test_what_is_withdrawn_before_we_hear_of_it_is_told_to_nobody(self):
        server = self.serve('ec2')
        wrapper, log = self.begin(source('ec2', server), IGNORES)
        self.asks(server, 'ec2')
        os.kill(wrapper.pid, signal.SIGSTOP)
        server.notice()
        self.asks(server, 'ec2', 2)
        server.withdraw()
        self.asks(server, 'ec2', 2)
        os.kill(wrapper.pid, signal.SIGCONT)
        self.says(wrapper, 'has withdrawn')
        wrapper.fence(log)
        self.assertNotIn('USR1', log.order())

    def test_one_of_googles_keys_does_not_take_back_the_others_notice(self):
        server = self.serve('gce')
        watch = self.watch(cloud=source('gce', server, notice='20s'))
        server.notice(action='terminate')
        self.says(watch, 'gce (maintenance)')
        server.notice()
        self.says(watch, 'gce (preempted)')
        before = len(server.asked(gce.MAINTENANCE))
        server.cloud._set(gce.MAINTENANCE, 'NONE')
        until('the next question', lambda: len(server.asked(gce.MAINTENANCE)) > before)
        late = self.register(SAVES, log='late')
        until('it is told', lambda: self.log('late').got('USR1'), seconds=3)
        self.assertEqual(late.wait(), 138, watch.err)
        self.end(watch)


    def test_of_two_watchers_one_does_not_take_back_the_others_notice(self):
        """Seen: --register with --cloud, and the withdrawal of the one ended the other's."""
        own = self.path('own.json')
        run = self.register(IGNORES, log='run', bare=False, run_options=[
            '--cloud', 'file:' + own, '--journal', self.path('own.journal')])
        watch = self.watch()
        self.notice(30)
        self.log('run').wait_for('USR1')
        self.notice(600, file=own)
        until('both', lambda: len(self.told('cloud', 'own')) == 1)
        os.unlink(self.notice_file)
        self.says(run, "still to end, by another's word")
        os.unlink(own)
        self.says(run, 'has withdrawn')
        run.signal('USR2')
        self.log('run').wait_for('USR2')
        self.end(watch)

    def test_what_is_withdrawn_while_the_daemon_is_away_is_heard_when_it_is_back(self):
        """Seen: nobody was told, and the run was killed for an end that had been taken back."""
        run = self.register(IGNORES, log='run', bare=False)
        bare = self.register(IGNORES, log='bare')
        watch = self.watch()
        self.notice(600)
        for log in ('run', 'bare'):
            self.log(log).wait_for('USR1')
        until('both are written down', lambda: len(os.listdir(self.path('state/told'))) == 3)
        watch.signal('KILL')
        watch.wait()
        os.unlink(self.notice_file)
        again = self.watch(name='again')
        self.says(again, 'told before our restart, knows that it stays')
        self.says(run, 'the notice was withdrawn')
        self.assertEqual(os.listdir(self.path('state/told')), [])
        self.notice(600)
        for log in ('run', 'bare'):
            self.log(log).wait_for('USR1', 2)
        self.assertTrue(bare.running())
        self.end(again)


class Registered(Watch):
    def test_a_run_that_was_stopped_gets_all_words(self):
        """Seen: of two USR1 that wait one is left; it had not heard of the second end, and was shot."""
        run = self.register(IGNORES, log='run', bare=False)
        watch = self.watch()
        self.notice(600)
        self.log('run').wait_for('USR1')
        os.kill(run.pid, signal.SIGSTOP)
        os.unlink(self.notice_file)
        self.says(watch, 'has withdrawn')
        self.notice(300)
        self.says(watch, f'(pid {run.pid}): told, and CONT sent')
        self.log('run').wait_for('USR1', 2)
        self.end(watch)

    def test_a_run_whose_notices_are_others_is_told_in_its_own_way(self):
        """As --cloud does: --notice-as, not a raw USR1, which kills a trainer that knows only TERM."""
        run = self.register('TERM=save:1:0', log='run', bare=False,
                            run_options=('--notice', 'TERM', '--notice-as', 'TERM'))
        watch = self.watch()
        self.notice(20)
        self.assertEqual(run.wait(), 0, run.err)
        self.assertEqual(self.log('run').order(), ['TERM'])
        self.end(watch)

    def test_who_registers_after_the_end_that_was_named_is_told_all_the_same(self):
        """Seen in the code: a real-time signal without a word in it, of which the trainer dies."""
        watch = self.watch()
        end = time.monotonic() + 2
        self.notice(2)
        self.says(watch, 'notice from file')
        until('the end', lambda: time.monotonic() > end)
        run = self.register(SAVES, log='run', bare=False)
        self.assertEqual(run.wait(), 138, run.err)
        self.assertEqual(self.log('run').order(), ['USR1'])
        self.end(watch)

    def test_an_ignored_int_stays_ignored(self):
        """`run --register -- train &` of a script on a terminal: Ctrl-C must not end it."""
        line = f"trap '' INT; exec {BINARY} run --register --run-dir {self.run_dir} -- " \
               'grep SigIgn /proc/self/status'
        said = subprocess.run(['script', '-qec', line, '/dev/null'], capture_output=True,
                              stdin=subprocess.DEVNULL, env=self.environ(), check=True)
        self.assertRegex(said.stdout.decode(), r'SigIgn:\s+0*2\b')

    def test_a_run_learns_that_the_end_comes_nearer(self):
        run = self.register(IGNORES, log='run', bare=False)
        watch = self.watch()
        self.notice(600)
        self.log('run').wait_for('USR1')
        self.notice(10)
        self.assertEqual(run.wait(), 137, run.err)  # its own ladder's, not -9: the wrapper shot
        self.assertEqual(self.log('run').order(), ['USR1', 'TERM'])
        self.end(watch)

    def test_a_process_that_catches_no_term_keeps_its_time(self):
        code = ('import signal, sys, time\n'
                'def save(*_):\n'
                '    time.sleep(14)\n'
                '    sys.exit(7)\n'
                'signal.signal(signal.SIGUSR1, save)\n'
                'print(flush=True)\n'
                'while True:\n'
                '    time.sleep(9)\n')
        with subprocess.Popen(['python3', '-c', code], stdout=subprocess.PIPE) as process:
            self.addCleanup(process.kill)
            process.stdout.readline()
            self.plant('bare', process.pid)
            watch = self.watch()
            self.notice(20)
            self.assertEqual(process.wait(25), 7, watch.err)
            self.end(watch)


    def test_a_run_is_known_whatever_it_is_called(self):
        """Seen: taken for a bare trainer, and SIGKILLed before it could end its own."""
        binary = shutil.copy(BINARY, self.path('pw'))
        run = self.start('run', '--register', '--run-dir', self.run_dir, '--',
                         *self.trainer(IGNORES, log='run'), binary=binary)
        self.log('run').ready()
        until('its registration', self.registered)
        watch = self.watch()
        self.notice(8)
        self.assertEqual(run.wait(), 137, run.err)  # its own ladder's, not -9
        self.assertIn('killed by us', run.err)
        self.end(watch)


class InAJob(Watch, JobTest):
    def test_a_registered_run_is_requeued_for_the_nodes_notice(self):
        self.says('RUNNING', end=7200)
        shell, _ = self.run_in_job(
            ['--register', '--run-dir', self.run_dir, '--requeue', 'auto', '--state-dir',
             self.path('requeues')], 'USR1=save:1:138', env={'SLURM_OPEN_MODE': 'a'})
        until('its registration', self.registered)
        watch = self.watch()
        self.notice()
        self.assertEqual(shell.wait(), 138, shell.err)
        self.assertEqual(self.told('requeue')[0]['cause'], 'cloud')
        self.assertEqual(len(self.calls('requeue')), 1)
        self.end(watch)

    def says(self, *words, **fields):
        """Of the job, or in a daemon's log: both bases have one."""
        return (JobTest if fields else Watch).says(self, *words, **fields)

    def told(self, event, count=1):
        return JobTest.told(self, event, count)


class Planted(Watch):
    """What a user without rights can do in a folder of mode 1777."""

    def setUp(self):
        super().setUp()
        self.need_root()

    def test_a_thousand_folders_hide_nobody(self):
        """The order of a folder is the file system's, so several of ours are to be told."""
        ours = []
        for number in range(1500):
            folder = os.path.join(self.run_dir, f'd{number}')
            os.mkdir(folder)
            if number % 300 == 0:
                ours.append(folder)
            else:
                os.chown(folder, NOBODY, NOBODY)
        processes = [self.register(SAVES, log=os.path.basename(f), folder=f) for f in ours]
        watch = self.watch()
        self.notice()
        until('all are told', lambda: all(self.log(os.path.basename(f)).got('USR1')
                                          for f in ours), seconds=8)
        self.assertEqual([p.wait() for p in processes], [138] * len(ours), watch.err)
        self.end(watch)

    def test_a_thousand_processes_use_up_no_descriptors(self):
        folder = os.path.join(self.run_dir, str(NOBODY))
        os.mkdir(folder)
        os.chown(folder, NOBODY, NOBODY)
        for _ in range(1100):
            process = subprocess.Popen(['sleep', '60'], user=NOBODY)
            self.addCleanup(process.wait)
            self.addCleanup(process.kill)
            self.plant(str(process.pid), process.pid, folder, owner=NOBODY)
        watch = self.watch(prefix=('bash', '-c', 'ulimit -n 1024; exec "$@"', 'x'))
        self.notice(600)
        until('they are told', lambda: watch.err.count('USR1 held') >= 256, seconds=30)
        late = self.register(SAVES, log='late')
        until('it is told', lambda: self.log('late').got('USR1'), seconds=10)
        self.assertEqual(late.wait(), 138)
        self.end(watch)

    def test_names_move_no_cursor_and_begin_no_line(self):
        code = ('import ctypes, time\n'
                'ctypes.CDLL(None).prctl(15, b"\\n\\x1b[31mforged\\n", 0, 0, 0)\n'
                'print(flush=True)\n'
                'time.sleep(60)\n')
        with subprocess.Popen(['python3', '-c', code], user=NOBODY,
                              stdout=subprocess.PIPE) as process:
            self.addCleanup(process.kill)
            process.stdout.readline()
            self.plant('x', process.pid, owner=NOBODY)
            self.plant('y\n\x1b[31mforged', 1, owner=NOBODY)
            watch = self.watch('--notice-as', 'TERM')
            self.notice()
            process.wait(20)
            self.says(watch, '0 gone')
            self.assertNotIn('\x1b', watch.err)
            self.assertEqual([line for line in watch.err.splitlines()
                              if line and not line.startswith('preempt-wrap: ')], [])
            self.end(watch)


def children_of(pid):
    with open(f'/proc/{pid}/task/{pid}/children', encoding='ascii') as file:
        return [int(word) for word in file.read().split()]


def name_of(pid):
    with open(f'/proc/{pid}/comm', encoding='utf-8') as file:
        return file.read().strip()


if __name__ == '__main__':
    main()
