"""The verb relay: the process that a PID file names, and nobody else, ever."""
import os
import re
import signal
import socket
import sys
import time

from processes import LIMIT, send, state, until
from wrapper import BINARY, WrapperTest, main, probe

NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']
README = os.path.join(os.path.dirname(__file__), '../../README.md')


class RelayTest(WrapperTest):
    def setUp(self):
        super().setUp()
        self.file = self.path('t.pid')

    def target(self, *rules, log='target', prefix=()):
        """A trainer that is nobody's child of ours: (its process, its log)."""
        command = self.trainer(*(rules or ['all=log']), log=log)
        process = self.start(*command[1:], binary=command[0], prefix=prefix)
        self.log(log).ready()
        return process, self.log(log)

    def python(self, script):
        """A Python trainer; it says in a file that it is ready."""
        ready = self.path('ready')
        process = self.start('-c', f'{script}\nimport time\nwhile True: time.sleep(100)', ready,
                             binary=sys.executable)
        until('the Python trainer', lambda: os.path.exists(ready))
        return process

    def name(self, process, path=None):
        """Writes a PID file for it, as a trainer would."""
        with open(path or self.file, 'w', encoding='ascii') as file:
            file.write(f'{process.pid}\n')
        os.chmod(path or self.file, 0o644)
        return path or self.file

    def relay(self, *options, path=None, **how):
        return self.call('relay', '--pid-file', path or self.file, *options, **how)

    def fenced(self, process, log):
        """The WINCHes that it has got, when all have arrived: PWR has a higher number."""
        process.signal('PWR')
        log.wait_for('PWR')
        return log.got('WINCH')

    def assert_untouched(self, process, log):
        """It has got no signal at all: a last one comes alone."""
        self.assertTrue(process.running())
        before = len(log.got('WINCH'))
        process.signal('WINCH')
        log.wait_for('WINCH', before + 1)
        self.assertEqual(log.order(), [])


