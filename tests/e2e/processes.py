"""Reads /proc, waits with a bound, and knows signals by name; shared by all end-to-end tests."""
import ctypes
import os
import re
import signal
import time

# Long enough for a noisy machine: reached only when a test fails.
LIMIT = 20

_libc = ctypes.CDLL(None, use_errno=True)


def until(what, condition, seconds=LIMIT):
    """Waits until condition() is true and returns its value; fails naming `what`."""
    end = time.monotonic() + seconds
    pause = 0.001
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f'not within {seconds} s: {what}')
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)


def number(name):
    """The number of USR1, SIGUSR1 or RTMIN+3."""
    realtime = re.fullmatch(r'RTMIN(?:\+(\d+))?', name)
    if realtime:
        return signal.SIGRTMIN + int(realtime[1] or 0)
    return int(getattr(signal, name if name.startswith('SIG') else 'SIG' + name))


def send(pid, name):
    os.kill(pid, number(name))


def queue(pid, sig, value):
    """sigqueue(3): a signal with a value."""
    if _libc.sigqueue(pid, int(sig), ctypes.c_void_p(value)) != 0:
        raise OSError(ctypes.get_errno(), f'sigqueue {sig} to {pid}')


def stat(pid):
    """(state, parent, group, session) of a process, or None if there is no such process."""
    try:
        with open(f'/proc/{pid}/stat', 'rb') as file:
            fields = file.read().rpartition(b')')[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return fields[0].decode(), int(fields[1]), int(fields[2]), int(fields[3])


def state(pid):
    found = stat(pid)
    return found[0] if found else None


def alive(pid):
    return state(pid) not in (None, 'Z', 'X')


def pids():
    return [int(name) for name in os.listdir('/proc') if name.isdigit()]


def children(parent):
    """{pid: state} of the direct children."""
    found = {pid: stat(pid) for pid in pids()}
    return {pid: s[0] for pid, s in found.items() if s and s[1] == parent}


def zombies_of(parent):
    return [pid for pid, state_ in children(parent).items() if state_ == 'Z']


def carrying(mark):
    """The living processes with `mark` in their environment: all that a test has started."""
    found = []
    for pid in pids():
        try:
            with open(f'/proc/{pid}/environ', 'rb') as file:
                if mark.encode() in file.read().split(b'\0') and alive(pid):
                    found.append(pid)
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            pass
    return found
