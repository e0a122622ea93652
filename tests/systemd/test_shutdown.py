#!/usr/bin/env python3
"""The end of the machine: the order in which things go, and a training that goes on at the next
boot."""
import json
import os
import shutil
import subprocess
import tempfile
import unittest

from box import RUN_DIR, WATCH, Box, trainer
from box_test import SOURCES, main
from processes import until
from wrapper import TrainerLog

STEPS = 300
MEMORY = '/var/lib/private/preempt-wrap'
# As a real network's unit is ordered.
NETWORK = '''[Unit]
Description=stand-in network
Wants=network.target
Before=network.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/true
ExecStop=/bin/true
'''
# The disk that outlives the machine.
MOUNT = '''[Unit]
Description=stand-in checkpoint disk
[Mount]
What=/persist
Where=/var/lib/train
Type=none
Options=bind
'''
# Its steps outlive its stop, as Slurm's do.
SLURMD = '''[Unit]
Description=stand-in slurmd
After=network.target
[Service]
KillMode=process
ExecStart=/bin/sh /run/slurmd
'''
STEP = '''umask 022
mkdir -p {run_dir}/alice
cd /persist/step
{command} &
echo $! >{run_dir}/alice/step.pid
'''


class ShutdownTest(unittest.TestCase):
    def setUp(self):
        self.disk = tempfile.mkdtemp(prefix='pw-disk-')
        self.addCleanup(shutil.rmtree, self.disk)
        os.chmod(self.disk, 0o755)
        os.mkdir(os.path.join(self.disk, 'step'))
        os.chmod(os.path.join(self.disk, 'step'), 0o777)

    def boot(self):
        box = Box({self.disk: '/persist'})
        self.addCleanup(box.stop)
        for name, text in (('network-stand-in.service', NETWORK), ('slurmd.service', SLURMD),
                           ('var-lib-train.mount', MOUNT)):
            box.write(f'/etc/systemd/system/{name}', text)
        box.write('/etc/systemd/system/persist.mount.d/keep.conf',
                  '[Unit]\nDefaultDependencies=no\n')
        box.write('/etc/preempt-wrap/watch.env',
                  f'PREEMPT_WRAP_WATCH_OPTIONS="--cloud {SOURCES["ec2"]}"\n')
        box.serve('ec2')
        box.systemctl('daemon-reload')
        box.systemctl('start', 'network-stand-in', WATCH)
        return box

    def log(self, name):
        return TrainerLog(os.path.join(self.disk, name, 'trainer.log'))

    def settings(self, box, name, command):
        box.write(f'/etc/preempt-wrap/{name}.env', f'TRAINER="{" ".join(command)}"\n')

    def when(self, box, pattern, *match):
        """The first such line of the journal, in nanoseconds of CLOCK_MONOTONIC."""
        found = [entry['at'] for entry in box.journal(*match) if pattern in entry['MESSAGE']]
        self.assertTrue(found, f'{pattern}: not in the journal')
        return found[0]


class Order(ShutdownTest):
    def test_all_save_before_network_and_disk_go(self):
        """A unit of ours, and a trainer that no unit's stop reaches."""
        box = self.boot()
        self.settings(box, 'job', trainer('USR1=save:2000:138', 'TERM=save:2000:143'))
        box.systemctl('start', 'preempt-wrap@job')
        unit_log = self.log('job')
        unit_log.ready()
        command = ' '.join(trainer('USR1=save:2000:138', 'TERM=log'))
        step = STEP.format(run_dir=RUN_DIR, command=command)
        box.write('/run/step', step)
        box.write('/run/slurmd', 'setpriv --reuid=alice --regid=alice --clear-groups '
                  'sh /run/step\nexec sleep infinity\n')
        box.systemctl('start', 'slurmd')
        step_log = self.log('step')
        step_log.ready()
        box.power_off()

        network = self.when(box, 'Stopped network-stand-in.service')
        disk = self.when(box, 'Unmounting var-lib-train.mount')
        slurmd = self.when(box, 'Stopping slurmd.service')
        for log, order in ((unit_log, (['USR1'], ['TERM'])), (step_log, (['USR1'],))):
            with self.subTest(log.path):
                # Told twice at once, by systemd and by the watcher; the first counts.
                self.assertIn(log.order(), order)
                saved, = log.of('saved')
                self.assertLess(saved.at, network)
                self.assertLess(saved.at, disk)
        self.assertLess(step_log.of('saved')[0].at, slurmd)
        said = [entry['MESSAGE'] for entry in box.journal(f'_SYSTEMD_UNIT={WATCH}')]
        self.assertIn('shutdown', ' '.join(said))
        self.assertNotIn('Failed with result', ' '.join(box.said_of(WATCH)))
        self.assertNotIn('Failed with result', ' '.join(box.said_of('preempt-wrap@job.service')))


class Resumes(ShutdownTest):
    def test_a_stopped_instance_goes_on_where_it_was(self):
        box = self.boot()
        self.start_training(box)
        until('some steps', lambda: len(self.steps()) > 5)
        box.tell('notice', 'action=stop', 'after=60')
        box.wait_state('preempt-wrap@job.service', 'inactive')
        saved = self.checkpoint()
        self.assertEqual(self.steps(), list(range(1, saved + 1)))
        self.assertLess(saved, STEPS)
        keep = os.path.join(self.disk, 'memory')
        self.copy(box.path(MEMORY), keep)
        noted = [name for _, _, names in os.walk(keep) for name in names]
        # Who was told, and of what end.
        self.assertEqual(len(noted), 2, 'the watcher remembers nothing')
        box.power_off()
        self.assertEqual(self.checkpoint(), saved)

        again = self.boot()
        again.systemctl('stop', WATCH)
        self.copy(keep, again.path(MEMORY))
        again.systemctl('start', WATCH)
        self.start_training(again)
        again.wait_state('preempt-wrap@job.service', 'inactive', 'failed')
        self.assertEqual(self.steps(), list(range(1, STEPS + 1)), 'each step once')
        said = ' '.join(again.said_of('preempt-wrap@job.service'))
        self.assertNotIn('Failed with result', said)

    def copy(self, source, target):
        """With owners, links and all."""
        subprocess.run(['cp', '-aT', source, target], check=True)

    def start_training(self, box):
        self.settings(box, 'job', ['/usr/bin/python3', '/src/examples/train.py', '--steps',
                                   str(STEPS), '--step-time', '0.01', '--save-time', '0.3',
                                   '--trace', 'trace'])
        box.systemctl('enable', '-q', '--now', 'preempt-wrap@job')

    def steps(self):
        try:
            with open(os.path.join(self.disk, 'job', 'trace'), encoding='ascii') as file:
                return [int(line) for line in file]
        except FileNotFoundError:
            return []

    def checkpoint(self):
        with open(os.path.join(self.disk, 'job', 'checkpoint.json'), encoding='ascii') as file:
            return json.load(file)['step']


if __name__ == '__main__':
    main()