class Ends(RelayTest):
    def test_term_by_default(self):
        process, log = self.target('TERM=save:300:3')
        self.name(process)
        relay = self.relay()
        self.assertEqual((relay.status, relay.out), (0, ''))
        self.assertEqual(process.wait(), 3)
        self.assertEqual(log.order(), ['TERM'])
        self.assertEqual([e.sender for e in log.got('TERM')], [relay.pid])
        self.assertRegex(relay.err, f'probe_trainer \\(pid {process.pid}\\): TERM sent')

    def test_another_signal(self):
        for serial, (words, got) in enumerate(((['-s', 'USR1'], 'USR1'), (['-sint'], 'INT'),
                                               (['--signal=SIGHUP'], 'HUP'))):
            process, log = self.target(f'{got}=exit:3', log=got)
            self.name(process)
            self.assertEqual(self.relay(*words).status, 0)
            self.assertEqual((serial, log.order()), (serial, [got]))

    def test_gone_already(self):
        process, _ = self.target('TERM=exit:0')
        self.name(process)
        process.signal('TERM')
        until('a zombie', lambda: state(process.pid) == 'Z')
        relay = self.relay()
        self.assertEqual(relay.status, 0)
        self.assertRegex(relay.err, 'gone already')
        process.wait()
        self.assertEqual(self.relay().status, 0)

    def test_still_there_after_the_wait(self):
        process, log = self.target()
        self.name(process)
        begin = time.monotonic()
        self.assertEqual(self.relay('--wait', '300ms').status, 124)
        self.assertGreaterEqual(time.monotonic() - begin, 0.3)
        self.assertTrue(process.running())
        self.assertEqual(log.order(), ['TERM'])

    def test_kill_after_the_grace_only(self):
        process, log = self.target()
        self.name(process)
        begin = time.monotonic()
        relay = self.relay('-k', '400ms')
        self.assertEqual(relay.status, 137)
        self.assertGreaterEqual(time.monotonic() - begin, 0.4)
        self.assertEqual(process.wait(), -signal.SIGKILL)
        self.assertEqual(log.order(), ['TERM'])
        self.assertRegex(relay.err, 'SIGKILL')

    def test_in_the_grace(self):
        process, _ = self.target('TERM=save:200:0')
        self.name(process)
        self.assertEqual(self.relay('--grace', '1m').status, 0)
        self.assertEqual(process.wait(), 0)

    def test_the_process_alone_never_its_tree(self):
        script = '"$0" "$1" all=log & exec "$0" "$2" all=log'
        process = self.start('-c', script, probe('trainer'), self.path('child.log'),
                             self.path('target.log'), binary='/bin/bash')
        child = self.log('child').ready()
        self.log('target').ready()
        self.name(process)
        self.assertEqual(self.relay('-k', '200ms').status, 137)
        send(child, 'WINCH')
        self.log('child').wait_for('WINCH')
        self.assertEqual(self.log('child').order(), [])

    def test_a_stopped_one_is_continued(self):
        process, log = self.target('TERM=exit:3', 'CONT=log')
        self.name(process)
        process.signal('STOP')
        until('the stop', lambda: state(process.pid) == 'T')
        self.assertEqual(self.relay().status, 0)
        self.assertEqual(process.wait(), 3)

    def test_a_running_one_gets_no_cont(self):
        process, log = self.target()
        self.name(process)
        self.assertEqual(self.relay('--wait', '100ms').status, 124)
        self.assertEqual(log.order(), ['TERM'])

    def test_linux_4_18(self):
        for error in ('ENOSYS', 'EPERM'):
            with self.subTest(error):
                prefix = [probe('old_kernel'), error]
                process, _ = self.target('TERM=save:200:3', log=error)
                self.name(process)
                self.assertEqual(self.relay(prefix=prefix).status, 0)
                self.assertEqual(process.wait(), 3)
                self.assertEqual(self.relay(prefix=prefix).status, 0)
                process, _ = self.target(log=error + '2')
                self.name(process)
                self.assertEqual(self.relay('-k', '100ms', prefix=prefix).status, 137)

    def test_the_trainer_of_a_preempt_wrap(self):
        wrapper = self.start('--pid-file', self.file, '--', *self.trainer('USR1=save:100:7'))
        self.log().ready()
        until('the PID file', lambda: os.path.exists(self.file))
        self.assertEqual(self.relay('-s', 'USR1').status, 0)
        self.assertEqual(wrapper.wait(), 7)
        self.assertEqual(self.log().order(), ['USR1'])
        relay = self.relay()
        self.assertEqual(relay.status, 1)
        self.assertRegex(relay.err, 'No such file')

    def test_a_preempt_wrap_itself(self):
        """It fetches its signals, and begins an episode of its own."""
        wrapper, log = self.start_ready([], 'USR1=save:100:7')
        self.name(wrapper)
        relay = self.relay('-s', 'USR1')
        self.assertEqual(relay.status, 0)
        self.assertEqual(wrapper.wait(), 7)
        self.assertEqual(log.order(), ['USR1'])
        self.assertRegex(wrapper.err, 'notice USR1')

    def test_who_does_not_read_our_lines_keeps_no_kill_back(self):
        for name in ('stopped', 'gone'):
            with self.subTest(name):
                reader, writer = os.pipe()
                os.set_blocking(writer, False)
                try:
                    while name == 'stopped':
                        os.write(writer, b'x' * 512)
                except BlockingIOError:
                    os.set_blocking(writer, True)
                if name == 'gone':
                    os.close(reader)
                else:
                    self.addCleanup(os.close, reader)
                self.addCleanup(os.close, writer)
                process, _ = self.target(log=name)
                self.name(process)
                self.assertEqual(self.relay('-k', '200ms', stderr=writer).status, 137)
                self.assertEqual(process.wait(), -signal.SIGKILL)

    def test_ctrl_c_ends_the_relay_alone(self):
        process, log = self.target()
        self.name(process)
        relay = self.start('relay', '--pid-file', self.file)
        log.wait_for('TERM')
        relay.signal('INT')
        self.assertEqual(relay.wait(), -signal.SIGINT)
        self.assertTrue(process.running())


