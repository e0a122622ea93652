"""How the launchers of the tests are called. A builder takes the run and the rules of its ranks (see
rank.py) and returns the command."""
import itertools
import os
import socket

import components
from components import go_launcher, torchrun, venv
from wrapper import BINARY


def before(*words):
    """The launcher is a few words before the command of the rank."""
    return lambda life, *rules: [*words, *life.rank(*rules)]


def bash(script):
    """A batch script; {rank} in it is the command of the rank."""
    return lambda life, *rules: life.script(
        script.replace('{rank}', ' '.join(life.rank(*rules))))


def parallel(life, *rules):
    """Two places, four jobs."""
    return ['parallel', '-j2', '--line-buffer', *life.rank(*rules), ':::',
            *['end=60:0'] * 4]


def mpirun(life, *rules):
    words = ['--allow-run-as-root', '--oversubscribe', '-np', '2']
    return [components.mpirun(), *words, *life.rank(*rules)]


def torchrun_of(ranks, *options):
    """-r and -t other than 0: that one PyTorch 1.13 does not understand on Python 3.11."""
    def command(life, *rules):
        words = ['--nproc_per_node', str(ranks), '--master_port', str(_free_port()), '-r', '1',
                 '-t', '2', '--log_dir', life.folder, *options]
        return [torchrun(), *words, *life.rank(*rules)[1:]]
    return command


def _free_port():
    """Below the ports of outgoing connections, so that nobody takes it before torchrun does."""
    for port in _ports:
        with socket.socket() as probe:
            try:
                probe.bind(('localhost', port))
            except OSError:
                continue
            return port


_ports = itertools.cycle(range(20000 + os.getpid() * 37 % 10000, 32000))


def accelerate(life, *rules):
    words = ['launch', '--cpu', '--num_processes', '1', '--num_machines', '1',
             '--mixed_precision', 'no', '--dynamo_backend', 'no',
             '--num_cpu_threads_per_process', '1']
    return [venv('accelerate'), *words, *life.rank(*rules)[1:]]


def uv_run(life, *rules):
    words = ['run', '--no-project', '--offline', '--python', components.PYTHON]
    return [venv('uv'), *words, *life.rank(*rules)]


def go_program(life, *rules):
    return [go_launcher(), *life.rank(*rules)]


def preempt_wrap(life, *rules):
    return [BINARY, '--', *life.rank(*rules)]
