"""Otherwise it is not there: what the trainer starts with is what it would start with bare."""
import fcntl
import json
import os
import pty
import resource
import signal
import socket
import subprocess
import termios

from processes import number
from wrapper import BINARY, WrapperTest, main, probe

# Those that we set for the trainer, whatever we found.
OURS = {number(n) for n in ('USR1', 'USR2', 'TERM', 'CHLD')} | set(range(34, 65))


def numbers(*names):
    return {number(name) for name in names}


def ignore(*names):
    for name in names:
        signal.signal(number(name), signal.SIG_IGN)


def block(*names):
    signal.pthread_sigmask(signal.SIG_BLOCK, numbers(*names))


def take_terminal():
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class State(WrapperTest):
    def state(self, *options, bare=False, **how):
        """What probe_state sees as the trainer, or as a bare command in the same surroundings."""
        file = self.path('state.json')
        if os.path.exists(file):
            os.remove(file)
        command = [probe('state'), file]
        args = command[1:] if bare else [*options, '--', *command]
        wrapper = self.call(*args, binary=command[0] if bare else BINARY, **how)
        self.assertEqual(wrapper.status, 0, wrapper.err)
        with open(file, encoding='ascii') as text:
            state = json.load(text)
        state['wrapper'] = wrapper.pid
        return state

    def both(self, before=None, **how):
        return self.state(before=before, **how), self.state(bare=True, before=before, **how)


class Signals(State):
    def test_plain(self):
        state = self.state()
        self.assertEqual((state['blocked'], state['ignored'], state['pending']), ([], [], []))

    def test_table_without_a_terminal(self):
        rows = [
            # name, before, ignored in the trainer, blocked in the trainer
            ('nohup', lambda: ignore('HUP'), numbers('HUP'), set()),
            ('& in a script', lambda: ignore('INT', 'QUIT'), set(), set()),
            ('SIGCHLD ignored', lambda: ignore('CHLD'), set(), set()),
            ('notices ignored', lambda: ignore('USR1', 'USR2', 'TERM'), set(), set()),
            ('others ignored', lambda: ignore('ALRM', 'TSTP', 'TTOU', 'WINCH', 'XFSZ'),
             numbers('ALRM', 'TSTP', 'TTOU', 'WINCH', 'XFSZ'), set()),
            ('an RT signal ignored', lambda: ignore('RTMIN+5'), numbers('RTMIN+5'), set()),
            ('notices blocked', lambda: block('USR1', 'USR2', 'TERM', 'CHLD', 'RTMIN', 'RTMIN+30'),
             set(), set()),
            ('others blocked', lambda: block('ALRM', 'WINCH', 'HUP', 'IO'),
             set(), numbers('ALRM', 'WINCH', 'HUP', 'IO')),
            ('all blocked', lambda: signal.pthread_sigmask(signal.SIG_SETMASK, range(1, 65)),
             set(), set(range(1, 65)) - OURS - numbers('INT', 'QUIT', 'KILL', 'STOP') - {32, 33}),
            ('PIPE as Python leaves it', lambda: ignore('PIPE'), numbers('PIPE'), set()),
        ]
        for name, before, ignored, blocked in rows:
            with self.subTest(name):
                state = self.state(before=before)
                self.assertEqual(set(state['ignored']), ignored)
                self.assertEqual(set(state['blocked']), blocked)

    def test_an_rt_signal_that_is_a_notice_is_not_ignored(self):
        state = self.state('--notice', 'RTMIN+5', before=lambda: ignore('RTMIN+5', 'RTMIN+6'))
        self.assertEqual(set(state['ignored']), numbers('RTMIN+6'))

    def test_bypass_changes_nothing(self):
        env = self.environ(PREEMPT_WRAP_BYPASS='1')
        for names in ((), ('CHLD',), ('INT', 'PIPE', 'TERM')):
            with self.subTest(ignored=names):
                mine, bare = self.both(lambda: ignore(*names), env=env)
                self.assertLessEqual(numbers(*names), set(mine['ignored']))
                for key in ('blocked', 'ignored', 'pending', 'death_signal', 'subreaper'):
                    self.assertEqual(mine[key], bare[key], key)

    def test_a_notice_that_was_there_before_us_is_not_lost(self):
        # Blocked and pending across exec, sent by another process.
        def before():
            block('TERM')
            sender = os.fork()
            if sender == 0:
                os.kill(os.getppid(), signal.SIGTERM)
                os._exit(0)
            os.waitpid(sender, 0)
        wrapper = self.call('--', *self.trainer('TERM=exit:3'), before=before)
        self.assertIn(wrapper.status, (143, 3))


