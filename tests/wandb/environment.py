#!/usr/bin/env python3
"""The real wandb, from PyPI, in a virtual environment under build/: made once, then used again.
Called by the tests of this folder; `environment.py` alone makes it and prints its version.

Nothing here falls back to an imitation: where PyPI cannot be had, Missing says why.
"""
import fcntl
import os
import shutil
import subprocess
import sys

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# 0.28.2 is the first with --term-timeout, and the first whose agent leaves after a forwarded TERM.
# Before 1.0 any release may change; the tests say which one they have seen.
REQUIREMENT = 'wandb>=0.28.2,<1'
_FOLDER = os.path.join(REPOSITORY, 'build', 'wandb-venv')


class Missing(Exception):
    """wandb cannot be installed here."""


def _run(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=500)
    if done.returncode:
        tail = '\n'.join(done.stdout.splitlines()[-5:])
        raise Missing(f'{" ".join(command)}: exit {done.returncode}\n{tail}')
    return done.stdout


def _make():
    """The stamp is written last: an environment without one is incomplete and made anew."""
    stamp = os.path.join(_FOLDER, 'complete')
    want = f'{REQUIREMENT}\n{sys.version}\n'
    if os.path.exists(stamp):
        with open(stamp, encoding='utf-8') as file:
            if file.read() == want:
                return
    shutil.rmtree(_FOLDER, ignore_errors=True)
    _run(sys.executable, '-m', 'venv', _FOLDER)
    _run(os.path.join(_FOLDER, 'bin', 'pip'), 'install', '--quiet', '--disable-pip-version-check',
         REQUIREMENT)
    _run(os.path.join(_FOLDER, 'bin', 'wandb'), '--version')
    with open(stamp, 'w', encoding='utf-8') as file:
        file.write(want)


def prepare():
    """The folder of its executables; raises Missing."""
    os.makedirs(os.path.dirname(_FOLDER), exist_ok=True)
    with open(_FOLDER + '.lock', 'w', encoding='ascii') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # ctest runs the files of this folder side by side
        try:
            _make()
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Missing(str(error)) from error
    return os.path.join(_FOLDER, 'bin')


def version():
    return _run(os.path.join(prepare(), 'wandb'), '--version').strip()


if __name__ == '__main__':
    print(version())
