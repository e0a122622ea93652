"""The node's daemon, `preempt-wrap watch`, on plain processes; systemd is tests/systemd's."""
import json
import os
import signal
import subprocess
import time

from clouds import LIMIT, SAVES, CloudTest, main, source, until

IGNORES = 'all=log'
NOBODY = 65534


class Watch(CloudTest):
    def setUp(self):
        super().setUp()
        self.run_dir = self.path('run')
        os.mkdir(self.run_dir)
        os.chmod(self.run_dir, 0o1777)
        self.notice_file = self.path('notice.json')

    def watch(self, *options, cloud=None, name='watch', **how):
        """Starts the daemon; returns when it has looked at the folder for the first time."""
        cloud = cloud or 'file:' + self.notice_file
        watch = self.start('watch', '--cloud', cloud, '--run-dir', self.run_dir,
                           '--state-dir', self.path('state'), '--journal',
                           self.path(name + '.journal'), *options, **how)
        until('the daemon', lambda: 'watching' in watch.err)
        return watch

    def notice(self, seconds=60, action='terminate', file=None, **more):
        at = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(time.time() + seconds))
        text = json.dumps({'action': action, 'time': at, **more})
        os.rename(self.write('notice.new', text), file or self.notice_file)

    def register(self, *rules, log, name=None, folder=None, bare=True, run_options=()):
        """A process that is registered: a bare trainer by its PID file, or a wrapped run."""
        if bare:
            command = self.trainer(*rules, log=log)
            process = self.start(*command[1:], binary=command[0])
            self.log(log).ready()
            self.plant(name or log, process.pid, folder)
            return process
        run = self.start('run', '--register', '--run-dir', self.run_dir, *run_options, '--',
                         *self.trainer(*rules, log=log))
        self.log(log).ready()
        until('its registration', lambda: any(
            str(run.pid) in path for path in self.registered()))
        return run

    def plant(self, name, pid, folder=None, owner=None):
        folder = folder or self.run_dir
        new = os.path.join(folder, '.' + name)
        with open(new, 'w', encoding='ascii') as file:
            file.write(f'{pid}\n')
        if owner is not None:
            os.chown(new, owner, owner)
        os.rename(new, os.path.join(folder, name + '.pid'))

    def registered(self):
        return [os.path.join(at, name) for at, _, names in os.walk(self.run_dir)
                for name in names if name.endswith('.pid')]

    def says(self, watch, text):
        until(text, lambda: text in watch.err)

    def end(self, watch):
        watch.signal('TERM')
        self.assertEqual(watch.wait(), 0, watch.err)


