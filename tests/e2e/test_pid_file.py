"""--pid-file: there while the trainer lives, nobody's but its owner's, and never in the way."""
import os
import re
import signal
import stat
import subprocess
import threading
import time

from processes import alive, children, send, until
from wrapper import WrapperTest, main, probe

NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']


class PidFileTest(WrapperTest):
    def setUp(self):
        super().setUp()
        self.file = self.path('t.pid')

    def pid(self, path=None):
        """The file's number; None while there is none."""
        try:
            with open(path or self.file, encoding='ascii') as file:
                number = re.fullmatch(r'(\d+)\n', file.read())
        except FileNotFoundError:
            return None
        return int(number[1]) if number else None

    def start_owner(self, *rules, options=(), path=None, log='trainer', **how):
        """A run whose file is there: (wrapper, its trainer's PID)."""
        path = path or self.file
        wrapper = self.start('--pid-file', path, *options, '--',
                             *self.trainer(*(rules or ['TERM=exit:5']), log=log), **how)
        trainer = self.log(log).ready()
        until('the PID file', lambda: self.pid(path) == trainer)
        return wrapper, trainer

    def assert_no_file(self, path=None):
        folder = os.path.dirname(path or self.file)
        name = os.path.basename(path or self.file)
        self.assertEqual([f for f in os.listdir(folder) if f.startswith(name)], [])


class Life(PidFileTest):
    def test_off_by_default(self):
        wrapper, _ = self.start_ready([], 'TERM=exit:0', cwd=self.home)
        self.assertEqual(children(wrapper.pid).keys(), {self.log().ready()})
        wrapper.signal('TERM')
        wrapper.wait()
        self.assertEqual(os.listdir(self.home), [])

    def test_the_trainers_number_as_long_as_it_lives(self):
        wrapper, trainer = self.start_owner()
        self.assertEqual(children(wrapper.pid).get(trainer), 'S')
        found = os.stat(self.file)
        self.assertEqual(stat.S_IMODE(found.st_mode), 0o644)
        self.assertEqual(self.run_sh(f'kill -TERM $(cat {self.file})'), 0)
        self.assertEqual(wrapper.wait(), 5)
        self.assert_no_file()
        self.assertNotIn('warning', wrapper.err)

    def run_sh(self, script):
        return subprocess.run(['sh', '-c', script], check=False, env=self.environ()).returncode

    def test_gone_however_the_trainer_ends(self):
        rows = [('an exit', ['INT=exit:0'], 'INT', [], 0),
                ('death by a signal', ['WINCH=log'], 'TERM', [], 143),
                ('SIGKILL of ours', ['all=log'], 'USR1', ['-k', '200ms'], 137)]
        for name, rules, sent, options, status in rows:
            with self.subTest(name):
                wrapper, _ = self.start_owner(*rules, options=options, log=sent)
                wrapper.signal(sent)
                self.assertEqual(wrapper.wait(), status)
                self.assert_no_file()
                os.remove(self.log(sent).path)

    def test_never_there_for_a_command_that_cannot_start(self):
        self.assertEqual(self.call('--pid-file', self.file, '/no/such/command').status, 127)
        self.assert_no_file()

    def test_gone_before_what_the_trainer_leaves_behind(self):
        # Its number is free as soon as it is reaped, and stragglers have five seconds.
        script = '"$0" "$1" all=log & while ! [ -s "$1" ]; do sleep 0.01; done; exit 3'
        wrapper = self.start('--pid-file', self.file, '--', 'bash', '-c', script, probe('trainer'),
                             self.path('trainer.log'))
        self.log().ready()
        until('the end of the file', lambda: not os.path.exists(self.file))
        self.assertTrue(wrapper.running())
        send(self.log().ready(), 'KILL')
        self.assertEqual(wrapper.wait(), 3)

    def test_whatever_the_umask(self):
        self.start_owner(before=lambda: os.umask(0o077))
        self.assertEqual(stat.S_IMODE(os.stat(self.file).st_mode), 0o644)

    def test_never_half_of_it(self):
        """A reader that never stops finds no file, or one whole number."""
        odd, end = [], threading.Event()

        def read():
            while not end.is_set():
                try:
                    with open(self.file, encoding='ascii') as file:
                        text = file.read()
                except FileNotFoundError:
                    continue
                if not re.fullmatch(r'\d+\n', text):
                    odd.append(text)
        reader = threading.Thread(target=read)
        reader.start()
        try:
            for _ in range(30):
                self.assertEqual(self.call('--pid-file', self.file, '-q', 'true').status, 0)
        finally:
            end.set()
            reader.join()
        self.assertEqual(odd, [])

    def test_patterns(self):
        path = self.path('%h-%%-%u.pid')
        wrapper = self.start('--pid-file', path, '--', *self.trainer('TERM=exit:5'))
        name = self.path(f'{os.uname().nodename}-%-tester.pid')
        until('the PID file', lambda: self.pid(name) == self.log().ready())
        wrapper.signal('TERM')
        wrapper.wait()
        self.assertEqual(self.call('--pid-file', '%x', 'true').status, 125)

    def test_the_trainer_inherits_nothing_of_it(self):
        _, trainer = self.start_owner()
        held = [os.readlink(f'/proc/{trainer}/fd/{fd}') for fd in os.listdir(f'/proc/{trainer}/fd')]
        self.assertEqual([path for path in held if '.pid' in path], [])

    def test_its_keeper_is_none_of_the_tree(self):
        """Not signalled with the tree, not a straggler, and no descriptor of a pipeline in it."""
        wrapper, trainer = self.start_owner('USR1=exit:4', options=['--to', 'tree'],
                                            stdout=subprocess.PIPE)
        keeper, = set(children(wrapper.pid)) - {trainer}
        held = [os.readlink(f'/proc/{keeper}/fd/{fd}') for fd in os.listdir(f'/proc/{keeper}/fd')]
        self.assertEqual([path for path in held if path.startswith('pipe')], [])
        wrapper.signal('USR1')
        self.assertEqual(wrapper.read_out(), b'')
        self.assertEqual(wrapper.wait(), 4)
        self.assertNotIn('left', wrapper.err.replace('nothing left behind', ''))
        self.assert_no_file()