class WithATerminal(State):
    def on_terminal(self, before=None):
        """The state of a trainer whose wrapper is in the foreground of a terminal."""
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)
        self.addCleanup(os.close, slave)

        def become_foreground():
            take_terminal()
            if before:
                before()
        return self.state(stdin=slave, before=become_foreground)

    def test_ignored_int_and_quit_are_kept(self):
        state = self.on_terminal(lambda: ignore('INT', 'QUIT', 'HUP'))
        self.assertEqual(set(state['ignored']), numbers('INT', 'QUIT', 'HUP'))

    def test_the_trainer_stays_in_our_group(self):
        state = self.on_terminal()
        self.assertEqual(state['pgid'], state['wrapper'])
        self.assertEqual(state['foreground'], state['wrapper'])

    def test_without_a_terminal_it_has_its_own(self):
        state = self.state()
        self.assertEqual(state['pgid'], state['pid'])
        self.assertEqual(state['sid'], state['wrapper'])


class Rest(State):
    def test_limits_priority_mask_of_files_and_the_like(self):
        def before():
            os.umask(0o027)
            os.nice(3)
            resource.setrlimit(resource.RLIMIT_NOFILE, (200, 300))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            resource.setrlimit(resource.RLIMIT_STACK, (4 << 20, 4 << 20))
        mine, bare = self.both(before, cwd='/usr')
        for key in ('limits', 'umask', 'nice', 'policy', 'dumpable', 'slack', 'no_new_privs',
                    'cwd', 'sid', 'foreground'):
            with self.subTest(key):
                if key == 'sid':
                    self.assertEqual(mine['sid'], mine['wrapper'])
                else:
                    self.assertEqual(mine[key], bare[key])

    def test_parent_death_signal(self):
        rows = [([], 'TERM'), (['--if-wrapper-dies', 'USR1'], 'USR1'),
                (['--if-wrapper-dies', 'KILL'], 'KILL'), (['--if-wrapper-dies', 'none'], None)]
        for options, name in rows:
            with self.subTest(options=options):
                expected = number(name) if name else 0
                self.assertEqual(self.state(*options)['death_signal'], expected)

    def test_environment_is_the_same_in_the_same_order(self):
        env = self.environ(ODD='a\nb', EMPTY='', **{'BASH_FUNC_f%%': '() { :; }'})
        mine = self.call('env', '-0', env=env).out.split('\0')
        bare = subprocess.run(['env', '-0'], env=env, check=True, capture_output=True)
        told = [entry for entry in mine if not entry.startswith('PREEMPT_NOTICE_FILE=')]
        self.assertEqual(told, bare.stdout.decode().split('\0'))

    def test_argument_zero_is_the_word_as_given(self):
        self.assertEqual(self.call('bash', '-c', 'tr "\\0" "|" </proc/$$/cmdline').out,
                         'bash|-c|tr "\\0" "|" </proc/$$/cmdline|')