class Told(Watch):
    def test_all_who_are_registered_and_nobody_else(self):
        one = self.register(SAVES, log='one')
        two = self.register('USR1=exit:7', log='two', bare=False)
        other = self.start(*self.trainer(IGNORES, log='other')[1:],
                           binary=self.trainer(IGNORES)[0])
        self.log('other').ready()
        watch = self.watch()
        self.notice()
        self.assertEqual((one.wait(), two.wait()), (138, 7), watch.err)
        self.says(watch, 'notice file (terminate): 2 delivered, 0 gone, 0 refused')
        self.assertEqual(self.log('other').order(), [])
        self.assertTrue(other.running())
        self.end(watch)

    def test_azure_may_begin_when_the_last_one_has_saved(self):
        for ack, posts in (('no', 0), ('yes', 1)):
            with self.subTest(ack=ack):
                server = self.serve('azure')
                quick = self.register(SAVES, log='quick.' + ack)
                slow = self.register('USR1=save:500:138', log='slow.' + ack)
                watch = self.watch(cloud=source('azure', server, ack=ack), name=ack)
                server.notice()
                self.assertEqual((quick.wait(), slow.wait()), (138, 138), watch.err)
                self.says(watch, 'notice azure (Preempt): 2 delivered, 0 gone, 0 refused')
                self.end(watch)
                told = server.asked(method='POST')
                self.assertEqual(len(told), posts)
                saved = self.log('slow.' + ack).of('saved')[0].at / 1e9
                self.assertTrue(all(post.at > saved for post in told))

    def test_a_registered_run_learns_the_deadline_from_the_signal(self):
        run = self.register('USR1=save:1:138', log='run', bare=False,
                            run_options=('--journal', self.path('run.journal')))
        watch = self.watch()
        self.notice(40)
        self.assertEqual(run.wait(), 138, run.err)
        told = next(line for line in self.journal('run.journal') if line['event'] == 'notice')
        self.assertLessEqual(told['left_ms'], 40_000)
        self.assertGreater(told['left_ms'], 20_000)
        self.end(watch)

    def test_its_registration_goes_with_it(self):
        run = self.register('TERM=exit:0', log='run', bare=False)
        run.signal('TERM')
        self.assertEqual(run.wait(), 0)
        self.assertEqual(self.registered(), [])

    def test_who_registers_after_the_notice_is_told_at_once(self):
        watch = self.watch()
        self.notice()
        self.says(watch, 'notice from file (terminate)')
        late = self.register(SAVES, log='late')
        self.assertEqual(late.wait(), 138, watch.err)
        folder = os.path.join(self.run_dir, 'somebody')
        os.mkdir(folder)
        later = self.register(SAVES, log='later', folder=folder)
        self.assertEqual(later.wait(), 138, watch.err)
        self.end(watch)

    def test_one_that_ignores_everything_is_killed_before_the_end(self):
        stubborn = self.register(IGNORES, log='stubborn')
        watch = self.watch()
        self.notice(8)
        begun = time.monotonic()
        self.assertEqual(stubborn.wait(), -signal.SIGKILL, watch.err)
        self.assertLess(time.monotonic() - begun, 8)
        self.assertEqual(self.log('stubborn').order(), ['USR1', 'TERM'])
        self.end(watch)

    def test_advice_ends_nobody(self):
        process = self.register(IGNORES, log='process')
        deaf = self.start('60', binary='/bin/sleep')
        self.plant('deaf', deaf.pid)
        watch = self.watch(cloud='file:' + self.notice_file)
        self.notice(action='rebalance', advice=True)
        self.says(watch, 'advises: rebalance')
        self.assertEqual(self.log('process').order(), [])
        self.assertTrue(deaf.running())
        self.end(watch)
        self.assertTrue(process.running())

    def test_hibernation_and_advice_end_no_registered_run(self):
        for name in ('hibernate', 'rebalance'):
            with self.subTest(name):
                server = self.serve('ec2')
                run = self.register('USR1=log', log=name, bare=False,
                                    run_options=('-k', '1s', '--lead', '1s'))
                watch = self.watch(cloud=source('ec2', server, advice='relay'), name=name)
                server.notice(action=name)
                self.log(name).wait_for('USR1')
                run.fence(self.log(name))
                until('it says so', lambda: 'as advice' in run.err)
                self.assertNotIn('SIGKILL in', run.err)
                self.end(watch)
                self.assertTrue(run.running())

    def test_a_run_says_whether_anybody_serves_it(self):
        alone = self.register('TERM=exit:0', log='alone', bare=False)
        self.assertIn('no preempt-wrap watch serves it now', alone.err)
        watch = self.watch()
        served = self.register('TERM=exit:0', log='served', bare=False)
        self.assertNotIn('warning', served.err)
        self.assertIn('registered in', served.err)
        self.end(watch)
        after = self.register('TERM=exit:0', log='after', bare=False)
        self.assertIn('no preempt-wrap watch serves it now', after.err)

    def test_a_nearer_end_brings_the_kill_nearer(self):
        stubborn = self.register(IGNORES, log='stubborn')
        watch = self.watch()
        self.notice(600)
        self.log('stubborn').wait_for('USR1')
        self.notice(6)
        self.assertEqual(stubborn.wait(), -signal.SIGKILL, watch.err)
        self.assertEqual(len(self.log('stubborn').got('USR1')), 1)
        self.end(watch)

    def test_the_hook_knows_why_and_until_when(self):
        out = self.path('hook')
        watch = self.watch('--on-notice', f'env | grep PREEMPT_ >{out}.new; mv {out}.new {out}')
        self.notice(90)
        until('the hook', lambda: os.path.exists(out))
        with open(out, encoding='ascii') as file:
            said = dict(line.strip().split('=', 1) for line in file)
        self.assertEqual(said['PREEMPT_CAUSE'], 'cloud')
        self.assertAlmostEqual(int(said['PREEMPT_DEADLINE']), time.time() + 90, delta=30)
        self.end(watch)

    def test_a_folder_that_comes_later(self):
        os.rmdir(self.run_dir)
        watch = self.watch()
        self.says(watch, 'cannot be watched yet')
        os.mkdir(self.run_dir)
        one = self.register(SAVES, log='one')
        self.notice()
        watch.signal('HUP')
        self.assertEqual(one.wait(), 138, watch.err)
        self.end(watch)