class Hold(RelayTest):
    """USR1, USR2 and RT wait for a handler: they are deadly without one."""

    def held(self, relay):
        until('the hold', lambda: 'held' in relay.err)

    def test_until_there_is_a_handler(self):
        for name in ('USR1', 'USR2', 'RTMIN+3'):
            with self.subTest(name):
                go = self.path('go' + name)
                script = 'while ! [ -e "$1" ]; do sleep 0.02; done; shift; exec "$@"'
                process = self.start('-c', script, 'sh', go,
                                     *self.trainer(f'{name}=save:10:7', log=name),
                                     binary='/bin/bash')
                self.name(process)
                relay = self.start('relay', '--pid-file', self.file, '-s', name)
                self.held(relay)
                self.write('go' + name, '')
                self.assertEqual(relay.wait(), 0)
                self.assertEqual(process.wait(), 7)

    def test_in_vain(self):
        rows = [([], -signal.SIGTERM, 0), (['--no-handler', 'term'], -signal.SIGTERM, 0),
                (['--no-handler', 'send'], -signal.SIGUSR1, 0),
                (['--no-handler', 'skip', '--wait', '400ms'], None, 124),
                (['--no-handler', 'skip', '-k', '400ms'], -signal.SIGKILL, 137)]
        for options, ended, status in rows:
            with self.subTest(options):
                process = self.start('100', binary='/bin/sleep')
                self.name(process)
                relay = self.relay('-s', 'USR1', '--hold', '80ms', *options)
                self.assertEqual(relay.status, status, relay.err)
                self.assertEqual(process.running(), ended is None)
                if ended is not None:
                    self.assertEqual(process.wait(), ended)

    def test_the_default_hold_is_long(self):
        process = self.start('100', binary='/bin/sleep')
        self.name(process)
        relay = self.start('relay', '--pid-file', self.file, '-s', 'USR1')
        self.held(relay)
        time.sleep(1)
        self.assertTrue(relay.running())
        self.assertTrue(process.running())

    def test_at_most_a_quarter_of_the_grace(self):
        process = self.start('100', binary='/bin/sleep')
        self.name(process)
        begin = time.monotonic()
        self.assertEqual(self.relay('-s', 'USR1', '-k', '2s').status, 0)
        self.assertGreaterEqual(time.monotonic() - begin, 0.5)
        self.assertEqual(process.wait(), -signal.SIGTERM)

    def test_term_and_int_are_never_held(self):
        for name in ('TERM', 'INT'):
            process = self.start('100', binary='/bin/sleep')
            self.name(process)
            relay = self.relay('-s', name)
            self.assertEqual(relay.status, 0)
            self.assertNotIn('held', relay.err)
            self.assertEqual(process.wait(), -getattr(signal, 'SIG' + name))

    def test_who_fetches_it_takes_it(self):
        block = ('import signal, sys\n'
                 'signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])\n'
                 'open(sys.argv[1], "w").close()\n')
        rows = [('sigwait', block + 'sys.exit(signal.sigwait([signal.SIGUSR1]))'),
                ('sigtimedwait', block + 'signal.sigtimedwait([signal.SIGUSR1], 100)\nsys.exit(10)'),
                ('blocked for good', block + 'import time\n'
                 'while signal.SIGUSR1 not in signal.sigpending(): time.sleep(0.01)\nsys.exit(10)')]
        for name, script in rows:
            with self.subTest(name):
                process = self.python(script)
                os.remove(self.path('ready'))
                self.name(process)
                self.assertEqual(self.relay('-s', 'USR1').status, 0)
                self.assertEqual(process.wait(), 10)

    def test_who_fetches_it_out_of_our_sight(self):
        process = self.python('import signal, sys\n'
                              'signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])\n'
                              'open(sys.argv[1], "w").close()\n'
                              'signal.sigtimedwait([signal.SIGUSR1], 100)\nsys.exit(10)')
        self.name(process)
        relay = self.relay('-s', 'USR1', prefix=[probe('old_kernel'), 'memory'])
        self.assertEqual(relay.status, 0)
        self.assertEqual(process.wait(), 10)

    def test_one_thread_that_lets_it_in_dies_of_it(self):
        process = self.python('import signal, sys, threading, time\n'
                              'threading.Thread(target=time.sleep, args=[100], daemon=True).start()\n'
                              'signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])\n'
                              'open(sys.argv[1], "w").close()')
        self.name(process)
        relay = self.relay('-s', 'USR1', '--hold', '300ms')
        self.assertEqual(relay.status, 0)
        self.assertEqual(process.wait(), -signal.SIGTERM)