class Owners(PidFileTest):
    def refused(self, *names, path=None):
        """A second run is refused, names the owner, and starts nothing."""
        started = self.path('started')
        wrapper = self.call('--pid-file', path or self.file, '--', 'touch', started)
        self.assertEqual(wrapper.status, 125, wrapper.err)
        for name in names:
            self.assertIn(str(name), wrapper.err)
        self.assertFalse(os.path.exists(started))
        return wrapper

    def replaced(self, said, log='second', path=None, **how):
        """A run takes the file over with a warning; nothing of it is left at its end."""
        wrapper, trainer = self.start_owner(log=log, path=path, **how)
        until(f'the warning: {said}', lambda: re.search(f'warning: .*{said}', wrapper.err))
        send(trainer, 'TERM')
        self.assertEqual(wrapper.wait(), 5)
        os.remove(self.log(log).path)
        return wrapper

    def test_one_that_holds_the_lock(self):
        first, trainer = self.start_owner()
        self.refused(f'probe_trainer (pid {trainer}) of preempt-wrap {first.pid}')
        self.assertEqual(self.pid(), trainer)
        first.signal('TERM')
        self.assertEqual(first.wait(), 5)
        self.assertEqual(self.call('--pid-file', self.file, 'true').status, 0)

    def test_one_that_holds_the_lock_with_no_file(self):
        first, trainer = self.start_owner()
        os.remove(self.file)
        self.refused(trainer)
        first.signal('TERM')
        self.assertEqual(first.wait(), 5)

    def test_a_saving_trainer_whose_wrapper_was_killed(self):
        first, trainer = self.start_owner('all=log')
        first.signal('KILL')
        first.wait()
        self.refused(f'probe_trainer (pid {trainer})')
        self.assertEqual(self.pid(), trainer)
        send(trainer, 'KILL')
        until('its end', lambda: not alive(trainer))
        self.assertEqual(self.pid(), trainer)  # stale
        self.replaced(f'{trainer}; it is replaced')
        self.assert_no_file()

    def test_a_living_process_without_any_lock(self):
        daemon = self.start(*self.trainer('all=log')[1:], binary=probe('trainer'))
        self.log().ready()
        self.write('t.pid', f'{daemon.pid}\n')
        self.refused(f'probe_trainer (pid {daemon.pid})')
        self.assertEqual(os.listdir(self.dir).count('t.pid.lock'), 0)
        self.assertEqual(self.log().order(), [])

    def test_a_reused_number_is_stale(self):
        daemon = self.start(*self.trainer('all=log')[1:], binary=probe('trainer'))
        self.log().ready()
        self.write('t.pid', f'{daemon.pid}\n')
        os.utime(self.file, (time.time() - 60, time.time() - 60))
        self.replaced(f'older than process {daemon.pid}.* it is replaced')
        self.assertEqual(self.log().order(), [])

    def test_a_record_of_another_process_is_stale(self):
        """The lock's line knows the start time, so a reused number is told at once."""
        daemon = self.start(*self.trainer('all=log')[1:], binary=probe('trainer'))
        self.log().ready()
        with open('/proc/sys/kernel/random/boot_id', encoding='ascii') as file:
            boot = file.read().strip()
        host = os.uname().nodename
        with open(f'/proc/{daemon.pid}/stat', encoding='ascii') as file:
            start = int(file.read().rpartition(')')[2].split()[19])
        rows = [(f'{host} {boot} 7 {daemon.pid} {start + 1}', 'left behind by process'),
                (f'{host} {boot[:-4]}ffff 7 {daemon.pid} {start}', 'left behind by process'),
                (f'elsewhere {boot} 7 {daemon.pid} {start}', 'written on host elsewhere')]
        for record, said in rows:
            with self.subTest(record):
                self.write('t.pid.lock', record + '\n')
                self.write('t.pid', f'{daemon.pid}\n')
                self.replaced(said)
                self.assert_no_file()
        self.write('t.pid.lock', f'{host} {boot} 7 {daemon.pid} {start}\n')
        self.write('t.pid', f'{daemon.pid}\n')
        self.refused(daemon.pid)

    def test_what_is_stale_is_replaced(self):
        rows = [('empty', b'', 'is empty'),
                ('-1', b'-1\n', 'no decimal number'), ('0', b'0\n', 'holds 0'),
                ('1', b'1\n', 'holds 1'), ('2^31', b'2147483648\n', 'no process can have'),
                ('two numbers', b'4711\n4712\n', 'more than one'), ('NUL', b'47\0', 'NUL'),
                ('gone', b'4194304\n', 'left behind by process 4194304')]
        for name, text, said in rows:
            with self.subTest(name):
                self.write('t.pid', text)
                self.replaced(said)
                self.assert_no_file()

    def test_a_link_is_replaced_and_not_followed(self):
        precious = self.write('precious', '4194304\n')
        os.symlink(precious, self.file)
        self.replaced('symbolic link')
        with open(precious, encoding='ascii') as file:
            self.assertEqual(file.read(), '4194304\n')

    def test_two_at_once_never_both(self):
        """Of many that start together on one file exactly one runs at a time."""
        runs = [self.start('--pid-file', self.file, '--', *self.trainer('TERM=exit:5', log=f'n{i}'))
                for i in range(8)]
        until('the refusals', lambda: sum(run.running() for run in runs) == 1)
        owner, = [i for i, run in enumerate(runs) if run.running()]
        trainer = self.log(f'n{owner}').ready()
        until('the PID file', lambda: self.pid() == trainer)
        for i, run in enumerate(runs):
            if i != owner:
                self.assertEqual(run.wait(), 125)
                self.assertEqual(self.log(f'n{i}').events(), [])
        send(trainer, 'TERM')
        self.assertEqual(runs[owner].wait(), 5)
        self.assert_no_file()

    def test_a_file_that_became_anothers_is_left_there(self):
        wrapper, _ = self.start_owner()
        self.write('other', '4194304\n')
        os.rename(self.path('other'), self.file)
        wrapper.signal('TERM')
        self.assertEqual(wrapper.wait(), 5)
        self.assertEqual(self.pid(), 4194304)
        self.assertRegex(wrapper.err, "somebody else's")

    def test_a_file_that_is_gone_is_no_trouble(self):
        wrapper, _ = self.start_owner()
        os.remove(self.file)
        wrapper.signal('TERM')
        self.assertEqual(wrapper.wait(), 5)
        self.assertNotIn('warning', wrapper.err)


