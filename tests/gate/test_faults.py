#!/usr/bin/env python3
"""The start gate on a disk whose calls fail, hang or lie, and with a wrong clock."""
import os
import re
import signal
import subprocess
import time

from gates import FAST_BINARY, FAULTY_BINARY, GateTest, children_of, main
from processes import until


class Faults(GateTest):
    """Calls that fail, in preempt-wrap-faulty; where the gate recovers, the run passes it."""

    def faulty(self, faults, *options, ahead=None):
        env = self.environ(PW_TEST_FAULTS=faults, PW_TEST_CLOCK_AHEAD=ahead)
        return self.behind(*options, command=self.stamp(), binary=FAULTY_BINARY, env=env)

    def test_locks_that_fail_are_no_trouble(self):
        for error in ('ENOLCK', 'ENOSYS', 'EOPNOTSUPP', 'EIO'):
            run = self.faulty(f'flock:1-:{error}', '--start-rate', '1000/s')
            self.assertEqual((run.wait(), 'warning' in run.err), (0, False), run.err)

    def test_what_passes_is_told_once_and_waited_for(self):
        for error in ('ENOSPC', 'EDQUOT', 'EIO'):
            with self.subTest(error=error):
                run = self.faulty(f'symlinkat:2-3:{error}', '--start-rate', '1000/s')
                self.assertEqual(run.wait(), 0)
                self.assertEqual(run.err.count('warning'), 1, run.err)
                self.assertNotIn('no maximum rate', run.err)

    def test_what_does_not_pass_is_given_up_after_max_delay(self):
        for error in ('ENOSPC', 'EROFS', 'EACCES'):
            with self.subTest(error=error):
                run = self.faulty(f'symlinkat:2-:{error}', '--start-rate', '1000/s',
                                  '--max-delay', '1s')
                self.assertEqual(run.wait(), 0)
                self.assertIn('no maximum rate', run.err)
        self.assertEqual(len(self.starts()), 3)

    def test_an_array_on_a_server_asks_in_turn_and_can_be_stopped_meanwhile(self):
        run = self.faulty('fstatfs:1-:nfs', '--start-rate', '1/s', '--index', '900000', '--count',
                          '1000000')
        self.wait_line(run, 'asks for a place in')
        self.steer('stop')
        self.assertEqual(run.wait(), 0)
        self.assertEqual((self.records(), self.starts()), ([], []))
        self.assertNotIn('warning', run.err)

    def test_a_filesystem_without_links(self):
        for error in ('EPERM', 'EOPNOTSUPP'):
            run = self.faulty(f'symlinkat:1-:{error}', '--start-rate', '1000/s')
            self.assertEqual(run.wait(), 0)
            self.assertIn('without symbolic links; no maximum rate', run.err)

    def test_a_disk_that_hangs_holds_nobody_who_is_told_to_go(self):
        run = self.faulty('symlinkat:2-:hang', '--start-rate', '1000/s')
        until('the keeper', lambda: children_of(run, self.mark))
        run.signal('TERM')
        self.assertEqual(run.wait(), 143)

    def test_a_link_that_was_made_although_it_says_not(self):
        run = self.faulty('symlinkat:2:exists-after', '--start-rate', '1000/s')
        self.assertEqual(run.wait(), 0)
        self.assertEqual(len(self.records()), 1, 'it has not reserved twice')

    def test_records_that_read_as_nothing_for_a_while(self):
        self.assertEqual(self.behind('--start-rate', '1000/s').wait(), 0)
        run = self.faulty('readlinkat:1-4:empty', '--start-rate', '1000/s')
        self.assertEqual(run.wait(), 0)
        self.assertEqual(len({record['g'] for record in self.records()}), 1)

    def test_a_clock_ten_minutes_ahead(self):
        """The disk's own clock puts it right: nobody waits ten minutes, and the rate is kept."""
        self.assertEqual(self.behind('--start-rate', '2/s').wait(), 0)
        self.assertEqual(self.faulty('', '--start-rate', '2/s', ahead='600').wait(), 0)
        self.assertEqual(self.behind('--start-rate', '2/s').wait(), 0)
        reserved = [int(record['t'], 36) / 1e9 for record in self.records()]
        self.assertLess(reserved[2] - reserved[0], 60)
        self.assertTrue(all(b - a >= 0.5 for a, b in zip(reserved, reserved[1:])), reserved)

    def test_a_pause_and_a_resume_by_a_clock_ten_minutes_ahead(self):
        """Who steers goes by the disk's clock, too: nobody waits ten minutes more."""
        self.assertEqual(self.behind('--start-rate', '1000/s').wait(), 0)
        env = self.environ(PW_TEST_CLOCK_AHEAD='600')
        for wrong in ('pause', 'resume'):
            with self.subTest(wrong=wrong):
                for word in ('pause', 'resume'):
                    done = subprocess.run([FAULTY_BINARY, 'gate', word, self.gate], check=False,
                                          env=env if word == wrong else self.environ())
                    self.assertEqual(done.returncode, 0)
                self.assertRegex(self.steer('status'), 'state +run in [0-9]+ s\n')
                with open(f'{self.gate}/ctl', encoding='ascii') as ctl:
                    paused = int(re.search(r'z=(\d+)', ctl.read())[1]) / 1e9
                self.assertGreater(paused, 0)
                self.assertLess(paused, 300)

    def test_who_was_suspended_has_not_waited_in_vain(self):
        """scontrol suspend, Ctrl-Z: the keeper could not speak; no crowd starts after it."""
        self.assertEqual(self.behind('--start-rate', '1/h').wait(), 0)
        run = self.behind('--start-rate', '1/h', '--max-delay', '16s', command=self.stamp(),
                          binary=FAST_BINARY)
        self.addCleanup(self.end_by_pid, run)
        self.wait_line(run)
        both = [*until('its keeper', lambda: children_of(run, self.mark)), run.pid]
        for pid in both:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(1)  # of its clock's, a minute
        for pid in reversed(both):
            os.kill(pid, signal.SIGCONT)
        self.steer('stop')
        self.assertEqual(run.wait(), 0)
        self.assertIn('stopped', run.err)
        self.assertNotIn('no maximum rate', run.err)

    def test_garbled_records_are_never_empty(self):
        self.assertEqual(self.behind('--start-rate', '1/h').wait(), 0)
        second = self.behind('--start-rate', '1/h')
        self.wait_line(second)
        self.addCleanup(self.end_by_pid, second)
        newest = sorted(n for n in os.listdir(self.gate) if n.startswith('q.'))[-1]
        os.unlink(f'{self.gate}/{newest}')
        os.symlink('garbage', f'{self.gate}/{newest}')
        waiting = self.behind('--start-rate', '1/h')
        self.assertRegex(self.wait_line(waiting), r'start in (1h|2h|59m)')
        self.end_by_pid(waiting)


if __name__ == '__main__':
    main()