class Refused(RelayTest):
    """Exit 1, one line that says why, and nobody has got a signal."""

    def setUp(self):
        super().setUp()
        self.bystander, self.watch = self.target()

    def assert_refused(self, why, *options, path=None, **how):
        # URG harms nobody, should a bad number ever be taken for a process or a group.
        relay = self.relay('-s', 'URG', '--wait', '2s', *options, path=path, **how)
        self.assertEqual((relay.status, relay.out), (1, ''), relay.err)
        self.assertRegex(relay.err, why)
        self.assertEqual(len(relay.err.splitlines()), 1, relay.err)
        self.assert_untouched(self.bystander, self.watch)
        return relay

    def assert_accepted(self, *options, path=None, **how):
        relay = self.relay('-s', 'WINCH', '--wait', '0', *options, path=path, **how)
        self.assertEqual(relay.status, 124, relay.err)
        until('its signal', lambda: relay.pid in [e.sender for e in self.watch.got('WINCH')])

    def each_user(self):
        yield 'we', []
        if os.geteuid() == 0:
            os.chmod(self.dir, 0o755)
            yield 'nobody', NOBODY

    def test_what_holds_no_number_of_a_process(self):
        pid = self.bystander.pid
        rows = [
            ('empty', b'', 'empty'), ('blank', b' \n', 'blanks'), ('text', b'trainer\n', 'decimal'),
            ('a name before', f'pid={pid}\n'.encode(), 'decimal'), ('-1', b'-1\n', 'decimal'),
            ('minus', f'-{pid}\n'.encode(), 'decimal'), ('0', b'0\n', 'holds 0'),
            ('1', b'1\n', 'holds 1'), ('2^31', b'2147483648\n', 'no process'),
            ('2^32 more', f'{pid + 2 ** 32}\n'.encode(), 'no process'),
            ('2^64 more', f'{pid + 2 ** 64}\n'.encode(), 'no process'),
            ('two numbers', f'{pid} {pid}\n'.encode(), 'more than one'),
            ('two lines', f'{pid}\n{pid}\n'.encode(), 'more than one'),
            ('NUL behind', f'{pid}\0'.encode(), 'NUL'), ('NULs', b'\0' * 8, 'NUL'),
            ('NUL before', f'\0{pid}\n'.encode(), 'NUL'), ('hexadecimal', hex(pid), 'decimal'),
            ('plus', f'+{pid}\n', 'decimal'), ('a fraction', f'{pid}.0\n', 'decimal'),
            ('digits of another script', '\u0664\u0667\n', 'decimal'),
            ('long', str(pid) + '\n' * 90, 'too long'),
        ]
        for who, prefix in self.each_user():
            for name, text, why in rows:
                with self.subTest(name, who=who):
                    self.write('t.pid', text)
                    self.assert_refused(why, prefix=prefix)

    def test_a_gigabyte(self):
        with open(self.name(self.bystander), 'r+b') as file:
            file.truncate(2 ** 30)
        begin = time.monotonic()
        self.assert_refused('too long')
        self.assertLess(time.monotonic() - begin, LIMIT / 2)

    def test_what_is_no_regular_file(self):
        good = self.name(self.bystander, self.path('good.pid'))
        server = socket.socket(socket.AF_UNIX)
        self.addCleanup(server.close)
        rows = [('directory', os.mkdir, 'is a directory'), ('fifo', os.mkfifo, 'is a FIFO'),
                ('socket', server.bind, 'is a socket'),
                ('dangling', lambda path: os.symlink('/no/such', path), 'symbolic link'),
                ('link', lambda path: os.symlink(good, path), 'symbolic link'),
                ('loop', lambda path: os.symlink(path, path), 'symbolic link'),
                ('nothing', lambda path: None, 'No such file')]
        for name, make, why in rows:
            make(self.path(name))
            for who, prefix in self.each_user():
                with self.subTest(name, who=who):
                    self.assert_refused(why, path=self.path(name), prefix=prefix)
        self.assert_refused('device', path='/dev/zero')
        self.assert_refused('no file', path='/')
        self.assert_refused('directory', path='.')
        self.assert_refused('no file', path=good + '/')
        self.assert_refused('Not a directory', path=good + '/t.pid')

    def test_a_fifo_with_a_writer(self):
        os.mkfifo(self.file)
        fd = os.open(self.file, os.O_RDWR)
        self.addCleanup(os.close, fd)
        os.write(fd, f'{self.bystander.pid}\n'.encode())
        self.assert_refused('is a FIFO')

    def test_a_link_on_the_way_where_others_can_write(self):
        os.mkdir(self.path('real'))
        self.name(self.bystander, self.path('real/t.pid'))
        os.mkdir(self.path('way'))
        os.symlink('../real', self.path('way/run'))
        os.symlink(self.path('way/run'), self.path('to-it'))
        rows = [(0o755, False), (0o700, False), (0o777, True), (0o1777, True), (0o775, True)]
        for mode, refused in rows:
            for path in ('way/run/t.pid', 'to-it/t.pid', 'real/../way/./run//t.pid'):
                with self.subTest(path, mode=oct(mode)):
                    os.chmod(self.path('way'), mode)
                    if refused:
                        self.assert_refused('symbolic link run in a folder that others can write',
                                            path=self.path(path))
                    else:
                        self.assert_accepted(path=self.path(path))
                        os.remove(self.watch.path)  # its WINCH is ours
                        self.bystander.signal('KILL')
                        self.bystander.wait()
                        self.bystander, self.watch = self.target()
                        self.name(self.bystander, self.path('real/t.pid'))

    def test_a_link_in_another_users_folder(self):
        self.need_root()
        os.mkdir(self.path('real'))
        self.name(self.bystander, self.path('real/t.pid'))
        os.mkdir(self.path('theirs'))
        os.symlink('../real', self.path('theirs/run'))
        os.chown(self.path('theirs'), 65534, 65534)
        self.assert_refused('others can write', path=self.path('theirs/run/t.pid'))

    def test_a_relative_path(self):
        self.name(self.bystander)
        self.assert_accepted(path='t.pid', cwd=self.dir)

    def test_root_s_file_that_its_group_can_write(self):
        self.need_root()
        path = self.write('t.pid', f'{self.bystander.pid}\n', 0o664)
        os.chown(path, 0, 1234)
        self.assert_refused('its group can write it')

    def test_a_file_that_everybody_can_write(self):
        os.chmod(self.name(self.bystander), 0o666)
        self.assert_refused('by everybody')

    def test_another_users_file_for_our_process(self):
        self.need_root()
        os.chown(self.name(self.bystander), 65534, 65534)
        for who, prefix in self.each_user():
            with self.subTest(who):
                self.assert_refused('belongs to uid 65534, but process', prefix=prefix)

    def test_users_and_their_processes(self):
        self.need_root()
        os.chmod(self.dir, 0o1777)
        process, log = self.target(log='theirs', prefix=NOBODY)
        rows = [(65534, [], 124), (65534, NOBODY, 124), (0, [], 124), (0, NOBODY, 124),
                (1, [], 1), (1, NOBODY, 1)]
        for owner, prefix, status in rows:
            with self.subTest(owner=owner, prefix=prefix[:1]):
                os.chown(self.name(process), owner, owner)
                relay = self.relay('-s', 'WINCH', '--wait', '0', prefix=prefix)
                self.assertEqual(relay.status, status, relay.err)
        self.assertEqual(len(self.fenced(process, log)), 4)

    def test_a_process_that_we_may_not_signal(self):
        self.need_root()
        self.name(self.bystander)
        self.assert_refused('URG cannot be sent: Operation not permitted', prefix=NOBODY)

    def test_a_process_that_is_younger_than_the_file(self):
        self.name(self.bystander)
        with open('/proc/uptime', encoding='ascii') as file:
            uptime = float(file.read().split()[0])
        with open(f'/proc/{self.bystander.pid}/stat', encoding='ascii') as file:
            ticks = int(file.read().rpartition(')')[2].split()[19])
        started = time.time() - uptime + ticks / os.sysconf('SC_CLK_TCK')
        for age in (3, 60, 10 ** 8):
            os.utime(self.file, (started - age, started - age))
            self.assert_refused('older than process')
        for age in (1, 0, -0.01):
            os.utime(self.file, (started - age, started - age))
            self.assert_accepted()

    def test_a_file_of_the_future(self):
        self.name(self.bystander)
        os.utime(self.file, (time.time() + 60, time.time() + 60))
        self.assert_refused('in the future')

    def test_itself(self):
        script = 'echo $$ >"$1"; exec "$2" relay -s URG --pid-file "$1"'
        relay = self.start('-c', script, 'sh', self.file, BINARY, binary='/bin/sh')
        self.assertEqual(relay.wait(), 1)
        self.assertRegex(relay.err, 'names the process that reads it')

    def test_a_thread(self):
        script = ('import sys, threading, time\n'
                  'def work():\n'
                  ' with open(sys.argv[1] + ".tid", "w") as f: f.write(f"{threading.get_native_id()}\\n")\n'
                  ' open(sys.argv[1], "w").close()\n'
                  ' time.sleep(100)\n'
                  'threading.Thread(target=work).start()')
        process = self.python(script)
        self.assert_refused(f'names a thread .* of process {process.pid}',
                            path=self.path('ready.tid'))
        self.assertTrue(process.running())

    def test_without_proc_nobody_is_known(self):
        self.need_root()
        others = ['unshare', '-m', 'sh', '-c', 'mount -t tmpfs none /proc && exec "$@"', 'sh']
        for prefix in (others, ['unshare', '--pid', '--fork']):
            self.name(self.bystander)
            self.assert_refused('/proc does not show', prefix=prefix)
            self.write('t.pid', '4194304\n')  # not "gone already"
            self.assert_refused('/proc does not show', prefix=prefix)

    def test_a_process_that_proc_hides(self):
        self.need_root()
        self.name(self.bystander)
        hidden = 'mount -t proc -o hidepid=2 none /proc && exec "$@"'
        self.assert_refused('of which /proc shows nothing', prefix=[
            'unshare', '-m', 'sh', '-c', hidden, 'sh', *NOBODY])

    def test_padded_numbers_are_fine(self):
        for text in (f'  {self.bystander.pid}  \n', f'{self.bystander.pid}',
                     f'00{self.bystander.pid}\r\n'):
            self.write('t.pid', text)
            self.assert_accepted()


