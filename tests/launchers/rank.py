"""One training process as a launcher starts it. It notes what it receives, by PID and role.

    rank.py LOG [RULE]...
      USR1=save:SECONDS:STATUS   note it, take so long to save, note "saved", exit
      USR1=log                   note it and go on (a library that takes the signal and drops it)
      1:USR1=save:10:138         a rule for rank 1 alone; it comes after those for all
      import=SECONDS             the libraries take so long to load: no handler before that
      workers=N                  a DataLoader of PyTorch with so many workers
      end=SECONDS:STATUS         end by itself
Each event is one line, written at once: NANOSECONDS PID ROLE EVENT [WORD]
ROLE is rankN, or worker for a process that a rank has forked."""
import multiprocessing
import os
import re
import signal
import sys
import time

LOG = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
# torchrun, mpirun, srun, GNU parallel
RANK = next((os.environ[name] for name in ('RANK', 'OMPI_COMM_WORLD_RANK', 'SLURM_PROCID',
                                           'PARALLEL_SEQ') if name in os.environ), '0')
SELF = os.getpid()


def note(*words):
    role = f'rank{RANK}' if os.getpid() == SELF else 'worker'
    line = ' '.join(map(str, (time.monotonic_ns(), os.getpid(), role, *words)))
    os.write(LOG, line.encode() + b'\n')


class Handler:
    saving = False

    def __init__(self, save=None):
        self.save = save

    def __call__(self, signo, _frame):
        note('got', signal.Signals(signo).name[3:])
        # A worker has inherited its rank's handler. And what saves may come twice.
        if self.save is None or Handler.saving or os.getpid() != SELF:
            return
        Handler.saving = True
        seconds, status = self.save
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            time.sleep(left)
        note('workers', len(multiprocessing.active_children()))
        note('saved')
        os._exit(status)  # at once: a DataLoader takes seconds to end


class Endless:
    """A data set, each item of which takes a moment to load."""

    def __len__(self):
        return 1 << 40

    def __getitem__(self, index):
        time.sleep(0.02)
        return index


def batches(workers):
    if not workers:
        return iter(int, 1)
    from torch.utils.data import DataLoader, SequentialSampler
    data = Endless()
    loaded = iter(DataLoader(data, num_workers=workers, sampler=SequentialSampler(data),
                             worker_init_fn=lambda worker: note('worker', worker)))
    next(loaded)
    return loaded


def rules():
    chosen = {}
    for rule in sys.argv[2:]:
        rank, what, manner = re.fullmatch(r'(?:(\d+):)?(\w+)=(.*)', rule).groups()
        if rank in (None, RANK):
            chosen[what] = manner
    return chosen


def main():
    note('start')
    chosen = rules()
    time.sleep(float(chosen.pop('import', 0)))
    workers = int(chosen.pop('workers', 0))
    seconds, status = chosen.pop('end', '3600:0').split(':')
    deadline = time.monotonic() + float(seconds)
    for name, manner in chosen.items():
        _, *numbers = manner.split(':')
        save = (float(numbers[0]), int(numbers[1])) if numbers else None
        signal.signal(signal.Signals['SIG' + name], Handler(save))
    data = batches(workers)
    note('ready')
    while time.monotonic() < deadline:
        next(data)
        time.sleep(0.02)
    note('end')
    sys.exit(int(status))


main()
