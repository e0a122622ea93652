#!/usr/bin/env python3
"""The shipped units, and the trainer's without a notice: start, stop, failure, success."""
import re

from box import RUN_DIR, WATCH, trainer
from box_test import BoxTest, main

NAME = 'preempt-wrap@job.service'
EXPOSURE = {WATCH: 2.0, NAME: 5.5}  # at most; a trainer needs GPUs, a JIT and its network


class Files(BoxTest):
    def test_systemd_has_nothing_to_say_of_them(self):
        self.assertEqual(self.box.run('systemd-analyze', 'verify', WATCH, NAME), '')

    def test_exposure(self):
        for unit, most in EXPOSURE.items():
            with self.subTest(unit):
                said = self.box.run('systemd-analyze', 'security', unit)
                level = float(re.search(r'Overall exposure level .*: ([0-9.]+)', said)[1])
                self.assertLessEqual(level, most)

    def test_the_network_is_not_waited_for(self):
        for unit in (WATCH, NAME):
            for relation in ('After', 'Wants', 'Requires'):
                self.assertNotIn('network-online', self.box.show(unit, relation), unit)

    def test_everybody_can_register_and_nobody_can_touch_anothers(self):
        said = self.box.run('stat', '-c', '%a %U', RUN_DIR).split()
        self.assertEqual(said, ['1777', 'root'])

    def test_the_watcher_has_one_capability_and_no_name_of_root(self):
        self.watch()
        said = self.box.run('cat', f'/proc/{self.box.main_pid(WATCH)}/status')
        of = dict(line.split(':', 1) for line in said.splitlines())
        for name in ('CapEff', 'CapPrm', 'CapBnd', 'CapAmb'):
            self.assertEqual(int(of[name], 16), 1 << 5, name)  # CAP_KILL
        self.assertNotIn('0', of['Uid'].split())


class Trainer(BoxTest):
    def test_a_stop_waits_for_the_save_beyond_the_timeout(self):
        self.drop_in(NAME, '[Service]\nTimeoutStopSec=1s\n')
        unit, log = self.instance('job', trainer('TERM=save:2500:143'))
        self.box.systemctl('stop', unit)
        self.assertEqual(log.order(), ['TERM'])
        self.assertEqual(len(log.of('saved')), 1)
        said = self.box.said_of(unit)
        self.assertNotIn('Killing', ' '.join(said))
        self.assertTrue(said[-1].startswith('Stopped'), said)
        self.assertNotIn('Failed with result', ' '.join(said))

    def test_it_is_started_when_the_trainer_says_so(self):
        """Not before: the first log line comes before systemd's `Started`."""
        script = 'import subprocess, sys; print("begins", flush=True); ' \
                 'subprocess.run(["systemd-notify", "--ready"]); sys.stdin.read()'
        self.box.write('/run/ready.py', script + '\nimport time\nwhile True: time.sleep(9)\n')
        unit = 'preempt-wrap@ready.service'
        self._units.append(unit)
        self.box.write('/etc/preempt-wrap/ready.env', 'TRAINER="/usr/bin/python3 /run/ready.py"\n'
                       'PREEMPT_WRAP_RUN_OPTIONS="--ready notify"\n')
        self.box.systemctl('start', unit)
        order = [entry['MESSAGE'] for entry in self.box.journal()
                 if 'ready' in entry.get('UNIT', entry.get('_SYSTEMD_UNIT', ''))]
        begins = order.index('begins')
        started = next(i for i, line in enumerate(order) if line.startswith('Started'))
        self.assertLess(begins, started)

    def test_a_start_that_waits_for_its_turn_is_no_timeout(self):
        """Seen: with --ready notify TimeoutStartSec ended it at the gate."""
        unit = 'preempt-wrap@turn.service'
        self._units.append(unit)
        self.drop_in(unit, '[Service]\nTimeoutStartSec=2s\n')
        self.box.write('/run/turn.py', 'import subprocess, time\n'
                       'subprocess.run(["systemd-notify", "--ready"])\ntime.sleep(600)\n')
        self.box.write('/etc/preempt-wrap/turn.env', 'TRAINER="/usr/bin/python3 /run/turn.py"\n'
                       'PREEMPT_WRAP_RUN_OPTIONS="--ready notify --stagger 8s --index 1 --count 2"\n')
        self.box.systemctl('start', unit)  # fails with the unit
        self.assertEqual(self.box.show(unit, 'ActiveState'), 'active')

    def test_a_kill_switch_is_a_clean_end(self):
        """Seen: a main process that ends before READY=1 is a failure, and started again."""
        self.box.write('/run/off', '')
        self._units.append('preempt-wrap@off.service')
        self.box.write('/etc/preempt-wrap/off.env',
                       'TRAINER="/bin/true"\nPREEMPT_WRAP_RUN_OPTIONS="--kill-switch /run/off"\n')
        self.box.systemctl('start', 'preempt-wrap@off.service')
        self.wait_end('preempt-wrap@off.service')
        self.assertEqual(self.box.show('preempt-wrap@off.service', 'Result'), 'success')
        self.assertEqual(self.box.show('preempt-wrap@off.service', 'NRestarts'), '0')
        self.assertIn('not started: the kill switch', ' '.join(
            self.box.said('preempt-wrap@off.service')))

    def test_the_journal_stamps_its_lines_alone(self):
        unit, _ = self.instance('job', trainer())
        self.assertIn('preempt-wrap: start: ', ' '.join(self.box.said(unit)))

    def test_success_is_no_restart_and_failure_is_one(self):
        for code, restarts in ((0, False), (85, False), (138, False), (143, False), (1, True),
                               (137, True)):
            with self.subTest(code):
                self.drop_in(NAME, '[Service]\nRestartSec=100ms\n')
                mark = len(self.box.said_of(NAME))
                self.instance('job', trainer(f'end=50:{code}'))
                self.box.wait_state(NAME, 'inactive', 'activating', 'failed')
                if restarts:
                    self.box.log_of('/var/lib/train/job').wait_for('ready', 2)
                said = ' '.join(self.box.said_of(NAME)[mark:])
                self.assertEqual('Scheduled restart' in said, restarts, said)
                self.assertEqual('Failed with result' in said, restarts, said)
                self.clean()

    def test_a_finished_training_is_not_started_again(self):
        self.instance('done', ['/bin/sh', '-c', "'echo 1 1 ready >trainer.log; touch done'"])
        self.wait_end('preempt-wrap@done.service')
        self.box.systemctl('start', 'preempt-wrap@done.service')
        self.assertIn('skipped', self.box.said_of('preempt-wrap@done.service')[-1])

    def test_without_its_settings_it_says_so(self):
        self.box.systemctl('start', 'preempt-wrap@nosuch.service', status=1)
        self.assertRegex(' '.join(self.box.said_of('preempt-wrap@nosuch.service')),
                         'environment files')