class Trouble(PidFileTest):
    """Only a living owner keeps a command from running; the rest is told, and it runs."""

    def runs(self, path, said, **how):
        log = f'run{len(os.listdir(self.dir))}'
        wrapper = self.start('--pid-file', path, '--', *self.trainer('USR1=exit:6', log=log), **how)
        self.log(log).ready()
        until(f'the warning: {said}', lambda: re.search(f'warning: .*{said}', wrapper.err))
        wrapper.signal('USR1')
        self.assertEqual(wrapper.wait(), 6)
        self.assert_nothing_left()
        return wrapper

    def test_a_file_that_cannot_be_made(self):
        self.runs('/no/such/folder/t.pid', '/no/such/folder')
        self.runs('/proc/t.pid', '/proc/t.pid')
        self.runs(self.path('x' * 255), 'xxx')

    def test_no_permission(self):
        self.need_root()
        os.chmod(self.dir, 0o1777)
        folder = self.path('closed')
        os.mkdir(folder)
        wrapper = self.runs(folder + '/t.pid', 'Permission denied', prefix=NOBODY)
        self.assertEqual(os.listdir(folder), [])
        self.assertEqual(wrapper.err.count('warning'), 1)

    def test_what_is_no_pid_file_is_left_as_it_is(self):
        script = self.write('train.py', '#' * 65)
        self.runs(script, 'left as it is')
        self.assertFalse(os.path.exists(script + '.lock'))
        self.assertEqual(os.path.getsize(script), 65)
        params = self.write('params', 'lr=3e-4\n')
        self.runs(params, 'holds words.* left as it is')
        self.assertEqual(os.path.getsize(params), 8)
        folder, fifo = self.path('folder'), self.path('fifo')
        os.mkdir(folder)
        os.mkfifo(fifo)
        self.runs(folder, 'is a directory')
        self.runs(fifo, 'is a FIFO')
        self.assertTrue(stat.S_ISFIFO(os.stat(fifo).st_mode))

    def test_an_odd_lock_file(self):
        for name, make in (('folder', os.mkdir), ('fifo', os.mkfifo),
                           ('link', lambda path: os.symlink('/dev/null', path)),
                           ('work', lambda path: self.write(path, 'x' * 513))):
            with self.subTest(name):
                path = self.path(name + '.pid')
                make(path + '.lock')
                self.runs(path, 'is not locked')
                self.assertFalse(os.path.exists(path))
                self.assertTrue(os.path.lexists(path + '.lock'))

    def test_a_full_and_a_read_only_file_system(self):
        self.need_root()
        os.mkdir(self.path('disk'))
        for mount in ('-o size=4k,nr_inodes=1', '-o ro'):
            with self.subTest(mount):
                setup = f'mount -t tmpfs {mount} none "$D/disk"'
                self.runs(self.path('disk/t.pid'), 'no PID file', prefix=self.mounted(setup))

    def mounted(self, setup):
        return ['unshare', '-m', 'sh', '-c', f'D=$1; shift; {setup} && exec "$@"', 'sh', self.dir]

    def test_where_no_second_process_can_be_made(self):
        self.need_root()
        os.chmod(self.dir, 0o1777)
        wrapper = self.call('--pid-file', self.file, 'echo', 'ran', prefix=[
            *NOBODY, 'bash', '-c', 'ulimit -u 1; exec "$@"', 'bash'])
        self.assertEqual((wrapper.status, wrapper.out), (0, 'ran\n'))
        self.assertRegex(wrapper.err, 'no PID file')
        self.assert_no_file()

    def test_linux_4_18(self):
        wrapper, _ = self.start_owner(prefix=[probe('old_kernel'), 'ENOSYS'])
        wrapper.signal('TERM')
        self.assertEqual(wrapper.wait(), 5)
        self.assert_no_file()


