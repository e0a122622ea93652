"""What a gate has done, counted: from its folder, and from what the trainers have noted."""
import os
import re


def records(gate):
    """The texts of the chain, oldest first, each as {key: value}."""
    names = sorted(name for name in os.listdir(gate) if name.startswith('q.'))
    return [dict(re.findall(r'(\w)=(\S+)', os.readlink(os.path.join(gate, name))))
            for name in names]


def claims(gate):
    """The instants (s) at which those with tickets have been let to start, by the gate's clock."""
    first = {}
    for record in records(gate):
        newest, by = int(record['n'], 36), int(record['k'], 36)
        leases = [lease.split(':') for lease in record.get('L', '').split(',') if lease]
        if any(newest - int(back, 36) == by and start.endswith('+') for back, _, start in leases):
            first.setdefault(by, int(record['c'], 36) / 1e9)
    return sorted(first.values())


def most_at_once(path):
    """A file of lines "+ NAME" and "- NAME": the most that were there at the same time. Who was
    killed before its "-" is left out."""
    with open(path, encoding='ascii') as file:
        notes = [line.split() for line in file]
    whole = {name for sign, name in notes if sign == '-'}
    level, most = 0, 0
    for sign, _ in (note for note in notes if note[1] in whole):
        level += 1 if sign == '+' else -1
        most = max(most, level)
    return most, len(whole)


def busiest(starts, window):
    """The most starts in any window of that length."""
    most, first = 0, 0
    for last, at in enumerate(starts):
        while at - starts[first] >= window:
            first += 1
        most = max(most, last - first + 1)
    return most
