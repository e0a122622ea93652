#!/usr/bin/env python3
"""From the metadata service's real address to the trainer's handler, with the shipped units."""
import os

from box import RUN_DIR, WATCH, trainer
from box_test import BoxTest, main

NAME = 'preempt-wrap@job.service'
SAVES = ('USR1=save:300:138', 'TERM=log')
MACHINES = (
    ('ec2', 'action=terminate', {'sys_vendor': 'Amazon EC2', 'product_name': 'g5.xlarge'}),
    ('gce', 'action=preempted', {'sys_vendor': 'Google', 'product_name': 'Google Compute Engine'}),
    ('azure', 'action=Preempt', {'sys_vendor': 'Microsoft Corporation',
                                 'product_name': 'Virtual Machine',
                                 'chassis_asset_tag': '7783-7084-3265-9085-8269-3286-77'}),
)
REGISTERED = ['/usr/local/bin/preempt-wrap', 'run', '--register', '--']
CROWD = "import os; [(os.mkdir(f'f{i}'), open(f'f{i}/x.pid', 'w').write('1')) " \
        "for i in range(1000)]"
WAYS = (  # cloud, what is told, what the watcher calls it
    ('ec2', ['notice', 'action=terminate', 'after=60'], 'ec2'),
    ('ec2-ipv6', ['notice', 'action=stop', 'after=60'], 'ec2'),
    ('gce', ['notice', 'action=preempted'], 'gce'),
)


class Notice(BoxTest):
    def test_the_trainer_of_another_user_saves_and_its_unit_is_preempted(self):
        for cloud, notice, name in WAYS:
            with self.subTest(cloud):
                self.watch(cloud)
                unit, log = self.instance(cloud, trainer(*SAVES))
                self.box.tell(*notice)
                self.assertEqual(self.wait_end(unit), 'inactive')
                self.assertEqual(log.order(), ['USR1'])
                self.assertEqual(len(log.of('saved')), 1)
                said = ' '.join(self.box.said_of(unit))
                self.assertIn('Deactivated successfully', said)
                self.assertNotIn('Failed with result', said)
                self.assertNotIn('Scheduled restart', said)
                self.wait_line(f'notice {name} .*1 delivered, 0 gone, 0 refused')
                self.assertEqual(len(self.wait_line(r'\): told')), 1)
                self.clean()
                self.forget()

    def test_the_machine_says_which_cloud_it_is(self):
        """The unit and its settings as installed: nothing in watch.env."""
        self.addCleanup(self.box.firmware)
        self.box.run('cp', '/src/systemd/watch.env', '/etc/preempt-wrap/watch.env')
        for cloud, notice, firmware in MACHINES:
            with self.subTest(cloud):
                self.box.firmware(**firmware)
                self.box.serve(cloud)
                self.box.systemctl('start', WATCH)
                unit, log = self.wrapped(cloud)
                self.box.tell('notice', notice)
                self.wait_end(unit)
                self.assertEqual(log.order(), ['USR1'])
                self.wait_line(f'notice {cloud} .*1 delivered')
                self.clean()
                self.forget()

    def test_saved_with_exit_0_is_85(self):
        self.drop_in(NAME, "[Service]\nExecStopPost=/bin/sh -c 'echo ended $$SERVICE_RESULT "
                           "$$EXIT_CODE $$EXIT_STATUS'\n")
        self.watch()
        unit, log = self.instance('job', trainer('USR1=save:100:0'))
        self.box.tell('notice', 'after=60')
        self.assertEqual(self.wait_end(unit), 'inactive')
        self.assertEqual(len(log.of('saved')), 1)
        self.assertIn('ended success exited 85', self.box.said(unit))

    def test_advice_tells_nobody(self):
        self.watch()
        unit, log = self.wrapped('quiet')
        self.box.tell('notice', 'action=rebalance')
        self.wait_line('rebalance')
        self.assert_untouched(unit, log)

    def test_a_stubborn_one_is_killed_before_the_end_and_another_saves(self):
        """The stubborn one twice: below a wrapper, and alone with its PID file."""
        self.watch()
        wrapped, _ = self.wrapped('stubborn', *trainer('all=ignore'))
        alone, _ = self.named('alone', 'all=ignore')
        # bash, and not the trainer in its place, is what the wrapper has started.
        command = ' '.join(trainer(*SAVES))
        behind, log = self.wrapped('behind', '/bin/bash', '-c', f'{command}; exit $?')
        given = self.box.journal()[-1]['at']
        self.box.tell('notice', 'after=6')
        for unit in (wrapped, alone, behind):
            self.wait_end(unit)
        self.assertEqual(log.order(), ['USR1'])
        self.assertEqual(len(log.of('saved')), 1)
        for unit in (wrapped, alone):
            ended = self.box.journal(f'UNIT={unit}')[-1]['at']
            # EC2's time has whole seconds.
            self.assertLess(ended - given, 7e9, unit)
        self.assertIn('SIGKILL', ' '.join(self.box.said(wrapped)))
        self.wait_line('probe_trainer.*SIGKILL')
        self.wait_line('3 delivered, 0 gone, 0 refused')

    def test_who_registers_after_the_notice_is_told_at_once(self):
        self.watch()
        first, _ = self.wrapped('first')
        self.box.tell('notice', 'after=60')
        self.wait_end(first)
        alone, log = self.named('late', *SAVES)
        self.wait_end(alone)
        self.assertEqual(log.order(), ['USR1'])
        unit, log = self.process('later', *REGISTERED, *trainer(*SAVES))
        self.wait_end(unit)
        self.assertEqual(log.order(), ['USR1'])

    def test_a_user_with_a_narrow_umask_is_told(self):
        self.watch()
        unit, log = self.process('narrow', '-p', 'UMask=0077', *REGISTERED, *trainer(*SAVES))
        log.ready()
        self.until('the PID file', lambda: self.registered(self.box.main_pid(unit)))
        self.box.tell('notice', 'after=60')
        self.wait_end(unit)
        self.assertEqual(log.order(), ['USR1'])

    def test_a_sites_command_is_run_once(self):
        self.box.write('/run/site', '#!/bin/sh\necho "site: $PREEMPT_CAUSE $(id -un)"\n', 0o755)
        self.watch(options='--on-notice /run/site')
        unit, _ = self.wrapped('one')
        self.box.tell('notice', 'after=60')
        self.wait_end(unit)
        self.assertEqual(len(self.wait_line('site: cloud preempt-wrap')), 1)


