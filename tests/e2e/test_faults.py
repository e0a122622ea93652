"""Our own trouble never hurts the training: full, read-only and hung disks, a reader that stopped,
exhausted limits, no /proc, an old kernel, and SIGKILL of ourselves."""
import fcntl
import os
import resource
import signal
import subprocess
import termios
import time

from processes import alive, send, state, until
from terminal import Terminal
from wrapper import BINARY, WrapperTest, main, probe


class Faults(WrapperTest):
    def notice_comes_through(self, *options, **how):
        """The relay works, and a save of some length is waited for; returns the wrapper."""
        log = f'saves{len(os.listdir(self.dir))}'
        wrapper = self.start(*options, '--', *self.trainer('USR1=save:200:6', log=log), **how)
        self.log(log).ready()
        wrapper.signal('USR1')
        self.log(log).wait_for('USR1', seconds=5)
        self.assertEqual(wrapper.wait(), 6)
        self.assertEqual(self.log(log).order(), ['USR1'])
        return wrapper

    def kill_comes_in_time(self, *options, seconds=5, **how):
        """A trainer that ignores everything is killed, with the child in its group."""
        log = f'hangs{len(os.listdir(self.dir))}'
        script = '"$0" "$1.child.log" all=log & exec "$0" "$1.log" all=log'
        wrapper = self.start('--grace', '400ms', *options, '--', 'bash', '-c', script,
                             probe('trainer'), self.path(log), **how)
        self.log(log + '.child').ready()
        self.log(log).ready()
        begin = time.monotonic()
        wrapper.signal('USR1')
        self.assertEqual(wrapper.wait(), 137)
        self.assertLess(time.monotonic() - begin, seconds)
        self.assertGreaterEqual(time.monotonic() - begin, 0.35)
        self.assert_nothing_left()
        return wrapper

    def both(self, *options, said=None, **how):
        for wrapper in (self.notice_comes_through(*options, **how),
                        self.kill_comes_in_time(*options, **how)):
            if said:
                self.assertRegex(wrapper.err, said)


class Journal(Faults):
    def mounted(self, setup):
        """A prefix that runs the wrapper in a mount namespace of its own after `setup`."""
        self.need_root()
        return ['unshare', '-m', 'sh', '-c', f'D=$1; shift; {setup} && exec "$@"', 'sh', self.dir]

    def test_a_device_that_is_full(self):
        self.both('--journal', '/dev/full', said='warning.*/dev/full')

    def test_a_file_that_cannot_be_made(self):
        for path in ('/no/such/folder/journal', self.dir, '/proc/journal'):
            with self.subTest(path):
                self.both('--journal', path, said=f'warning.*{path}')

    def test_a_full_file_system(self):
        disk = self.path('disk')
        os.mkdir(disk)
        setup = ('mount -t tmpfs -o size=4k none "$D/disk" && '
                 '{ head -c 100000 /dev/zero >"$D/disk/fill" 2>/dev/null; true; }')
        self.both('--journal', disk + '/journal', prefix=self.mounted(setup), said='warning.*disk')

    def test_a_read_only_file_system(self):
        disk = self.path('disk')
        os.mkdir(disk)
        setup = 'mount -t tmpfs -o ro none "$D/disk"'
        self.both('--journal', disk + '/journal', prefix=self.mounted(setup), said='warning.*disk')

    def test_a_pipe_whose_reader_has_stopped(self):
        path = self.path('fifo')
        os.mkfifo(path)
        reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        fill = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, fill)
        fill_up(fill)
        self.both('--journal', path)

    def test_a_pipe_that_nobody_reads(self):
        path = self.path('fifo')
        os.mkfifo(path)
        self.both('--journal', path)


