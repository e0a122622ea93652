"""A signal at any moment of the first 5 ms is never lost, leaves no orphan and hangs nothing."""
import os
import select
import signal
import time

from processes import LIMIT
from wrapper import BINARY, WrapperTest, main, probe

WINDOW = 0.005
TRIES = 300  # for each row


class StartRace(WrapperTest):
    def attempt(self, name, delay, options):
        """One start, one signal `delay` seconds later: (wait status, what the trainer noted).

        The trainer and all its children hold the writing end of a pipe: its end of file means
        that no process is left."""
        sig = getattr(signal, 'SIG' + name)
        reader, writer = os.pipe()
        os.set_inheritable(writer, True)
        try:
            begin = time.monotonic()
            pid = os.posix_spawn(
                BINARY, [BINARY, '-q', *options, '--', probe('trainer'), f'/dev/fd/{writer}',
                         f'{sig.value}=exit:77'], self.environ(), setsid=True)
            os.close(writer)
            handle = os.pidfd_open(pid)
            while time.monotonic() < begin + delay:
                pass
            signal.pidfd_send_signal(handle, sig)
            ended = select.select([handle], [], [], LIMIT)[0]
            os.close(handle)
            if not ended:
                self.fail(f'{name} after {delay * 1000:.2f} ms: lost, or a hang; '
                          f'the trainer noted {os.read(reader, 1000)}')
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            return status, self.read_all(reader, f'{name} after {delay * 1000:.2f} ms')
        finally:
            os.close(reader)

    def read_all(self, reader, when):
        noted = b''
        while True:
            if not select.select([reader], [], [], LIMIT)[0]:
                self.fail(f'{when}: an orphan holds the pipe; noted: {noted}')
            data = os.read(reader, 4096)
            if not data:
                return noted.decode()
            noted += data

    def race(self, name, options=()):
        sig = getattr(signal, 'SIG' + name).value
        seen = {}
        for index in range(TRIES):
            delay = WINDOW * index / TRIES
            status, noted = self.attempt(name, delay, options)
            events = [line.split()[2] for line in noted.splitlines()]
            when = f'{name} after {delay * 1000:.2f} ms: status {status}, noted {events}'
            if status == 77:
                self.assertEqual(events, ['ready', 'got'], when)
            elif status == 128 + sig:
                # It came before the trainer's handler: the trainer died of it, or never was.
                self.assertEqual(events, [], when)
            else:
                # Before our first instruction the kernel's default holds.
                self.assertEqual((status, events), (-sig, []), when)
            seen[status] = seen.get(status, 0) + 1
        self.assertIn(77, seen, 'the window is too short to see a trainer at work')
        return seen

    def test_usr1(self):
        self.race('USR1')

    def test_term(self):
        self.race('TERM')

    def test_int(self):
        self.race('INT')

    def test_a_signal_that_is_no_notice(self):
        self.race('HUP')

    def test_usr1_to_the_tree(self):
        self.race('USR1', ['--to', 'tree'])

    def test_usr1_to_the_group(self):
        self.race('USR1', ['--to', 'group'])


class EndRace(WrapperTest):
    def test_a_signal_while_we_end_does_not_change_the_status(self):
        # The trainer ignores it and ends; the notice finds the wrapper at any stage of its end.
        for index in range(200):
            wrapper = self.start('-q', '--', *self.trainer('USR1=ignore', 'end=0:5'))
            self.log().ready(index + 1)
            until_then = time.monotonic() + 0.001 * index / 200
            while time.monotonic() < until_then:
                pass
            wrapper.signal('USR1')
            self.assertEqual(wrapper.wait(), 5)


if __name__ == '__main__':
    main()