class Uninstall(BoxTest):
    def test_it_stops_the_watcher_and_leaves_the_training_alone(self):
        self.addCleanup(self.box.install)
        unit, log = self.instance('job', trainer())
        self.watch()
        self.box.systemctl('enable', '-q', WATCH, unit)
        self.box.run('/src/scripts/install', '--uninstall')
        self.assertEqual(self.box.show(WATCH, 'LoadState'), 'not-found')
        self.assertEqual(self.box.show(WATCH, 'ActiveState'), 'inactive')
        self.assert_untouched(unit, log)
        left = self.box.run('find', '/usr/local', '/etc/systemd', '-name', '*preempt-wrap*')
        self.assertEqual(left, '')


class AsTheyAre(BoxTest):
    def test_a_foreign_unit_saves_at_its_stop(self):
        """The drop-in examples/relay.conf, for a unit that knows nothing of us."""
        self.box.run('install', '-D', '/usr/local/share/preempt-wrap/systemd/relay.conf',
                     '/run/systemd/system/plain.service.d/relay.conf')
        command = ' '.join(trainer('USR1=save:1500:138', 'TERM=log', folder='/run/plain/'))
        self.box.write('/run/systemd/system/plain.service',
                       '[Service]\nUser=alice\nRuntimeDirectory=plain\n'
                       f'RuntimeDirectoryPreserve=yes\nExecStart={command}\n')
        self._units.append('plain.service')
        self.box.systemctl('daemon-reload')
        self.box.systemctl('start', 'plain.service')
        log = self.box.log_of('/run/plain')
        log.ready()
        self.box.systemctl('stop', 'plain.service')
        self.assertEqual(log.order(), ['USR1'])
        self.assertEqual(len(log.of('saved')), 1)
        self.assertNotIn('Failed with result', ' '.join(self.box.said_of('plain.service')))


if __name__ == '__main__':
    main()