class Descriptors(State):
    def test_inherited_ones_pass_and_none_of_ours_leaks(self):
        pipe, sockets = os.pipe(), [s.detach() for s in socket.socketpair()]
        # Out of the way of 3 and 9, which the shell then makes.
        ends = [fcntl.fcntl(fd, fcntl.F_DUPFD, 300) for fd in (*pipe, *sockets)]
        for fd in (*pipe, *sockets, *ends):
            self.addCleanup(os.close, fd)
        moves = (f'exec 3>&{ends[1]} 9<&{ends[2]} 203<&{ends[0]} '
                 + ' '.join(f'{fd}>&-' for fd in ends) + '; exec "$0" "$@"')
        how = {'prefix': ['bash', '-c', moves], 'pass_fds': ends}
        rows = [
            ('no option', []),
            ('journal and hooks', ['--journal', self.path('journal'), '--on-exit', 'true']),
        ]
        for name, options in rows:
            with self.subTest(name):
                mine = self.state(*options, **how)['fds']
                bare = self.state(bare=True, **how)['fds']
                self.assertEqual(sorted(mine), ['0', '1', '2', '203', '3', '9'])
                # The files of 1 and 2 differ by run.
                for fd in ('0', '3', '9', '203'):
                    self.assertEqual(mine[fd], bare[fd])
                for fd in ('1', '2'):
                    self.assertEqual(mine[fd][3], bare[fd][3], 'flags, such as O_NONBLOCK')

    def test_closed_ones_stay_closed(self):
        for closed in [(0,), (1,), (2,), (0, 1), (1, 2), (0, 1, 2)]:
            for options in ([], ['--journal', self.path('journal')]):
                with self.subTest(closed=closed, options=options):
                    def before(closed=closed):
                        for fd in closed:
                            os.close(fd)
                    state = self.state(*options, before=before)
                    expected = [str(fd) for fd in (0, 1, 2) if fd not in closed]
                    self.assertEqual(sorted(state['fds']), expected)

    def test_notice_with_all_standard_descriptors_closed(self):
        def before():
            os.closerange(0, 3)
        journal = self.path('journal')
        wrapper, log = self.start_ready(['--journal', journal], 'USR1=exit:6', before=before)
        wrapper.signal('USR1')
        self.assertEqual(wrapper.wait(), 6)
        self.assertEqual(len(log.got('USR1')), 1)
        # Nothing of the log went into a file that happened to get number 2.
        self.assertEqual(self.journal()[-1]['event'], 'end')

    def test_a_program_can_use_the_socket_that_pmi_fd_names(self):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            env = self.environ(PMI_FD=str(theirs.fileno()))
            wrapper = self.start('--', 'bash', '-c', 'read -u $PMI_FD x; echo "got $x" >&$PMI_FD',
                                 env=env, pass_fds=(theirs.fileno(),))
            theirs.close()
            ours.sendall(b'cmd=init\n')
            ours.settimeout(20)
            self.assertEqual(ours.recv(100), b'got cmd=init\n')
            self.assertEqual(wrapper.wait(), 0)
            self.assertEqual(ours.recv(100), b'', 'somebody still holds the socket')

    def test_standard_input_passes(self):
        data = os.urandom(1 << 20)
        file = self.write('input', data)
        with open(file, 'rb') as stdin:
            wrapper = self.start('--', 'cat', stdin=stdin, stdout=subprocess.PIPE)
            self.assertEqual(wrapper.read_out(), data)
        self.assertEqual(wrapper.wait(), 0)

    def test_standard_input_that_the_trainer_leaves_is_left(self):
        # The next program in the script reads on where the trainer stopped.
        out = subprocess.run(
            ['sh', '-c', '"$0" -q head -c 2 >/dev/null; cat', BINARY], input=b'abcdef',
            env=self.environ(), capture_output=True, check=True).stdout
        # head(1) seeks back only in files; what counts is that we have taken nothing.
        self.assertIn(out, (b'cdef', b''))
        out = subprocess.run(['sh', '-c', '"$0" -q true; cat', BINARY], input=b'abcdef',
                             env=self.environ(), capture_output=True, check=True).stdout
        self.assertEqual(out, b'abcdef')

    def test_our_log_is_not_on_standard_output(self):
        self.assertEqual(self.call('echo', 'x').out, 'x\n')

    def test_a_broken_pipe_ends_the_trainer_as_bare(self):
        out = subprocess.run(
            ['bash', '-c', '"$0" -q yes | head -n 1; echo "${PIPESTATUS[0]}"', BINARY],
            env=self.environ(), capture_output=True, check=True, timeout=20).stdout
        self.assertEqual(out, b'y\n141\n')


if __name__ == '__main__':
    main()