class Planted(BoxTest):
    """What mallory puts into the run directory."""

    def as_mallory(self, script, status=0):
        self.box.run('setpriv', '--reuid=mallory', '--regid=mallory', '--clear-groups', 'sh', '-c',
                     script, status=status)

    def test_files_of_another_user_are_refused_and_logged(self):
        self.watch()
        victim, log = self.wrapped('victim')
        pid = self.box.main_pid(victim)
        uid = self.box.run('id', '-u', 'alice').strip()
        folder = f'{RUN_DIR}/mallory'
        planted = {
            f'{RUN_DIR}/planted.pid': '',
            f'{folder}/planted.pid': '',
            f'{folder}/all.pid': f'chmod 666 {folder}/all.pid',
            f'{folder}/link.pid': f'ln -sf {RUN_DIR}/{uid}/{pid}.pid {folder}/link.pid',
        }
        # The victim's own file is taken away: else it would be told, and rightly.
        self.box.run('mv', f'{RUN_DIR}/{uid}/{pid}.pid', '/run/aside')
        for path, more in planted.items():
            self.plant(path, pid, 'mallory', more)
        self.plant(f'{folder}/init.pid', 1, 'mallory')
        self.plant(f'{folder}/text.pid', 'x' * 70000, 'mallory')
        self.plant(f'{folder}/fifo.pid', '', 'mallory',
                   f'rm {folder}/fifo.pid; mkfifo {folder}/fifo.pid')
        own, own_log = self.named('own', *SAVES, user='mallory')
        self.box.tell('notice', 'after=60')
        self.wait_end(own)
        self.assertEqual(own_log.order(), ['USR1'])
        for path in (*planted, f'{folder}/init.pid', f'{folder}/text.pid', f'{folder}/fifo.pid'):
            self.wait_line(f'{path} .*nothing was signalled')
        self.assert_untouched(victim, log)

    def test_a_folder_that_others_can_write_proves_nothing(self):
        """A file is believed of its owner's processes, whoever owns the folder."""
        self.watch()
        open_folder = f'{RUN_DIR}/open'
        self.plant(f'{open_folder}/x.pid', 2, 'mallory', f'chmod 777 {open_folder}')
        guest, guest_log = self.named('guest', *SAVES, path=f'{open_folder}/guest.pid')
        victim, log = self.named('victim', *SAVES)
        self.box.run('rm', '-r', f'{RUN_DIR}/alice')
        self.plant(f'{open_folder}/victim.pid', self.box.main_pid(victim), 'mallory')
        self.box.tell('notice', 'after=60')
        self.wait_end(guest)
        self.assertEqual(guest_log.order(), ['USR1'])
        self.wait_line('open/victim.pid .*nothing was signalled')
        self.assert_untouched(victim, log)

    def test_whose_folder_is_taken_has_another_and_is_told(self):
        self.watch()
        folder = f'{RUN_DIR}/{self.box.run("id", "-u", "alice").strip()}'
        for how in (f'mkdir -m 777 {folder}', f'ln -s /tmp {folder}', f'echo 1 >{folder}'):
            with self.subTest(how):
                self.as_mallory(how)
                unit, log = self.process('taken', *REGISTERED, *trainer('USR1=save:10:0'))
                log.ready()
                self.box.tell('notice', 'after=60')
                self.wait_end(unit)
                self.assertEqual(log.order(), ['USR1'])
                before = ' '.join(self.watched()).count('withdrawn')
                self.box.tell('withdraw')
                self.until('the withdrawal', lambda: ' '.join(
                    self.watched()).count('withdrawn') > before)
                self.box.run('sh', '-c', f'rm -rf {folder}* /run/taken')

    def test_a_crowd_of_files_delays_nobody(self):
        self.watch()
        self.as_mallory(f'cd {RUN_DIR}; python3 -c "{CROWD}"')
        unit, log = self.wrapped('one')
        self.box.tell('notice', 'after=60')
        self.wait_end(unit)
        self.assertEqual(log.order(), ['USR1'])
        self.assertLess(len(self.watched()), 400)

    def test_mallory_cannot_touch_what_others_have_put_there(self):
        self.watch()
        unit, _ = self.wrapped('mine')
        path = os.path.join(RUN_DIR, self.registered(self.box.main_pid(unit)))
        for script in (f'rm -f {path}', f'echo 1 >{path}', f'mv {os.path.dirname(path)} /tmp/x'):
            self.as_mallory(script, status=None)
        self.assertEqual(self.box.run('cat', path).strip(), str(self.box.main_pid(unit)))


if __name__ == '__main__':
    main()