class Remembers(Watch):
    def test_a_crash_repeats_nothing_and_forgets_nobody(self):
        told = self.register(IGNORES, log='told')
        watch = self.watch()
        self.notice(600)
        self.log('told').wait_for('USR1')
        until('it is written down', lambda: os.listdir(self.path('state/told')))
        watch.signal('KILL')
        watch.wait()
        new = self.register(SAVES, log='new')
        again = self.watch(name='again')
        self.assertEqual(new.wait(), 138, again.err)
        self.says(again, 'was told before our restart')
        self.assertEqual(self.log('told').order(), ['USR1'])
        self.assertTrue(told.running())
        self.end(again)

    def test_a_note_of_another_boot_or_of_an_end_that_has_passed_is_none(self):
        process = self.register(SAVES, log='process')
        with open(f'/proc/{process.pid}/stat', encoding='ascii') as file:
            start = file.read().rsplit(') ', 1)[1].split()[19]
        note = self.path(f'state/told/{process.pid}.{start}')
        os.makedirs(os.path.dirname(note), 0o700)
        os.chmod(self.path('state'), 0o700)
        os.symlink(f'another-boot {10**18}', note)
        watch = self.watch()
        self.notice()
        self.assertEqual(process.wait(), 138, watch.err)
        self.end(watch)

    def test_no_state_folder_is_a_warning(self):
        os.mkdir(self.path('state'))
        os.chmod(self.path('state'), 0o777)
        watch = self.watch()
        self.says(watch, 'a restart would tell everybody again')
        one = self.register(SAVES, log='one')
        self.notice()
        self.assertEqual(one.wait(), 138)
        self.end(watch)


class Doubt(Watch):
    def test_files_of_others_and_of_nobody(self):
        self.need_root()
        process = self.register(IGNORES, log='process', name='not-yet')
        os.unlink(self.registered()[0])
        self.plant('planted', process.pid, owner=NOBODY)
        self.plant('garbage', 'rm -rf /')
        self.plant('init', 1)
        self.plant('long', '9' * 200)
        os.symlink(self.write('elsewhere.pid', f'{process.pid}\n'), self.run_dir + '/link.pid')
        os.mkfifo(self.run_dir + '/fifo.pid')
        folder = os.path.join(self.run_dir, 'nobody')
        os.mkdir(folder)
        os.chown(folder, NOBODY, NOBODY)
        self.plant('planted', process.pid, folder, owner=NOBODY)
        watch = self.watch()
        self.notice()
        good = self.register(SAVES, log='good')
        self.assertEqual(good.wait(), 138, watch.err)
        self.assertEqual(self.log('process').order(), [])
        refused = [line for line in watch.err.splitlines() if 'nothing was signalled' in line]
        self.assertEqual(len(refused), 7, watch.err)
        self.end(watch)

    def test_a_thousand_files_fill_no_log(self):
        for number in range(1000):
            self.plant(f'{number}', 'x')
        watch = self.watch()
        one = self.register(SAVES, log='one')
        self.notice()
        self.assertEqual(one.wait(), 138)
        self.assertLess(len(watch.err.splitlines()), 300)
        self.end(watch)

    def test_a_plain_stop_tells_nobody(self):
        for name in ('TERM', 'INT'):
            with self.subTest(name):
                process = self.register(IGNORES, log='process.' + name)
                watch = self.watch(name=name)
                watch.signal(name)
                self.assertEqual(watch.wait(), 0, watch.err)
                self.assertEqual(self.log('process.' + name).order(), [])
                self.assertTrue(process.running())

    def test_a_notice_of_no_service_is_none(self):
        server = self.serve('ec2', '503')
        process = self.register(IGNORES, log='process')
        watch = self.watch(cloud=source('ec2', server))
        until('five failures', lambda: len(server.requests) >= 5)
        self.assertEqual(self.log('process').order(), [])
        server.clear()
        server.notice(after=6)
        self.assertEqual(process.wait(), -signal.SIGKILL, watch.err)
        self.end(watch)

    def test_mistakes_are_told_all_at_once(self):
        result = self.call('watch', '--cloud', 'mars', '--notice-as', 'USR9', '--lead', 'none',
                           'python')
        self.assertEqual(result.status, 125)
        for word in ('mars', 'USR9', 'lead', 'python'):
            self.assertIn(word, result.err)


class Manager(Watch):
    """What it says to its manager, heard by a socket of ours."""

    def test_ready_status_and_watchdog(self):
        listener = subprocess.Popen(
            ['python3', '-c', NOTIFY_LISTENER, self.path('socket'), self.path('said')],
            env=self.environ())
        self.addCleanup(listener.wait, LIMIT)
        self.addCleanup(listener.kill)
        until('the listener', lambda: os.path.exists(self.path('socket')))
        server = self.serve('ec2')
        watch = self.watch(cloud=source('ec2', server),
                           env=self.environ(NOTIFY_SOCKET=self.path('socket'),
                                            WATCHDOG_USEC='200000'))
        self.register(IGNORES, log='process')
        until('what it says', lambda: {'READY=1', 'STATUS=watching ec2, 1 run registered'} <=
              set(self.said()) and self.said().count('WATCHDOG=1') > 3)
        self.end(watch)
        until('its last word', lambda: self.said()[-1] == 'STOPPING=1')

    def said(self):
        try:
            with open(self.path('said'), encoding='utf-8') as file:
                return file.read().splitlines()
        except FileNotFoundError:
            return []


NOTIFY_LISTENER = '''
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
with open(sys.argv[2], 'w', buffering=1) as out:
    while True:
        print(s.recv(65536).decode(), file=out)
'''


if __name__ == '__main__':
    main()
