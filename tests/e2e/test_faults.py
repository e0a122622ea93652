"""Our own trouble never hurts the training: full, read-only and hung disks, a reader that stopped,
and SIGKILL of ourselves."""
import fcntl
import os
import re
import signal
import subprocess
import termios
import time

from faults import Faults
from processes import alive, send, state, until
from terminal import Terminal
from wrapper import BINARY, main, probe


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

    def test_it_is_said_while_the_trainer_runs(self):
        path = self.path('no/such/journal')
        wrapper, _ = self.start_ready(['--journal', path], 'USR1=exit:3')
        until('the warning', lambda: re.search(f'warning.*{path}', wrapper.err), 5)
        self.assertTrue(wrapper.running())
        wrapper.signal('USR1')
        self.assertEqual(wrapper.wait(), 3)

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


if __name__ == '__main__':
    main()
