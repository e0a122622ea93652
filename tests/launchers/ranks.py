"""What the ranks of one run have noted, and in words: a cell of the table in docs/launchers.md."""
import collections

from processes import LIMIT, alive, until

Event = collections.namedtuple('Event', 'at pid role what word')

_TIMES = {1: 'once', 2: 'twice'}


class RankLog:
    def __init__(self, path):
        self.path = path

    def events(self):
        try:
            with open(self.path, encoding='ascii') as file:
                text = file.read()
        except FileNotFoundError:
            return []
        # A reader may see the begin of a line that is being written.
        lines = [line.split() for line in text[:text.rfind('\n') + 1].splitlines()]
        return [Event(int(f[0]), int(f[1]), f[2], f[3], f[4] if len(f) > 4 else None)
                for f in lines]

    def of(self, what, role='rank'):
        return [e for e in self.events() if e.what == what and e.role.startswith(role)]

    def wait_for(self, what, count=1, role='rank', seconds=LIMIT):
        return until(f'{count} x {role} {what} in {self.path}',
                     lambda: len(found := self.of(what, role)) >= count and found, seconds)

    def pid(self, rank):
        """The PID of the latest start of this rank."""
        return self.of('start', f'rank{rank}')[-1].pid

    def got(self, role='rank'):
        """{role and PID: the signals it got, in order}, of those that got any."""
        found = collections.defaultdict(list)
        for event in self.of('got', role):
            found[event.role, event.pid].append(event.word)
        return dict(found)

    # ---- in words

    def who_got_what(self):
        """"each rank USR1 once; no worker anything"."""
        ranks = [e.pid for e in self.of('start')]
        got = {pid: signals for (_, pid), signals in self.got().items()}
        kinds = collections.Counter(_signals(got.get(pid, ())) for pid in ranks)
        many = len(ranks) > 1
        if len(kinds) == 1:
            text = f'{"each rank" if many else "the trainer"} {next(iter(kinds))}'
        else:
            text = ', '.join(f'{n} of {len(ranks)} ranks {what}'
                             for what, n in sorted(kinds.items()))
        if self.of('worker', 'worker'):
            text += '; ' + self._workers()
        return text

    def _workers(self):
        told = self.got('worker')
        started = len(self.of('worker', 'worker'))
        reports = [int(e.word) for e in self.of('workers')]
        ranks = len({e.pid for e in self.of('start')})
        if told:
            return f'{len(told)} of {started} workers got it, too'
        if len(reports) == ranks and sum(reports) < started:
            return f'{started - sum(reports)} of {started} workers lost'
        return 'no worker anything'

    def saved(self):
        return f'{len(self.of("saved"))} of {len(self.of("start"))}'

    def left(self):
        """Which of them are still there."""
        roles = {e.pid: 'worker' if e.role == 'worker' else 'rank' for e in self.events()}
        return collections.Counter(role for pid, role in roles.items() if alive(pid))


def _signals(names):
    counts = collections.Counter(names)
    words = [f'{name} {_TIMES.get(n, f"{n} times")}' for name, n in counts.items()]
    return ' and '.join(words) or 'nothing'
