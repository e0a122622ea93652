#!/usr/bin/env python3
"""The start gate as its users meet it: rate, limit, notices, steering, bad folders."""
import os
import shutil
import signal
import socket
import subprocess
import time

from counts import busiest, most_at_once
from gates import BINARY, GateTest, children_of, main
from processes import LIMIT, children, until

SLOW = ('--start-rate', '1/h')


class Gate(GateTest):
    def occupied(self, *options):
        """A gate whose next start is an hour away; returns a waiting run."""
        self.assertEqual(self.behind(*SLOW).wait(), 0)
        waiting = self.behind(*SLOW, *options, command=self.stamp())
        self.wait_line(waiting)
        return waiting

    def test_an_idle_gate_lets_in_at_once(self):
        wrapper = self.behind(*SLOW, '--journal', self.path('journal'), command=['sh', '-c', 'exit 7'])
        self.assertEqual(wrapper.wait(), 7)
        [line] = [e for e in self.journal() if e['event'] == 'gate-pass']
        self.assertEqual((line['gate'], line['how']), (self.gate, 'passed'))
        self.assertEqual(os.stat(self.gate).st_mode & 0o777, 0o700)

    def test_the_rate_is_kept(self):
        runs = [self.behind('-q', '--start-rate', '5/s', command=self.stamp()) for _ in range(10)]
        self.assertEqual({run.wait() for run in runs}, {0})
        reserved = sorted(int(record['t'], 36) for record in self.records())
        self.assertEqual(len(reserved), 10)
        self.assertTrue(all(b - a >= 200_000_000 for a, b in zip(reserved, reserved[1:])))
        self.assertLessEqual(busiest(self.starts(), 1), 7)
        self.assertEqual(self.steer('status').count('10 places given'), 1)

    def test_it_says_once_what_it_waits_for(self):
        waiting = self.occupied('--index', '1', '--count', '230')
        self.assertRegex(waiting.err, r'gate .*/gate: start in (1h|59m\d\ds), 1st of 230')
        self.end_by_pid(waiting)

    def test_a_notice_ends_the_wait_and_gives_the_place_back(self):
        before, took = None, []
        for name, status in (('TERM', 143), ('USR1', 138), ('HUP', 129)):
            waiting = self.occupied() if before is None else self.behind(*SLOW, command=self.stamp())
            self.wait_line(waiting)
            taken = self.status()['next_start_ms']
            begin = time.monotonic()
            waiting.signal(name)
            self.assertEqual(waiting.wait(), status)
            took.append(time.monotonic() - begin)
            freed = self.status()['next_start_ms']
            self.assertLess(freed, taken - 3_000_000)
            before = freed
        self.assertEqual(self.starts(), [])
        self.assertLess(min(took), 0.3, 'the best of three: the machine has other work')
        self.assert_nothing_left()

    def test_max_delay_does_not_cut_a_reservation_short(self):
        self.assertEqual(self.behind('--start-rate', '20/min').wait(), 0)
        run = self.behind('--start-rate', '20/min', '--max-delay', '100ms', '--journal',
                          self.path('journal'))
        self.assertEqual(run.wait(), 0)
        [line] = [e for e in self.journal() if e['event'] == 'gate-pass']
        self.assertEqual(line['how'], 'passed', run.err)
        self.assertGreater(line['waited_ms'], 1000)

    def test_a_killed_run_gives_its_place_back(self):
        waiting = self.occupied()
        keepers = children_of(waiting, self.mark)
        waiting.signal('KILL')
        waiting.wait()
        until('the place given back', lambda: self.status()['next_start_ms'] < 3_700_000)
        until('the end of the keeper', lambda: not set(keepers) & set(self.left()))

    def test_no_more_than_n_are_in_start_up(self):
        """Each holds its place until READY=1; what is between is counted by its own notes."""
        command = self.note(('sleep 0.3', 'systemd-notify --ready; sleep 0.2'))
        runs = [self.behind('-q', '--max-starting', '3', '--ready', 'notify', command=command)
                for _ in range(12)]
        self.assertEqual({run.wait() for run in runs}, {0})
        self.assertEqual(most_at_once(self.path('life')), (3, 12))
        self.assertEqual(self.status()['leases'], {})

    def test_the_end_of_the_trainer_frees_its_place(self):
        options = ('-q', '--max-starting', '1', '--ready', '1h')
        first = self.behind(*options, command=['sleep', '0.5'])
        second = self.behind(*options, command=self.stamp())
        self.assertEqual((first.wait(), second.wait()), (0, 0))

    def test_a_dead_holder_loses_its_lease(self):
        """Both it and its keeper are gone, as with their node: the claim of the next one's place
        comes with the end of the lease."""
        options = ('--max-starting', '1', '--ready', '1h')
        holder = self.behind(*options, command=['sleep', '1000'])
        until('a lease', lambda: (self.status() or {}).get('leases'))
        waiting = self.behind(*options, command=self.stamp())
        self.wait_line(waiting)
        for pid in [*children_of(holder, self.mark), holder.pid]:
            os.kill(pid, 9)
        self.assertEqual(waiting.wait(90), 0)
        self.assertEqual(len(self.starts()), 1)

    def test_a_kill_switch_that_comes_during_the_wait(self):
        """At the gate and without one; the place goes to the next."""
        switch = self.path('off')
        options = ('--max-starting', '1', '--ready', '1h')
        end = f'until [ -e {self.path("end")} ]; do sleep 0.05; done'
        holder = self.behind(*options, command=['sh', '-c', end])
        until('its start', lambda: 'start:' in holder.err)
        waiting = self.behind(*options, '--kill-switch', switch, '--stopped-exit', '9',
                              command=self.stamp())
        self.wait_line(waiting)
        spread = self.start('--stagger', '4s', '--index', '1', '--count', '2', '--kill-switch',
                            switch, '--stopped-exit', '9', '--', *self.stamp())
        until('its wait', lambda: 'start in' in spread.err)
        self.write('off', '')
        self.write('end', '')
        self.assertEqual((waiting.wait(), spread.wait(), holder.wait()), (9, 9, 0))
        self.assertEqual(self.starts(), [])
        self.assertEqual(self.behind(*options, command=self.stamp()).wait(), 0)

    def test_pause_and_resume(self):
        self.assertEqual(self.behind('--start-rate', '10/s').wait(), 0)
        self.steer('pause', 'maintenance')
        runs = [self.behind('-q', '--start-rate', '10/s', command=self.stamp()) for _ in range(5)]
        until('five places', lambda: len(self.records()) == 6)
        self.assertIn('pause, since', self.steer('status'))
        self.assertEqual(self.starts(), [])
        self.steer('resume')
        self.assertEqual({run.wait(30) for run in runs}, {0})
        reserved = [int(record['t'], 36) for record in self.records()]
        self.assertEqual(len(reserved), 6, 'nobody has reserved again')

    def test_a_start_that_was_due_before_a_pause_waits_for_its_end(self):
        self.assertEqual(self.behind('--start-rate', '12/min').wait(), 0)
        run = self.behind('--start-rate', '12/min', command=self.stamp())
        self.wait_line(run)
        both = [run.pid, *children(run.pid)]
        for pid in both:
            os.kill(pid, signal.SIGSTOP)
        due = time.monotonic() + 5.5
        until('the time of its start', lambda: time.monotonic() > due)
        self.steer('pause')
        for pid in both:
            os.kill(pid, signal.SIGCONT)
        self.steer('resume')
        resumed = time.time()
        self.assertEqual(run.wait(40), 0)
        started, = self.starts()
        self.assertGreater(started, resumed + 11)

    def test_a_manager_hears_of_a_clean_end_before_the_start(self):
        """Seen: a unit whose main process ends before READY=1 has failed, whatever its status."""
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(manager.close)
        manager.bind(self.path('socket'))
        manager.settimeout(LIMIT)
        self.assertEqual(self.behind(*SLOW).wait(), 0)
        for end, status in ((lambda run: run.signal('USR1'), 128 + signal.SIGUSR1),
                            (lambda run: self.steer('stop'), 0)):
            run = self.behind(*SLOW, '--service', '--ready', 'notify',
                              env=self.environ(NOTIFY_SOCKET=self.path('socket')))
            self.wait_line(run)
            end(run)
            self.assertEqual(run.wait(), status, run.err)
            said = b''
            while b'READY=1' not in said:
                said = manager.recv(4096)

    def test_stop_ends_those_who_wait_and_lets_the_others_finish(self):
        running = self.behind('--max-starting', '1', '--ready', '0s', command=['sleep', '1000'])
        until('its start', lambda: 'start:' in running.err)
        waiting = self.occupied()
        odd = self.behind(*SLOW, '--stopped-exit', '9', '--on-exit',
                          f'echo $PREEMPT_STATUS > {self.path("hook")}')
        self.wait_line(odd)
        self.steer('stop', 'enough')
        self.assertEqual((waiting.wait(), odd.wait()), (0, 9))
        self.assertIn('stopped: enough; not started', waiting.err)
        self.assertTrue(os.path.exists(self.path('hook')), '--on-exit is run at each end')
        self.assertTrue(running.running())
        self.assertEqual(self.starts(), [])
        self.assertEqual(self.behind(*SLOW, command=self.stamp()).wait(), 0)
        self.assertEqual(self.starts(), [], 'a stopped gate starts nobody')
        self.end_by_pid(running)

    def test_cancel_ends_all_gracefully(self):
        running = self.start('--gate', self.gate, '--max-starting', '1', '--ready', '1h', '-k', '30',
                             '--', *self.trainer('TERM=exit:3'))
        self.log().ready()
        waiting = self.behind('--max-starting', '1', '--ready', '1h', command=self.stamp())
        self.wait_line(waiting)
        # It is no signal: what --notice says does not matter, and the grace is ours.
        deaf = self.start('--gate', self.path('other'), '--start-rate', '1/s', '--notice', 'none',
                          '-k', '1s', '--', *self.trainer('TERM=log', log='deaf'))
        self.log('deaf').ready()
        self.steer('cancel', 'wrong data')
        subprocess.run([BINARY, 'gate', 'cancel', self.path('other')], check=True)
        self.assertEqual(waiting.wait(), 143)
        self.assertEqual(running.wait(70), 3, 'its own handler for TERM has ended it')
        self.assertEqual(deaf.wait(70), 137)
        self.assertEqual(self.log('deaf').order(), ['TERM'])
        self.assertIn('the gate was cancelled: wrong data', running.err)
        self.assertEqual(self.starts(), [])

    def test_reset_lets_them_queue_again(self):
        waiting = self.occupied()
        self.steer('reset')
        self.assertEqual(waiting.wait(30), 0)
        self.assertEqual(len(self.starts()), 1)

    def test_a_garbled_word(self):
        waiting = self.occupied()
        with open(self.gate + '/ctl', 'w', encoding='ascii') as file:
            file.write('\x00 ?!')
        self.assertIn('state     run', self.steer('status'))
        # How long it was paused is not known any more; to end everything it need not be.
        for action, status in (('pause', 1), ('resume', 1), ('stop', 0)):
            done = subprocess.run([BINARY, 'gate', action, self.gate], capture_output=True, text=True)
            self.assertEqual((done.returncode, 'garbled' in done.stderr), (status, status == 1))
        self.assertEqual(waiting.wait(), 0)

    def test_a_word_by_hand(self):
        waiting = self.occupied()
        with open(self.gate + '/ctl', 'w', encoding='ascii') as file:
            file.write('stop\n')
        self.assertEqual(waiting.wait(), 0)

    def test_folders_that_can_be_no_gate(self):
        os.mkdir(self.path('open'))
        os.chmod(self.path('open'), 0o777)
        os.mkdir(self.path('loose'), 0o700)
        os.chmod(self.path('loose'), 0o770)
        self.write('file', '')
        os.mkdir(self.path('own'), 0o700)
        os.symlink(self.path('own'), self.path('open/link'))
        rows = (('file', ''), ('file/x', ''), ('open/gate', 'where others can write'),
                ('open/link', 'where others can write'),
                ('loose', 'can be written by others'))
        for name, why in rows:
            for option, status in (([], 0), (['--require-gate'], 125)):
                with self.subTest(name=name, option=option):
                    self.gate = self.path(name)
                    run = self.behind(*option, '--start-rate', '1000/s', '--index', '1',
                                      '--count', '2', command=self.stamp(f'ran{status}'))
                    self.assertEqual(run.wait(), status)
                    self.assertIn(why, run.err)
                    self.assertEqual('no maximum rate' in run.err, status == 0, run.err)
        self.assertEqual((len(self.starts('ran0')), len(self.starts('ran125'))), (len(rows), 0))

    def test_the_fallback_is_spread_by_the_array(self):
        """Nobody starts in the same moment as others, however long the array is."""
        self.gate = self.write('file', '')
        rows = ((('--start-rate', '1/h'), 'start in 1[5-7]m'),
                (('--start-rate', '1/h', '--max-delay', '100m'), 'start in 5[0-9]m|1h'),
                (('--max-starting', '1', '--ready', '2m'), 'start in 1[0-2]m'),
                (('--max-starting', '1', '--ready', 'notify'), 'start in [23]m'))
        for options, expected in rows:
            with self.subTest(options=options):
                run = self.behind(*options, '--index', '5', '--count', '10')
                line = self.wait_line(run, 'no maximum rate')
                self.end_by_pid(run)
                self.assertRegex(line, f'({expected}).*place in the array')

    def test_status_counts_those_who_sleep_to_their_start(self):
        self.assertEqual(self.behind('--start-rate', '1/h').wait(), 0)
        runs = [self.behind('--start-rate', '1/h') for _ in range(3)]
        self.addCleanup(self.end_by_pid, *runs)
        for run in runs:
            self.wait_line(run)
        status = self.status()
        self.assertEqual((status['waiting'], status['started']), (3, 1))
        self.assertIn('3 waiting, 1 places given', self.steer('status'))
        [first] = [run for run in runs if ', 1st in line' in run.err]
        self.end_by_pid(first)
        status = self.status()
        self.assertEqual(status['waiting'], 2)
        self.assertLess(status['next_start_ms'], 3_600_000, 'what was given back is next')

    def test_what_is_no_gate_is_not_made_one(self):
        for action in ('status', 'pause', 'resume', 'stop', 'cancel', 'reset'):
            done = subprocess.run([BINARY, 'gate', action, self.gate], capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stdout), (1, ''))
            self.assertEqual(done.stderr, f'preempt-wrap: {self.gate} is no start gate\n')
        self.assertFalse(os.path.exists(self.gate))

    def test_a_folder_that_is_deleted(self):
        work = f'until [ -e {self.path("deleted")} ]; do sleep 0.05; done'
        waiting = self.behind('--max-starting', '1', '--ready', '1h', command=['sh', '-c', work])
        until('its start', lambda: 'start:' in waiting.err)
        second = self.behind('--max-starting', '1', '--ready', '1h', command=self.stamp())
        self.wait_line(second)
        shutil.rmtree(self.gate)
        self.write('deleted', '')
        self.assertEqual((waiting.wait(), second.wait(90)), (0, 0))
        self.assertEqual(len(self.starts()), 1)


if __name__ == '__main__':
    main()