class Disks(RelayTest):
    def setUp(self):
        super().setUp()
        self.need_root()
        self.need(os.path.exists('/dev/fuse'), 'there is no /dev/fuse')
        self.need(os.path.exists(probe('hung_disk')), 'probe_hung_disk is not built (libfuse3-dev)')
        os.mkdir(self.path('server'))
        os.mkdir(self.path('disk'))
        before = os.stat(self.path('disk')).st_dev
        self.disk = self.start(self.path('server'), self.path('disk'), binary=probe('mirror_disk'),
                               prefix=['unshare', '-m'])
        # Whoever is inside sees the disk under its own path, not through /proc.
        self.inside = ['nsenter', '-m', '-t', str(self.disk.pid)]
        seen = f'/proc/{self.disk.pid}/root{self.path("disk")}'
        until('the disk', lambda: os.stat(seen).st_dev != before)

    def test_a_file_server_must_carry_our_name(self):
        process, log = self.target()
        host = os.uname().nodename
        rows = [('t.pid', [], 1), (f'{host}.pid', [], 124), (f'x{host}.pid', [], 1),
                (f'{host}0.pid', [], 1), ('t.pid', ['--any-host'], 124),
                (f'{host}-0.pid', [], 124)]
        for name, options, status in rows:
            with self.subTest(name, options=options):
                self.name(process, self.path('server/' + name))
                relay = self.relay('-s', 'WINCH', '--wait', '0', *options,
                                   path=self.path('disk/' + name), prefix=self.inside)
                self.assertEqual(relay.status, status, relay.err)
                if status == 1:
                    self.assertRegex(relay.err, f"name {host}.*--any-host")
        self.assertEqual(len(self.fenced(process, log)), 3)

    def test_a_file_servers_clock_may_be_minutes_off(self):
        process, _ = self.target()
        self.name(process, self.path('server/t.pid'))
        for age, status in ((250, 124), (400, 1)):
            os.utime(self.path('server/t.pid'), (time.time() - age, time.time() - age))
            relay = self.relay('-s', 'WINCH', '--wait', '0', '--any-host',
                               path=self.path('disk/t.pid'), prefix=self.inside)
            self.assertEqual(relay.status, status, relay.err)

    def test_a_gone_process_of_another_host_is_not_gone(self):
        self.write('server/t.pid', '4194304\n')
        self.assertEqual(self.relay(path=self.path('disk/t.pid'), prefix=self.inside).status, 1)

    def test_a_disk_that_hangs(self):
        process, log = self.target()
        self.name(process, self.path('server/t.pid'))
        self.disk.signal('STOP')
        begin = time.monotonic()
        relay = self.relay('--wait', '1s', path=self.path('disk/t.pid'), prefix=self.inside)
        self.assertEqual(relay.status, 1)
        self.assertLess(time.monotonic() - begin, 8)
        self.assertRegex(relay.err, 'does not answer')
        self.assertEqual(log.order(), [])