class Disks(PidFileTest):
    def setUp(self):
        super().setUp()
        self.need_root()
        self.need(os.path.exists('/dev/fuse'), 'there is no /dev/fuse')
        self.need(os.path.exists(probe('hung_disk')), 'probe_hung_disk is not built (libfuse3-dev)')

    def mount(self, kind, *words):
        """A mount namespace of its own: the mount is gone with the process. Its path from outside."""
        point = self.path('disk')
        os.makedirs(point, exist_ok=True)
        before = os.stat(point).st_dev
        disk = self.start(*words[:1], point, *words[1:], binary=probe(kind),
                          prefix=['unshare', '-m'])
        seen = f'/proc/{disk.pid}/root{point}'
        until('the disk', lambda: os.stat(seen).st_dev != before)
        return disk, seen

    def test_a_file_server(self):
        os.mkdir(self.path('server'))
        _, seen = self.mount('mirror_disk', self.path('server'))
        path = seen + '/t.pid'
        wrapper, trainer = self.start_owner(path=path)
        self.assertNotIn('warning', wrapper.err)
        second = self.call('--pid-file', path, 'true')
        self.assertEqual(second.status, 125)
        self.assertIn(str(trainer), second.err)
        wrapper.signal('TERM')
        self.assertEqual(wrapper.wait(), 5)
        self.assertEqual(os.listdir(self.path('server')), [])

    def test_a_lock_that_another_host_holds(self):
        """flock() on a file server reaches further than a PID."""
        os.mkdir(self.path('server'))
        _, seen = self.mount('mirror_disk', self.path('server'))
        path = seen + '/t.pid'
        for record, file in (('elsewhere boot 7 2 9\n', '2\n'), ('', '2\n')):
            with self.subTest(record):
                self.write('server/t.pid.lock', record)
                self.write('server/t.pid', file)
                holder = subprocess.Popen(['flock', path + '.lock', 'sleep', '100'],
                                          env=self.environ())
                self.addCleanup(holder.wait)
                self.addCleanup(holder.kill)
                until('the lock', lambda: children(holder.pid))
                wrapper, _ = self.start_owner(path=path, log=f'log{len(record)}')
                until('the warning', lambda: 'it is replaced' in wrapper.err)
                wrapper.signal('TERM')
                self.assertEqual(wrapper.wait(), 5)
                self.assertFalse(os.path.exists(path))
                for pid in children(holder.pid):
                    send(pid, 'KILL')
                holder.wait()

    def test_a_file_server_without_locks(self):
        os.mkdir(self.path('server'))
        _, seen = self.mount('mirror_disk', self.path('server'), 'nolock')
        path = seen + f'/{os.uname().nodename}.pid'
        wrapper, trainer = self.start_owner(path=path)
        until('the warning', lambda: re.search(
            'warning: .*is not locked .*No locks available', wrapper.err))
        second = self.call('--pid-file', path, 'true')  # the PID tells all the same
        self.assertEqual(second.status, 125, second.err)
        self.assertIn(str(trainer), second.err)
        wrapper.signal('TERM')
        self.assertEqual(wrapper.wait(), 5)
        self.assertFalse(os.path.exists(path))

    def test_hung_before_the_start(self):
        disk, seen = self.mount('hung_disk')
        for how in ('STOP', 'USR1'):
            with self.subTest(how):
                disk.signal(how)
                wrapper = self.start('--pid-file', seen + '/journal', '--',
                                     *self.trainer('USR1=exit:6', log=how))
                self.log(how).ready()
                wrapper.signal('USR1')
                self.assertEqual(wrapper.wait(), 6)
                self.assertRegex(wrapper.err, 'warning: .*does not answer')
                disk.signal('CONT')

    def test_hung_at_the_end(self):
        os.mkdir(self.path('server'))
        disk, seen = self.mount('mirror_disk', self.path('server'))
        path = seen + '/t.pid'
        wrapper, _ = self.start_owner('USR1=exit:6', path=path)
        disk.signal('STOP')
        wrapper.signal('USR1')
        self.assertEqual(wrapper.wait(), 6)
        self.assertRegex(wrapper.err, 'could not be removed')


if __name__ == '__main__':
    main()
