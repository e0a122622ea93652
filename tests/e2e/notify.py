"""Both ends of sd_notify for the tests: a voice that speaks to the wrapper's socket, a stand-in
for the service manager above the wrapper, and the fixture with both."""
import array
import json
import os
import select
import socket
import struct

from processes import LIMIT, until
from wrapper import WrapperTest

SYSTEM_PYTHON = '/usr/bin/python3'  # Debian's modules are for Debian's Python


def variables_of(pid):
    """The environment that a process was started with."""
    with open(f'/proc/{pid}/environ', 'rb') as file:
        pairs = [entry.split(b'=', 1) for entry in file.read().split(b'\0') if b'=' in entry]
    return {name.decode(): os.fsdecode(value) for name, value in pairs}


class Voice:
    """Says things as the trainer would: the wrapper hears its own user, whichever process."""

    def __init__(self, path):
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.settimeout(LIMIT)
        self._socket.connect(path)

    def say(self, *lines):
        self.send('\n'.join(lines).encode())

    def send(self, datagram, fds=()):
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', fds))] if fds else []
        self._socket.sendmsg([datagram], rights)

    def have_room(self, size):
        so_sndbufforce = 32
        self._socket.setsockopt(socket.SOL_SOCKET, so_sndbufforce, size)

    def barrier(self):
        """As sd_notify_barrier(3): returns when all that was said before has been dealt with."""
        ours, theirs = os.pipe2(os.O_CLOEXEC)
        self.send(b'BARRIER=1', [theirs])
        os.close(theirs)
        poll = select.poll()
        poll.register(ours, 0)
        answered = poll.poll(LIMIT * 1000)
        os.close(ours)
        assert answered, 'the barrier was not answered'

    def close(self):
        self._socket.close()


class Manager:
    """Notes what it is told, and by whom; systemd's end of NOTIFY_SOCKET."""

    def __init__(self, address):
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._socket.bind('\0' + address[1:] if address.startswith('@') else address)
        self._socket.setblocking(False)
        self.lines = []
        self.senders = set()

    def read(self):
        """All lines so far."""
        while True:
            try:
                data, control, _, _ = self._socket.recvmsg(65536, 1024)
            except BlockingIOError:
                return self.lines
            self.lines += data.decode().splitlines()
            for _, kind, value in control:
                if kind == socket.SCM_CREDENTIALS:
                    self.senders.add(struct.unpack('iii', value[:12])[0])

    def wait_for(self, line):
        until(f'{line} at the manager', lambda: line in self.read())

    def close(self):
        self._socket.close()


class NotifyTest(WrapperTest):
    def start_voice(self, options, *rules, **how):
        """Starts a wrapped trainer with a socket: (wrapper, log, voice)."""
        wrapper, log = self.start_ready(['--journal', self.path('journal'), *options], *rules,
                                        **how)
        voice = Voice(variables_of(log.ready())['NOTIFY_SOCKET'])
        self.addCleanup(voice.close)
        return wrapper, log, voice

    def manager(self, address=None):
        manager = Manager(address or self.path('manager'))
        self.addCleanup(manager.close)
        return manager

    def told(self, event):
        """The journal's lines of this event so far."""
        try:
            with open(self.path('journal'), encoding='utf-8') as file:
                text = file.read()
        except FileNotFoundError:
            return []
        lines = text[:text.rfind('\n') + 1].splitlines()
        return [line for line in map(json.loads, lines) if line['event'] == event]

    def wait_told(self, event):
        return until(f'"{event}" in the journal', lambda: self.told(event))[0]

    def assert_gone(self, path):
        self.assertFalse(os.path.exists(os.path.dirname(path)), 'the folder was left behind')