class HungDisk(Faults):
    """A FUSE disk that stops answering, before a request or in the middle of one."""

    def setUp(self):
        super().setUp()
        self.need_root()
        self.need(os.path.exists('/dev/fuse'), 'there is no /dev/fuse')
        self.need(os.path.exists(probe('hung_disk')), 'probe_hung_disk is not built (libfuse3-dev)')
        disk = self.path('disk')
        os.mkdir(disk)
        # A mount namespace of its own: the mount is gone with the processes.
        self.disk = self.start(disk, binary=probe('hung_disk'), prefix=['unshare', '-m'])
        self.seen = f'/proc/{self.disk.pid}/root{disk}/journal'
        until('the mount', lambda: not self.disk.running() or os.path.exists(self.seen))
        self.need(self.disk.running(), f'FUSE cannot be mounted: {self.disk.err}')
        self.options = ['--journal', disk + '/journal']
        self.inside = ['nsenter', '-m', '-t', str(self.disk.pid)]

    def hang_before_a_request(self):
        send(self.disk.pid, 'STOP')
        until('the stop', lambda: state(self.disk.pid) == 'T')

    def hang_in_a_request(self):
        send(self.disk.pid, 'USR1')

    def assert_nothing_left(self):
        # A writer that the disk holds cannot be ended by anybody; it goes with the disk.
        left = [pid for pid in self.left() if pid != self.disk.pid]
        trainers = [pid for pid in left if program(pid) == 'probe_trainer']
        self.assertEqual(trainers, [], 'trainers left behind')

    def start_trainer(self, *rules):
        script = '"$0" "$1.child.log" all=log & exec "$0" "$1.log" "${@:2}"'
        wrapper = self.start('--grace', '600ms', *self.options, '--', 'bash', '-c', script,
                             probe('trainer'), self.path('t'), *rules, prefix=self.inside,
                             stdout=subprocess.PIPE)
        self.log('t.child').ready()
        self.log('t').ready()
        return wrapper

    def test_it_hangs_before_the_start(self):
        for hang in (self.hang_before_a_request, self.hang_in_a_request):
            with self.subTest(hang.__name__):
                hang()
                self.kill_comes_in_time(*self.options, prefix=self.inside)

    def hangs_meanwhile(self, hang):
        wrapper = self.start_trainer('all=log')
        until('the first lines', lambda: os.path.getsize(self.seen) > 0)
        hang()
        begin = time.monotonic()
        wrapper.signal('USR1')
        self.log('t').wait_for('USR1', seconds=3)
        # Whoever waits for the end of the output, as slurmstepd does, must not hang either.
        wrapper.read_out()
        self.assertEqual(wrapper.wait(), 137)
        self.assertLess(time.monotonic() - begin, 8)
        self.assert_nothing_left()

    def test_it_hangs_meanwhile_before_a_request(self):
        self.hangs_meanwhile(self.hang_before_a_request)

    def test_it_hangs_meanwhile_in_a_request(self):
        self.hangs_meanwhile(self.hang_in_a_request)

    def test_the_trainer_ends_by_itself(self):
        wrapper = self.start_trainer('10=exit:6')
        until('the first lines', lambda: os.path.getsize(self.seen) > 0)
        self.hang_in_a_request()
        begin = time.monotonic()
        wrapper.signal('USR1')
        wrapper.read_out()
        self.assertEqual(wrapper.wait(), 6)
        self.assertLess(time.monotonic() - begin, 10)


class StandardError(Faults):
    def test_a_pipe_whose_reader_has_stopped(self):
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        self.addCleanup(os.close, writer)
        os.set_blocking(writer, False)
        fill_up(writer)
        os.set_blocking(writer, True)
        self.both(stderr=writer)
        # The description is shared with the trainer, which did not ask for O_NONBLOCK.
        self.assertTrue(os.get_blocking(writer))

    def test_it_fills_up_meanwhile(self):
        # Many lines: one for each hundred or so bytes of a small pipe.
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        self.addCleanup(os.close, writer)
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
        wrapper, log = self.start_ready(['--log-level', 'debug'], 'all=log', 'ALRM=exit:4',
                                        stderr=writer)
        for _ in range(200):
            wrapper.signal('USR1')
            wrapper.fence(log)
        wrapper.signal('ALRM')
        self.assertEqual(wrapper.wait(), 4)

    def test_a_pipe_whose_reader_has_gone(self):
        reader, writer = os.pipe()
        os.close(reader)
        self.addCleanup(os.close, writer)
        self.both(stderr=writer)

    def test_a_device_that_is_full(self):
        with open('/dev/full', 'wb') as full:
            self.both(stderr=full)

    def test_a_terminal_stopped_by_ctrl_s(self):
        terminal = Terminal([BINARY, '--grace', '400ms', '--', *self.trainer('all=log')],
                            self.environ())
        self.addCleanup(terminal.close)
        self.log().ready()
        with open(os.open(terminal.name, os.O_RDWR | os.O_NOCTTY), 'wb') as slave:
            termios.tcflow(slave, termios.TCOOFF)
            send(terminal.pid, 'USR1')
            self.log().wait_for('USR1')
            self.assertEqual(terminal.wait(), 137)
            termios.tcflow(slave, termios.TCOON)

    def test_a_terminal_that_nobody_reads(self):
        master, slave = os.openpty()
        self.addCleanup(os.close, master)
        self.addCleanup(os.close, slave)
        os.set_blocking(slave, False)
        fill_up(slave)
        os.set_blocking(slave, True)
        self.both(stderr=slave)


