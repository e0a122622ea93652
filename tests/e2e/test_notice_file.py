"""--notice-file: the notice in a small file, for trainers that look between two steps; and that its
disk never hurts the training."""
import ctypes
import json
import os
import struct
import subprocess
import time

from faults import Faults
from processes import send, state, until
from wrapper import main, probe

IN_MOVED_TO, IN_CREATE = 0x80, 0x100
OLD = '{"preempt_notice":1,"time":1.000,"cause":"signal","signal":"USR2","advice":false}\n'


def watch(test, folder):
    """From now on; returns a function that tells what has happened: [(event, name)]."""
    libc = ctypes.CDLL(None, use_errno=True)
    fd = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    test.addCleanup(os.close, fd)
    test.assertGreater(libc.inotify_add_watch(fd, folder.encode(), IN_MOVED_TO | IN_CREATE), 0)

    def names():
        data, seen = os.read(fd, 65536), []
        while data:
            _, event, _, length = struct.unpack_from('iIII', data)
            seen.append((event, data[16:16 + length].rstrip(b'\0').decode()))
            data = data[16 + length:]
        return seen
    return names


class NoticeFile(Faults):
    def setUp(self):
        super().setUp()
        self.file = self.path('notice')
        self.option = ['--notice-file', self.file]

    def notice(self):
        """What the file says, once it is there."""
        until('the notice file', lambda: os.path.exists(self.file))
        with open(self.file, encoding='utf-8') as file:
            return json.load(file)

    def told(self, *options, sent='USR1', **how):
        """The wrapper and its notice; the trainer handles the signal and waits for ALRM."""
        wrapper, log = self.start_ready([*self.option, *options], 'all=log', 'ALRM=exit:0', **how)
        self.assertFalse(os.path.exists(self.file))
        wrapper.signal(sent)
        log.wait_for(sent)
        return wrapper, self.notice()

    def end(self, wrapper):
        wrapper.signal('ALRM')
        wrapper.wait()

    def test_what_when_and_until_when(self):
        before = time.time()
        wrapper, notice = self.told('--lead', '90s')
        self.assertEqual(list(notice)[0], 'preempt_notice')
        self.assertEqual(notice['preempt_notice'], 1)
        self.assertEqual((notice['cause'], notice['signal']), ('signal', 'USR1'))
        self.assertIs(notice['advice'], False)
        self.assertTrue(before - 0.01 <= notice['time'] <= time.time() + 0.01, notice)
        self.assertAlmostEqual(notice['deadline'], notice['time'] + 90, delta=0.5)
        self.assertAlmostEqual(notice['sigkill'], notice['time'] + 88, delta=0.5)
        self.end(wrapper)
        # Nothing but the file: the temporary name is gone.
        self.assertEqual([name for name in os.listdir(self.dir) if 'notice' in name], ['notice'])

    def test_what_is_not_known_is_left_out(self):
        wrapper, notice = self.told('--lead', 'none', '--grace', '70s')
        self.assertNotIn('deadline', notice)
        self.assertAlmostEqual(notice['sigkill'], notice['time'] + 70, delta=0.5)
        self.end(wrapper)

    def test_the_signal_that_came_not_what_it_is_mapped_to(self):
        wrapper, log = self.start_ready([*self.option, '--map-signal', 'USR2:TERM'], 'all=log',
                                        'ALRM=exit:0')
        wrapper.signal('USR2')
        log.wait_for('TERM')
        self.assertEqual(self.notice()['signal'], 'USR2')
        self.end(wrapper)

    def test_the_first_notice_counts(self):
        wrapper, first = self.told('--grace', '5m')
        wrapper.signal('TERM')
        wrapper.fence(self.log())
        self.assertEqual(self.notice(), first)
        self.end(wrapper)

    def test_the_file_is_corrected_when_more_is_known_of_the_end(self):
        """The grace begins when a held notice is given to somebody."""
        script = ('import os, signal, sys, time\n'
                  'open(sys.argv[1], "w").close()\n'
                  'while not os.path.exists(sys.argv[2]): time.sleep(0.01)\n'
                  'signal.signal(signal.SIGUSR1, lambda *_: None)\n'
                  'signal.signal(signal.SIGALRM, lambda *_: sys.exit(0))\n'
                  'while True: time.sleep(0.01)\n')
        wrapper = self.start(*self.option, '-k', '40s', '--', 'python3', '-c', script,
                             self.path('begun'), self.path('go'))
        until('the trainer', lambda: os.path.exists(self.path('begun')))
        wrapper.signal('USR1')
        first = self.notice()
        self.assertAlmostEqual(first['sigkill'] - first['time'], 50, delta=1)  # held for a quarter
        self.write('go', '')
        last = until('the correction', lambda: (n := self.notice()) != first and n)
        self.assertEqual({**last, 'sigkill': 0}, {**first, 'sigkill': 0})
        self.assertLess(last['sigkill'], first['sigkill'] - 3)
        self.end(wrapper)

    def test_advice(self):
        wrapper, notice = self.told('--lead', '2h')
        self.assertIs(notice['advice'], True)
        self.assertNotIn('sigkill', notice)
        # It has saved and goes on; the same advice again does not bring the file back.
        os.remove(self.file)
        wrapper.signal('USR1')
        wrapper.fence(self.log())
        self.end(wrapper)
        self.assertFalse(os.path.exists(self.file))

    def test_no_notice_no_file(self):
        wrapper, log = self.start_ready(self.option, 'ALRM=exit:0')
        wrapper.fence(log)
        self.end(wrapper)
        self.assertFalse(os.path.exists(self.file))

    def test_an_old_notice_is_gone_before_the_trainer_starts(self):
        for text in (OLD, ''):
            with self.subTest(text):
                self.write('notice', text)
                wrapper = self.call(*self.option, 'sh', '-c', '! test -e "$PREEMPT_NOTICE_FILE"')
                self.assertEqual(wrapper.status, 0, wrapper.err)
                self.assertNotIn('warning', wrapper.err)

    def test_what_is_no_notice_file_is_left_alone(self):
        def script():
            self.write('notice', 'print("hours of work")\n')

        def link():
            os.symlink(self.write('target', OLD), self.file)

        def dangling():
            os.symlink('/nowhere/at/all', self.file)

        rows = [('a script', script), ('a link', link), ('a dangling link', dangling),
                ('a folder', lambda: os.mkdir(self.file)),
                ('a FIFO', lambda: os.mkfifo(self.file))]
        for name, make in rows:
            with self.subTest(name):
                make()
                before = os.lstat(self.file)
                wrapper = self.notice_comes_through(*self.option)
                self.assertRegex(wrapper.err, 'warning: no notice file: .*is no notice file')
                self.assertEqual(os.lstat(self.file).st_ino, before.st_ino)
                told = self.call(*self.option, 'sh', '-c', 'echo "<$PREEMPT_NOTICE_FILE>"').out
                self.assertEqual(told, '<>\n')
                os.rename(self.file, self.file + '.' + name)

    def test_the_trainer_and_the_hooks_are_told_its_path(self):
        print_it = 'echo "$PREEMPT_NOTICE_FILE"'
        wrapper = self.call('--notice-file', 'notice-%j', 'sh', '-c', print_it, cwd=self.home)
        self.assertEqual(wrapper.out, self.path('home/notice-0') + '\n')
        hook = f'{print_it} >>{self.path("hook")}'
        wrapper, _ = self.told('--on-notice', hook, '--on-exit', hook)
        self.end(wrapper)
        with open(self.path('hook'), encoding='utf-8') as file:
            self.assertEqual(file.read().split(), [self.file] * 2)

    def test_off_by_default_and_a_nested_one_has_its_own(self):
        out = self.call('env', env=self.environ(PREEMPT_NOTICE_FILE='/outer')).out
        self.assertIn('PREEMPT_NOTICE_FILE=/outer\n', out)
        out = self.call(*self.option, 'env', env=self.environ(PREEMPT_NOTICE_FILE='/outer')).out
        self.assertEqual(out.count('PREEMPT_NOTICE_FILE='), 1)
        self.assertIn(f'PREEMPT_NOTICE_FILE={self.file}\n', out)
        self.assertNotIn('PREEMPT_NOTICE_FILE', self.call('env').out)

    def test_a_reader_sees_all_or_nothing(self):
        """The name appears with its content: it is moved there, and nobody opens it to write."""
        names = watch(self, self.dir)
        wrapper, _ = self.told()
        self.end(wrapper)
        seen = [(what, name) for what, name in names() if name.startswith('notice')]
        self.assertEqual(seen[-1], (IN_MOVED_TO, 'notice'))
        self.assertNotIn((IN_CREATE, 'notice'), seen)

    def polls(self, *options, then='exit 0'):
        """A trainer without a handler that looks for the file, and what it comes to."""
        script = ('echo begun; while ! test -e "$PREEMPT_NOTICE_FILE"; do sleep 0.02; done; '
                  f'sleep 0.6; {then}')
        wrapper = self.start(*self.option, *options, '--', 'sh', '-c', script)
        until('the trainer', lambda: 'begun' in wrapper.out)
        return wrapper

    def test_who_has_no_handler_is_not_ended_by_a_signal(self):
        for notice in ('USR1', 'TERM'):
            with self.subTest(notice):
                # Longer than the hold: 0 means "saved", since the file has told it.
                wrapper = self.polls('--hold', '200ms', '--exit-preempted', '85')
                wrapper.signal(notice)
                self.assertEqual(wrapper.wait(), 85, wrapper.err)
                self.assertIn('told by the notice file', wrapper.err)
                self.assertNotIn('nobody was told', wrapper.err)

    def test_its_grace_ends_as_any(self):
        for notice in ('USR1', 'TERM'):
            with self.subTest(notice):
                wrapper = self.polls('--hold', '100ms', '--grace', '800ms', then='sleep 60')
                wrapper.signal(notice)
                self.assertEqual(wrapper.wait(), 137, wrapper.err)
                self.assert_nothing_left()

    def test_signals_as_without_it(self):
        wrapper = self.polls('--no-handler', 'term')
        wrapper.signal('TERM')
        self.assertEqual(wrapper.wait(), 143)