class Folder(RelayTest):
    def run_dir(self, *options, path=None, **how):
        return self.call('relay', '--run-dir', path or self.path('run'), *options, **how)

    def setUp(self):
        super().setUp()
        os.mkdir(self.path('run'))

    def test_all_at_the_same_time(self):
        logs = []
        for i in range(5):
            process, log = self.target('TERM=save:700:0', log=f'n{i}')
            self.name(process, self.path(f'run/{i}.pid'))
            logs.append(log)
        relay = self.run_dir()
        self.assertEqual(relay.status, 0)
        saved = [log.wait_for('saved')[0].at for log in logs]
        told = [log.wait_for('TERM')[0].at for log in logs]
        self.assertLess(max(told), min(saved))
        for i in range(5):
            self.assertEqual(self.log(f'n{i}').order(), ['TERM'])

    def test_each_is_judged_on_its_own_and_the_worst_counts(self):
        bad = self.write('run/bad.pid', '-1\n')
        self.assertEqual(self.run_dir().status, 1)
        good, _ = self.target('TERM=exit:0', log='good')
        self.name(good, self.path('run/good.pid'))
        relay = self.run_dir()
        self.assertEqual(relay.status, 1)
        self.assertEqual(good.wait(), 0)
        self.assertRegex(relay.err, f'{bad} holds no decimal number; nothing was signalled')
        self.assertRegex(relay.err, f'\\(pid {good.pid}\\): gone')

        stubborn, _ = self.target(log='stubborn')
        self.name(stubborn, self.path('run/stubborn'))
        self.assertEqual(self.run_dir('--wait', '200ms').status, 124)
        self.assertEqual(self.run_dir('-k', '200ms').status, 137)
        os.remove(bad)
        relay = self.run_dir()
        self.assertEqual(relay.status, 0)
        stubborn.wait()
        self.assertEqual(relay.err.count('gone already'), 2)

    def test_two_files_of_one_process_are_one_signal(self):
        process, log = self.target('TERM=save:100:0')
        self.name(process, self.path('run/a.pid'))
        self.name(process, self.path('run/b.pid'))
        relay = self.run_dir()
        self.assertEqual(relay.status, 0)
        self.assertEqual(log.order(), ['TERM'])
        self.assertRegex(relay.err, 'b.pid names the same process')

    def test_what_is_no_pid_file_there(self):
        wrapper = self.start('--pid-file', self.path('run/t.pid'), '--',
                             *self.trainer('TERM=exit:5'))
        self.log().ready()
        until('the PID file', lambda: os.path.exists(self.path('run/t.pid')))
        os.mkdir(self.path('run/folder'))
        self.write('run/.hidden', 'x')
        self.write('run/x.pid.abcdef.tmp', 'x')
        relay = self.run_dir()
        self.assertEqual(relay.status, 0, relay.err)
        self.assertEqual(wrapper.wait(), 5)

    def test_an_empty_one_and_none(self):
        relay = self.run_dir()
        self.assertEqual(relay.status, 0)
        self.assertRegex(relay.err, 'holds no PID files')
        for path in ('/no/such/folder', self.write('t.pid', '1')):
            self.assertEqual(self.run_dir(path=path).status, 1)

    def test_many(self):
        process, log = self.target('TERM=exit:0')
        for i in range(500):
            self.write(f'run/{i:03}.pid', '4194304\n')
        self.name(process, self.path('run/zzz.pid'))
        relay = self.run_dir()
        self.assertEqual(relay.status, 0)
        self.assertEqual(log.order(), ['TERM'])
        self.assertEqual(relay.err.count('gone already'), 500)