class Limits(Faults):
    def test_no_process_can_be_started(self):
        """RLIMIT_NPROC counts the processes of a user, but not those of root."""
        self.need_root()

        def nobody(room):
            def before():
                os.setgroups([])
                os.setgid(61234)
                os.setuid(61234)
                resource.setrlimit(resource.RLIMIT_NPROC, (room, room))
            return before
        self.write('bin/wrapper', open_bytes(BINARY), 0o755)
        how = {'binary': self.path('bin/wrapper'), 'cwd': '/'}
        os.chmod(self.dir, 0o777)
        for room in (1, 2, 3):
            for options in ([], ['--journal', self.path(f'journal{room}')]):
                with self.subTest(room=room, options=options):
                    wrapper = self.call(*options, '--', 'sh', '-c', 'exit 7',
                                        before=nobody(room), **how)
                    self.assertEqual(wrapper.status, 7, wrapper.err)
        wrapper = self.call('sh', '-c', 'exit 7', before=nobody(1), **how)
        self.assertRegex(wrapper.err, 'warning')

    def test_few_descriptors(self):
        def few():
            resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))
        self.both(before=few)
        self.both('--journal', self.path('journal'), before=few)
        self.assertIn('end', [e['event'] for e in self.journal()])

    def test_hardly_a_descriptor_left(self):
        # 0 to 15 are inherited and in use; a shell itself needs one to load its library.
        busy = ' '.join(f'{fd}<&0' for fd in range(3, 16))
        for limit in (17, 18, 19, 20, 24):
            with self.subTest(limit=limit):
                wrapper = self.call('--', 'sh', '-c', 'exit 7', prefix=[
                    'bash', '-c', f'exec {busy}; ulimit -n {limit}; exec "$0" "$@"'])
                self.assertEqual(wrapper.status, 7, wrapper.err)

    def test_no_file_may_grow(self):
        def frozen():
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        for options in ([], ['--journal', self.path('journal')]):
            with self.subTest(options=options):
                # Standard error is a file, too.
                wrapper = self.call(*options, '--', 'sh', '-c', 'exit 7', before=frozen)
                self.assertEqual(wrapper.status, 7)
        # And the relay: this trainer notes in a pipe.
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        with os.fdopen(reader, 'rb', buffering=0, closefd=False) as notes:
            wrapper = self.start('--journal', self.path('journal'), '--', probe('trainer'),
                                 f'/dev/fd/{writer}', '10=exit:6', before=frozen,
                                 pass_fds=(writer,))
            os.close(writer)
            self.assertIn(b'ready', notes.read(100))
            wrapper.signal('USR1')
            self.assertEqual(wrapper.wait(), 6)

    def test_little_memory(self):
        def small():
            resource.setrlimit(resource.RLIMIT_AS, (64 << 20, 64 << 20))
        self.both(before=small)

    def test_a_small_stack(self):
        def small():
            resource.setrlimit(resource.RLIMIT_STACK, (256 << 10, 256 << 10))
        self.both(before=small)

    def test_a_full_signal_queue(self):
        # RLIMIT_SIGPENDING 0: no signal can be queued with its sender; it still comes.
        def no_queue():
            resource.setrlimit(11, (0, 0))  # RLIMIT_SIGPENDING
        self.both(before=no_queue)


NO_PROC = ['unshare', '-m', 'sh', '-c', 'mount -t tmpfs none /proc && exec "$@"', 'sh']


class Surroundings(Faults):
    """What a careless parent leaves us with."""

    def test_table(self):
        rows = [
            ('SIGCHLD ignored', lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN)),
            ('SIGPIPE ignored', lambda: signal.signal(signal.SIGPIPE, signal.SIG_IGN)),
            ('all signals blocked',
             lambda: signal.pthread_sigmask(signal.SIG_SETMASK, range(1, 65))),
            ('standard input closed', lambda: os.close(0)),
            ('0, 1 and 2 closed', lambda: os.closerange(0, 3)),
        ]
        for name, before in rows:
            with self.subTest(name):
                self.notice_comes_through(before=before)
                self.assertEqual(self.call('sh', '-c', 'exit 7', before=before).status, 7)

    def test_a_current_folder_that_is_gone(self):
        folder = self.path('folder')
        os.mkdir(folder)

        def gone():
            os.rmdir(folder)
        wrapper = self.call('--journal', self.path('journal'), '--', 'sh', '-c', 'exit 7',
                            cwd=folder, before=gone)
        self.assertEqual(wrapper.status, 7)


