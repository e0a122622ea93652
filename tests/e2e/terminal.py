"""A real pseudo-terminal with a program in it: types keys, waits for what is shown."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

from processes import LIMIT

CTRL_C, CTRL_Z, CTRL_BACKSLASH = '\x03', '\x1a', '\x1c'


class Terminal:
    """Ended by close(); the processes in it carry the test's mark and are ended by the fixture."""

    def __init__(self, command, env):
        self._master, slave = pty.openpty()
        self.name = os.ttyname(slave)
        self._shown = ''
        self._from = 0
        self.process = subprocess.Popen(
            command, env=env, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)

    @property
    def pid(self):
        return self.process.pid

    def type(self, keys):
        os.write(self._master, keys.encode())

    def _read(self, seconds):
        """Takes in what is shown; False when nothing came or the other end is closed."""
        if not select.select([self._master], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self._master, 65536)
        except OSError:  # EIO: the last process has left the terminal
            return False
        self._shown += data.decode(errors='replace').replace('\r', '')
        return bool(data)

    def expect(self, pattern, seconds=LIMIT):
        """Waits until `pattern` is shown after what was expected before; returns the match."""
        end = time.monotonic() + seconds
        while True:
            match = re.compile(pattern, re.M).search(self._shown, self._from)
            if match:
                self._from = match.end()
                return match
            if time.monotonic() > end:
                raise AssertionError(f'{pattern!r} not shown within {seconds} s:\n{self._shown}')
            self._read(0.05)

    def shown(self):
        while self._read(0):
            pass
        return self._shown

    def resize(self, rows, columns):
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))

    def foreground(self):
        return os.tcgetpgrp(self._master)

    def wait(self, seconds=LIMIT):
        """The exit status of the program; keeps reading, so that it can write."""
        end = time.monotonic() + seconds
        while self.process.poll() is None:
            if time.monotonic() > end:
                raise AssertionError(f'still running after {seconds} s:\n{self._shown}')
            self._read(0.02)
        return self.process.returncode

    def hang_up(self):
        if self._master is not None:
            os.close(self._master)
            self._master = None

    def close(self):
        self.hang_up()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait(LIMIT)
