#!/usr/bin/env python3
"""The watcher's own life under systemd: restarts, its watchdog, its sandbox."""
import time

from box import WATCH, trainer
from box_test import BoxTest, main
from processes import until

SAVES = ('USR1=save:300:138', 'TERM=log')
ELSEWHERE = '127.0.0.1:8080'


class Life(BoxTest):
    def assert_new_pid(self, old):
        return until('another watcher', lambda: (
            pid := self.box.main_pid(WATCH)) not in (0, old) and
            self.box.show(WATCH, 'ActiveState') == 'active' and pid)

    def test_a_restart_and_a_reload_signal_nobody(self):
        self.watch()
        unit, log = self.wrapped('calm')
        for verb in ('restart', 'reload', 'stop'):
            with self.subTest(verb):
                self.box.systemctl(verb, WATCH)
                self.assert_untouched(unit, log)
        self.assertNotIn('Failed', ' '.join(self.said_of_watcher()))
        self.watch(serve=False)
        self.box.tell('notice', 'after=60')
        self.wait_end(unit)
        self.assertEqual(log.order(), ['USR1'])

    def test_it_says_how_it_is(self):
        self.watch()
        self.wrapped('one')
        until('its status', lambda: self.box.show(WATCH, 'StatusText') ==
              'watching ec2, 1 run registered')

    def test_it_is_ready_without_any_metadata_service(self):
        self.box.systemctl('stop', 'metadata.service', status=None)
        begin = time.monotonic()
        self.watch(serve=False)
        self.assertLess(time.monotonic() - begin, 10)
        unit, log = self.wrapped('calm')
        self.assert_untouched(unit, log)
        self.box.serve('ec2')
        self.box.tell('notice', 'after=60')
        self.wait_end(unit)
        self.assertEqual(log.order(), ['USR1'])

    def test_the_watchdog_is_fed_and_bites(self):
        self.drop_in(WATCH, '[Service]\nWatchdogSec=1s\n')
        self.watch()
        pid = self.box.main_pid(WATCH)
        fed = {self.box.show(WATCH, 'WatchdogTimestampMonotonic')}
        until('three feedings', lambda: fed.add(
            self.box.show(WATCH, 'WatchdogTimestampMonotonic')) or len(fed) > 3)
        self.assertEqual(self.box.main_pid(WATCH), pid)
        unit, log = self.wrapped('one')
        self.box.run('kill', '-s', 'STOP', str(pid))
        self.assert_new_pid(pid)
        self.assertIn('Watchdog timeout', ' '.join(self.said_of_watcher()))
        self.box.tell('notice', 'after=60')
        self.wait_end(unit)
        self.assertEqual(log.order(), ['USR1'])

    def test_a_crash_within_the_notice_loses_and_repeats_nothing(self):
        self.watch()
        slow, slow_log = self.wrapped('slow', *trainer('USR1=save:2500:138', 'TERM=log'))
        alone, alone_log = self.named('alone', 'USR1=save:2500:138', 'TERM=log')
        self.box.tell('notice', 'after=60')
        for log in (slow_log, alone_log):
            log.wait_for('USR1')
        self.wait_line('USR1 sent|: told', 2)
        pid = self.box.main_pid(WATCH)
        self.box.run('kill', '-s', 'KILL', str(pid))
        # Nobody watches for a second.
        late, late_log = self.named('late', *SAVES)
        self.assert_new_pid(pid)
        self.wait_end(late)
        self.assertEqual(late_log.order(), ['USR1'])
        for unit, log in ((slow, slow_log), (alone, alone_log)):
            self.wait_end(unit)
            self.assertEqual((log.order(), len(log.of('saved'))), (['USR1'], 1))

    def test_after_a_crash_the_end_is_kept_all_the_same(self):
        """The last word, and SIGKILL, for who was told before it."""
        self.watch()
        stubborn, log = self.named('stubborn', 'USR1=log', 'TERM=log')
        self.box.tell('notice', 'after=7')
        log.wait_for('USR1')
        self.wait_line('USR1 sent')
        pid = self.box.main_pid(WATCH)
        self.box.run('kill', '-s', 'KILL', str(pid))
        self.assert_new_pid(pid)
        self.wait_end(stubborn)
        self.assertEqual(log.order(), ['USR1', 'TERM'])


class Sandbox(BoxTest):
    def test_without_cap_kill_nothing_is_delivered_and_it_says_so(self):
        """What shows that the tests above see the delivery at all."""
        self.drop_in(WATCH, '[Service]\nCapabilityBoundingSet=\nAmbientCapabilities=\n')
        self.watch()
        unit, log = self.wrapped('untold')
        self.box.tell('notice', 'after=10')
        self.wait_line('not permitted|denied')
        self.wait_line(' 0 delivered')
        self.assertEqual(log.got('USR1'), [])
        self.assertEqual(self.box.show(unit, 'ActiveState'), 'active')

    def test_it_reaches_the_metadata_service_only(self):
        self.box.serve('ec2', listen=ELSEWHERE)
        self.box.tell('notice', 'after=60')
        unit, log = self.wrapped('calm')
        self.watch(serve=False, source=f'ec2:poll=200ms,endpoint=http://{ELSEWHERE}')
        self.wait_line('127.0.0.1')
        self.assertEqual(self.box.tell('connections').split()[0], '0')
        self.assert_untouched(unit, log)
        # The very same, with the address allowed.
        self.drop_in(WATCH, '[Service]\nIPAddressAllow=127.0.0.1\n')
        self.box.systemctl('restart', WATCH)
        self.wait_end(unit)
        self.assertEqual(log.order(), ['USR1'])


if __name__ == '__main__':
    main()