class NoProc(Faults):
    def test_proc_is_not_mounted(self):
        self.need_root()
        prefix = NO_PROC
        self.notice_comes_through(prefix=prefix)
        self.assertRegex(self.kill_comes_in_time(prefix=prefix).err, 'warning.*/proc')
        wrapper = self.call('sh', '-c', 'sleep 60 & exit 7', prefix=prefix)
        self.assertEqual(wrapper.status, 7)
        self.assertRegex(wrapper.err, 'warning.*/proc')
        self.assert_nothing_left()

    def test_who_cannot_be_seen_is_not_called_gone(self):
        # Without /proc nobody finds the child in its own session. It is ours (we are the
        # subreaper), so we know that somebody is left.
        self.need_root()
        script = 'setsid "$0" "$1" all=log & exec "$0" "$2" 10=exit:0'
        wrapper = self.start('--stragglers', '100ms', '--', 'bash', '-c', script,
                             probe('trainer'), self.path('session.log'), self.path('trainer.log'),
                             prefix=NO_PROC)
        self.log('session').ready()
        self.log().ready()
        wrapper.signal('USR1')
        self.assertEqual(wrapper.wait(), 0)
        self.assertEqual(len(self.left()), 1)
        self.assertNotIn('nothing left', wrapper.err)


class OldKernel(Faults):
    def test_without_the_calls_after_4_18(self):
        for error in ('ENOSYS', 'EPERM'):
            prefix = [probe('old_kernel'), error]
            with self.subTest(error):
                self.assertEqual(self.call('sh', '-c', 'exit 7', prefix=prefix).status, 7)
                self.assertEqual(self.call('no-such-command-anywhere', prefix=prefix).status, 127)
                self.assertEqual(
                    self.call('sh', '-c', 'sleep 60 & exit 3', prefix=prefix).status, 3)
                self.assert_nothing_left()
                self.both(prefix=prefix)
                self.both('--to', 'tree', prefix=prefix)


class WrapperKilled(Faults):
    """Our own SIGKILL: the trainer gets its parent-death signal."""

    def test_term_by_default(self):
        wrapper, log = self.start_ready([], 'TERM=save:100:0')
        wrapper.signal('KILL')
        self.assertEqual(wrapper.wait(), -signal.SIGKILL)
        log.wait_for('saved')
        self.assertEqual(log.order(), ['TERM'])

    def test_another(self):
        wrapper, log = self.start_ready(['--if-wrapper-dies', 'USR1'], 'all=log')
        wrapper.signal('KILL')
        wrapper.wait()
        self.assertEqual(len(log.wait_for('USR1')), 1)

    def test_none(self):
        wrapper, log = self.start_ready(['--if-wrapper-dies', 'none'], 'all=log')
        trainer = log.ready()
        wrapper.signal('KILL')
        wrapper.wait()
        # It is somebody else's child now, and answers.
        until('the new parent', lambda: state(trainer) == 'S')
        send(trainer, 'ALRM')
        log.wait_for('ALRM')
        self.assertEqual(log.order(), ['ALRM'])
        self.assertTrue(alive(trainer))

    def test_in_an_episode(self):
        wrapper, log = self.start_ready([], 'USR1=save:700:0', 'TERM=log')
        wrapper.signal('USR1')
        log.wait_for('USR1')
        wrapper.signal('KILL')
        wrapper.wait()
        log.wait_for('saved')
        self.assertEqual(log.order(), ['USR1', 'TERM'])


def fill_up(fd):
    """Writes into a non-blocking descriptor until it takes no more."""
    for size in (4096, 1):
        try:
            while True:
                os.write(fd, b'x' * size)
        except BlockingIOError:
            pass


def program(pid):
    try:
        return os.path.basename(os.readlink(f'/proc/{pid}/exe'))
    except FileNotFoundError:
        return ''


def open_bytes(path):
    with open(path, 'rb') as file:
        return file.read()


if __name__ == '__main__':
    main()