class Usage(RelayTest):
    def usage(self, *words):
        process, log = self.target(log=f'watch{len(os.listdir(self.dir))}')
        self.name(process)
        relay = self.call('relay', *words)
        self.assertEqual((relay.status, relay.out), (125, ''))
        self.assert_untouched(process, log)
        return relay.err

    def test_all_mistakes_at_once(self):
        err = self.usage('--pid-file', self.file, '-s', 'USR', '-k', '3x', '--hold=', '--frob',
                         '--no-handler', 'kill', '--wait', '-1', 'word')
        for word in ('signal: "USR".*USR1', 'grace: "3x"', '--hold needs a value', '--frob', 'no-handler: "kill"',
                     'wait: "-1"'):
            self.assertRegex(err, word)
        self.assertEqual(len(err.splitlines()), 6)

    def test_rows(self):
        file = ['--pid-file', self.file]
        rows = [([], 'whom to signal'), (['--pidfile', self.file], 'did you mean --pid-file'),
                ([*file, '--run-dir', self.dir], 'together'), ([*file, 'word'], 'unexpected word'),
                ([*file, '--', 'word'], 'unexpected word word'), (['--pid-file'], 'needs a value'),
                (['--pid-file', '%x'], 'only %j'), ([*file, '-k', '2', '--wait', '1'], 'wait'),
                ([*file, '--any-host=yes'], 'takes no value'), ([*file, '-s', '0'], 'no signal')]
        for words, why in rows:
            with self.subTest(words):
                self.assertRegex(self.usage(*words), why)

    def test_patterns(self):
        process, _ = self.target('TERM=exit:3')
        self.name(process, self.path(f'{os.uname().nodename}-0.pid'))
        self.assertEqual(self.relay(path=self.path('%h-%t.pid')).status, 0)

    def test_help(self):
        for word in ('--help', '-h'):
            relay = self.call('relay', word)
            self.assertEqual((relay.status, relay.err), (0, ''))
            for text in ('usage', '--pid-file', '--run-dir', '--grace', '--hold', '--no-handler',
                         '--wait', '--any-host', '124', '137'):
                self.assertIn(text, relay.out)
            self.assertLessEqual(max(map(len, relay.out.splitlines())), 80)
        for word in ('--help', '--help-all', 'help'):
            self.assertIn('relay', self.call(word).out)

    def test_the_readme_has_the_options_and_their_defaults(self):
        with open(README, encoding='utf-8') as file:
            section = re.search(r'\n## relay\n(.*?)\n## ', file.read(), re.DOTALL)[1]
        told = dict(re.findall(r'\| (?:`-\w`, )?`--([a-z-]+).*?` \| `?(.*?)`? \| ', section))
        row = re.compile(r' +(?:-\w, )?--([a-z-]+)(?: .*?\[(.*?)\]$| )', re.MULTILINE)
        shown = {name: default or 'off' for name, default in row.findall(self.call('relay', '-h').out)}
        shown.pop('help')
        self.assertEqual(told, shown)


if __name__ == '__main__':
    main()