class Disk(Faults):
    """Trouble with the disk: a warning, and the training is as without it."""

    def mounted(self, setup):
        self.need_root()
        return ['unshare', '-m', 'sh', '-c', f'D=$1; shift; {setup} && exec "$@"', 'sh', self.dir]

    def test_a_folder_that_is_not_there(self):
        self.both('--notice-file', '/no/such/folder/n',
                  said='warning: no notice file: .*/no/such/folder')

    def test_a_read_only_file_system(self):
        os.mkdir(self.path('disk'))
        setup = 'mount -t tmpfs -o ro none "$D/disk"'
        self.both('--notice-file', self.path('disk/n'), prefix=self.mounted(setup),
                  said='warning: no notice file: .*disk.*Read-only')

    def test_a_full_file_system(self):
        os.mkdir(self.path('disk'))
        setup = ('mount -t tmpfs -o size=4k none "$D/disk" && '
                 '{ head -c 100000 /dev/zero >"$D/disk/fill" 2>/dev/null; true; }')
        self.both('--notice-file', self.path('disk/n'), prefix=self.mounted(setup),
                  said='warning: the trainer was not told by the notice file: .*No space left')

    def hung(self):
        self.need_root()
        self.need(os.path.exists('/dev/fuse'), 'there is no /dev/fuse')
        self.need(os.path.exists(probe('hung_disk')), 'probe_hung_disk is not built (libfuse3-dev)')
        folder = self.path('disk')
        os.mkdir(folder)
        disk = self.start(folder, binary=probe('hung_disk'), prefix=['unshare', '-m'])
        seen = f'/proc/{disk.pid}/root{folder}/journal'
        until('the mount', lambda: not disk.running() or os.path.exists(seen))
        self.need(disk.running(), f'FUSE cannot be mounted: {disk.err}')
        return disk, ['nsenter', '-m', '-t', str(disk.pid)]

    def assert_nothing_left(self):
        # A writer that the disk holds cannot be ended by anybody; it goes with the disk.
        for pid in self.left():
            try:
                with open(f'/proc/{pid}/cmdline', 'rb') as file:
                    self.assertNotIn(b'probe_trainer', file.read().split(b'\0')[0])
            except FileNotFoundError:
                pass

    def test_a_disk_that_hangs_before_the_start(self):
        for how, hang in (('before a request', 'STOP'), ('in a request', 'USR1')):
            with self.subTest(how):
                disk, inside = self.hung()
                send(disk.pid, hang)
                if hang == 'STOP':
                    until('the stop', lambda pid=disk.pid: state(pid) == 'T')
                wrapper = self.kill_comes_in_time('--notice-file', self.path('disk/other'),
                                                  prefix=inside, seconds=8)
                self.assertRegex(wrapper.err, 'no notice file: the filesystem does not answer')
                send(disk.pid, 'KILL')
                disk.wait()
                os.rename(self.path('disk'), self.path('disk-' + hang))

    def test_a_disk_that_hangs_meanwhile(self):
        disk, inside = self.hung()
        # A file of that disk is there already and empty; it cannot be removed, so another folder's
        # name is asked for, and the disk hangs once the trainer runs.
        wrapper = self.start('--grace', '600ms', '--notice-file', self.path('disk/other'), '--',
                             *self.trainer('all=log'), prefix=inside, stdout=subprocess.PIPE)
        self.log().ready()
        send(disk.pid, 'USR1')
        begin = time.monotonic()
        wrapper.signal('USR1')
        self.log().wait_for('USR1', seconds=3)
        # Whoever waits for the end of the output, as slurmstepd does, must not hang either.
        wrapper.read_out()
        self.assertEqual(wrapper.wait(), 137)
        self.assertLess(time.monotonic() - begin, 8)


if __name__ == '__main__':
    main()
