"""A command at a terminal of its own, typed at by the test."""

import contextlib
import fcntl
import os
import pty
import subprocess

from fixture import wait_for


class Terminal:
    def __init__(self, slurm, command, **options):
        """Starts the command with the terminal as its controlling one (setsid --ctty)."""
        self.master, terminal = pty.openpty()
        os.set_blocking(self.master, False)
        fcntl.fcntl(self.master, fcntl.F_SETFD, fcntl.FD_CLOEXEC)
        try:
            self.process = subprocess.Popen(["setsid", "--ctty", *command], stdin=terminal,
                                            stdout=terminal, stderr=terminal,
                                            **slurm.as_user, **options)
        finally:
            os.close(terminal)
        self.output = ""

    def type(self, text):
        os.write(self.master, text.encode())

    def read(self):
        """All that was written to the terminal so far."""
        with contextlib.suppress(OSError):  # nothing there, or nobody writes there any more
            while data := os.read(self.master, 65536):
                self.output += data.decode(errors="replace")
        return self.output

    def expect(self, text, seconds=60):
        wait_for(lambda: text in self.read(), f"{text!r} at the terminal", seconds)

    def ended(self):
        """The command's exit status, once it has ended; reads on, so that it never blocks."""
        self.read()
        return self.process.poll() is not None

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)
