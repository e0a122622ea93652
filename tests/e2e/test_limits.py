"""Surroundings in which little works never hurt the training: exhausted limits, a careless parent,
no /proc, an old kernel."""
import json
import os
import resource
import signal
import time

from faults import Faults
from wrapper import BINARY, main, probe


class NoProcess(Faults):
    """RLIMIT_NPROC counts the processes of a user, but not those of root. Where none can be
    started, the command runs in our place."""

    def setUp(self):
        super().setUp()
        self.need_root()
        for name, program in (('wrapper', BINARY), ('state', probe('state'))):
            self.write(f'bin/{name}', open_bytes(program), 0o755)
        os.chmod(self.dir, 0o777)

    def call_as_nobody(self, room, *args, **how):
        def before():
            os.setgroups([])
            os.setgid(61234)
            os.setuid(61234)
            resource.setrlimit(resource.RLIMIT_NPROC, (room, room))
        return self.call(*args, before=before, binary=self.path('bin/wrapper'), cwd='/', **how)

    def test_the_command_runs(self):
        for room in (1, 2, 3):
            for options in ([], ['--journal', self.path(f'journal{room}')]):
                with self.subTest(room=room, options=options):
                    wrapper = self.call_as_nobody(room, *options, '--', 'sh', '-c', 'exit 7')
                    self.assertEqual(wrapper.status, 7, wrapper.err)
        wrapper = self.call_as_nobody(1, 'sh', '-c', 'exit 7')
        self.assertRegex(wrapper.err, 'warning')

    def test_the_warning_that_nobody_reads_does_not_end_it(self):
        reader, writer = os.pipe()
        os.close(reader)
        self.addCleanup(os.close, writer)
        wrapper = self.call_as_nobody(1, 'sh', '-c', 'exit 7', stderr=writer)
        self.assertEqual(wrapper.status, 7)

    def test_it_starts_as_bare(self):
        # What we set up for a trainer of ours is taken back: orphans are not its to reap.
        file = self.path('state.json')
        wrapper = self.call_as_nobody(1, self.path('bin/state'), file)
        self.assertEqual(wrapper.status, 0, wrapper.err)
        with open(file, encoding='ascii') as text:
            state = json.load(text)
        self.assertEqual(state['pid'], wrapper.pid)
        for key, value in (('subreaper', 0), ('blocked', []), ('ignored', []), ('pending', []),
                           ('death_signal', 0)):
            with self.subTest(key):
                self.assertEqual(state[key], value)
        self.assertEqual(sorted(state['fds']), ['0', '1', '2'])


class Limits(Faults):
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

    def test_nobody_is_taken_for_somebody_left(self):
        # The writer of the journal is a child of ours, too, but none of the trainer's.
        self.need_root()
        begin = time.monotonic()
        wrapper = self.call('--journal', self.path('journal'), '--', 'sh', '-c', 'exit 3',
                            prefix=NO_PROC)
        self.assertEqual(wrapper.status, 3)
        self.assertLess(time.monotonic() - begin, 4.5)  # the wait for stragglers is 5 s
        self.assertNotIn('left behind', wrapper.err)
        self.assertEqual(self.journal()[-1]['left_behind'], 0)

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


def open_bytes(path):
    with open(path, 'rb') as file:
        return file.read()


if __name__ == '__main__':
    main()
