"""The real launchers. What is not a package of Debian is made once under build/launchers: a virtual
environment with PyPI's programs on top of Debian's PyTorch, and a small Go program."""
import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess

_HERE = os.path.dirname(os.path.abspath(__file__))
_BUILD = os.path.join(os.path.dirname(os.path.dirname(_HERE)), 'build', 'launchers')
PYTHON = '/usr/bin/python3'  # Debian's own: it has PyTorch
RANK = os.path.join(_HERE, 'rank.py')

# What works with Debian 12's PyTorch 1.13; --no-deps, since pip would bring a PyTorch of 5 GB.
_PACKAGES = ('uv==0.13.9', 'accelerate==0.29.3', 'pytorch-lightning==2.0.9',
             'lightning-utilities==0.15.3', 'torchmetrics==1.2.1', 'submitit==1.5.4',
             'cloudpickle==3.1.3', 'fsspec==2026.9.0', 'psutil==5.9.4', 'tqdm==4.67.1',
             'huggingface-hub==0.23.5', 'safetensors==0.5.3', 'filelock==4.2.12',
             'packaging==25.0')

# PyTorch 1.13 has data classes with defaults that Python 3.11 calls mutable.
_TORCH_ON_PYTHON_311 = '''import dataclasses
_field = dataclasses._get_field
def _get_field(cls, name, *more):
    default = getattr(cls, name, None)
    default = getattr(default, "default", default)
    if dataclasses.is_dataclass(default) and type(default).__hash__ is None:
        type(default).__hash__ = object.__hash__
    return _field(cls, name, *more)
dataclasses._get_field = _get_field
'''

# It starts its child, waits and catches nothing: the Go runtime catches nearly all by itself.
_GO = '''package main

import (
	"os"
	"os/exec"
)

func main() {
	child := exec.Command(os.Args[1], os.Args[2:]...)
	child.Stdin, child.Stdout, child.Stderr = os.Stdin, os.Stdout, os.Stderr
	child.Run()
	os.Exit(child.ProcessState.ExitCode() & 255)
}
'''


class Missing(Exception):
    """A component from outside cannot be had; the message says which, and why."""


def small_programs():
    for name in ('tini', 'dumb-init', 'catatonit', 'parallel'):
        _installed(name, name)


def mpirun():
    return _installed('mpirun', 'openmpi-bin')


def torchrun():
    return _installed('/usr/bin/torchrun', 'python3-torch')


def _installed(name, package):
    found = shutil.which(name)
    if not found:
        raise Missing(f'{name} is not installed (apt install {package})')
    return found


@contextlib.contextmanager
def _made_once(name, recipe):
    """Yields the folder of this name, and whether it has still to be filled; tests run beside each
    other."""
    os.makedirs(_BUILD, exist_ok=True)
    folder = os.path.join(_BUILD, name)
    stamp = os.path.join(folder, 'made-from')
    wanted = hashlib.sha256(recipe.encode()).hexdigest()
    with open(folder + '.lock', 'w', encoding='ascii') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with contextlib.suppress(OSError), open(stamp, encoding='ascii') as file:
            if file.read() == wanted:
                yield folder, False
                return
        shutil.rmtree(folder, ignore_errors=True)
        yield folder, True
        with open(stamp, 'w', encoding='ascii') as file:
            file.write(wanted)


def _run(what, *command, **environment):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False,
                          stderr=subprocess.STDOUT, text=True, timeout=500,
                          env={**os.environ, **environment})
    if done.returncode != 0:
        raise Missing(f'{what}: {done.stdout.strip().splitlines()[-1:] or done.returncode}')


def venv(name='python'):
    """The path of a program of the virtual environment."""
    torchrun()
    with _made_once('venv', repr(_PACKAGES) + _TORCH_ON_PYTHON_311) as (folder, to_make):
        if to_make:
            _run('python3 -m venv', PYTHON, '-m', 'venv', '--system-site-packages', folder)
            _run('pip install', f'{folder}/bin/python', '-m', 'pip', 'install', '--no-deps',
                 '--disable-pip-version-check', *_PACKAGES)
            site = f'{folder}/lib/python3.11/site-packages/torch_on_python311'
            with open(f'{site}.py', 'w', encoding='ascii') as file:
                file.write(_TORCH_ON_PYTHON_311)
            with open(f'{site}.pth', 'w', encoding='ascii') as file:
                file.write('import torch_on_python311\n')
    return f'{folder}/bin/{name}'


def go_launcher():
    go = shutil.which('go') or shutil.which('go', path='/usr/local/go/bin:/usr/lib/go/bin')
    if not go:
        raise Missing('go is not installed (apt install golang-go)')
    with _made_once('go', _GO) as (folder, to_make):
        if to_make:
            os.makedirs(folder)
            with open(f'{folder}/launcher.go', 'w', encoding='ascii') as file:
                file.write(_GO)
            _run('go build', go, 'build', '-o', f'{folder}/launcher', f'{folder}/launcher.go',
                 GO111MODULE='off', GOTOOLCHAIN='local', GOCACHE=f'{folder}/cache', CGO_ENABLED='0')
            shutil.rmtree(f'{folder}/cache', ignore_errors=True)
    return f'{folder}/launcher'
