"""Each cloud's metadata service with each fault, and a training below `run --cloud`: the table of
docs/cloud.md. A fault neither tells the training anything nor hides the notice that comes after it.

    test_faults.py [--print | --write] [-k NAME]
"""
import concurrent.futures
import os
import re
import sys
import traceback
from dataclasses import dataclass, field

import gce
from clouds import EVENTS, SAVES, CloudTest, main, source, until, warnings
from metadata_server import MetadataServer

_DOCUMENT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'docs', 'cloud.md')
_HEADER = ['cloud', 'its metadata service', 'the training', 'log', 'the notice afterwards']
PRINT, WRITE = '--print' in sys.argv, '--write' in sys.argv
sys.argv = [word for word in sys.argv if word not in ('--print', '--write')]

ASIDE = 6  # rows at a time: nearly all of it is waiting
SLOW = ('hang', 'slow', 'dropped')


@dataclass
class Row:
    cloud: str
    fault: str
    words: str
    want: object = 'unknown'  # or 'none': is no trouble; 'passes'; 'notice'; the seconds left
    options: dict = field(default_factory=dict)


# What a service can do to any client, and where it strikes in each cloud.
_ANY = (('hang', 'accepts, never answers'), ('cut', 'closes without an answer'),
        ('reset', 'resets the connection'), ('half', 'breaks off in the middle'),
        ('slow', 'a byte per 100 ms'), ('noise', 'does not speak HTTP'), ('503', '503'),
        ('500', '500'), ('401', '401 to every token'), ('403', '403'), ('html', 'a login page, 200'),
        ('redirect', 'redirects to a notice'), ('garbage', 'broken JSON'),
        ('big', 'a notice in 1 MB'))
# Azure's first answer may take two minutes; it is a later one that hangs.
_PLACES = {'ec2': ':path=meta-data', 'gce': '', 'azure': ':after=1:path=scheduledevents'}
_NOT_GCE = ('401',)

ROWS = [
    *(Row(cloud, kind, words) for cloud in _PLACES
      for kind, words in (('refused', 'nobody listens'), ('dropped', 'packets are dropped'))),
    *(Row(cloud, kind + place, words) for cloud, place in _PLACES.items() for kind, words in _ANY
      if (cloud, kind) == ('ec2', '401') or kind not in _NOT_GCE),
    Row('ec2', 'big-404:path=meta-data', '404 with 1 MB', 'none'),
    Row('gce', 'big-404', '404 with 1 MB'),
    Row('azure', 'big-404:path=scheduledevents', '404 with 1 MB'),
    *(Row(cloud, 'chunked', 'answers in chunks', 'none') for cloud in _PLACES),
    *(Row(cloud, '503:times=3' + place, 'three times 503', 'passes')
      for cloud, place in _PLACES.items()),

    Row('ec2', 'hang:method=PUT', 'the token never comes (hop limit)'),
    Row('ec2', '503:method=PUT', 'no token: 503'),
    Row('ec2', '403:method=PUT', 'no token: 403 (switched off)'),
    Row('ec2', 'html:method=PUT', 'a login page instead of a token'),
    Row('ec2', 'big:method=PUT', 'a token of 1 MB'),
    Row('ec2', '401:path=meta-data:after=4:times=1', '401 once: the token is revoked', 'none'),

    Row('gce', 'flavour', 'another Metadata-Flavor, TRUE'),
    Row('gce', 'flavour=', 'no Metadata-Flavor, TRUE'),
    Row('gce', '503:path=wait_for_change', '503 to the request that waits'),
    Row('gce', 'cut:path=wait_for_change', 'closes instead of waiting'),
    Row('gce', 'half:path=wait_for_change', 'breaks off after the wait'),
    Row('gce', 'flavour:path=wait_for_change', 'another Metadata-Flavor after the wait'),
    Row('gce', f'hang:path={gce.MAINTENANCE}', 'one of the two keys never answers', 'notice'),

    Row('azure', f'delay=3:times=1:path={EVENTS}', 'the first answer takes long', 'none'),
    Row('azure', '503:path=compute', 'does not tell our name'),
    Row('azure', 'garbage:path=compute', 'our name is no name'),
    Row('azure', 'other-vm', "another machine's event", 'none'),

    *(Row('ec2', f'time={how}', words, 120) for how, words in (
        ('past', 'a time in the past'), ('2099', 'a time in 2099'), ('word', 'no time: "soon"'),
        ('empty', 'an empty time'), ('absent', 'no time field'),
        ('sliding', 'a time that slides'))),
    *(Row('azure', f'time={how}', words, seconds) for how, words, seconds in (
        ('past', 'NotBefore in the past', 30), ('2099', 'NotBefore in 2099', 30),
        ('word', 'NotBefore: "soon"', 30), ('empty', 'an empty NotBefore', 30),
        ('absent', 'no NotBefore', 30), ('sliding', 'a NotBefore that slides', 30))),
]


class Faults(CloudTest):
    def test_each_cloud_with_each_fault(self):
        rows = [row for row in ROWS if os.environ.get('PW_ROW', '') in f'{row.cloud} {row.fault}']
        with concurrent.futures.ThreadPoolExecutor(ASIDE) as pool:
            seen = list(pool.map(self.outcome, rows, range(len(rows))))
        for row, outcome in zip(rows, seen):
            with self.subTest(cloud=row.cloud, fault=row.fault):
                if isinstance(outcome, str):
                    self.fail(outcome)
        lines = [cells for cells in seen if not isinstance(cells, str)]
        if PRINT:
            print('\n'.join(table(lines)))
        elif len(lines) == len(ROWS):
            self.compare('\n'.join(table(lines)))

    def compare(self, seen):
        """The place in the document, if it has one, says what was seen."""
        try:
            with open(_DOCUMENT, encoding='utf-8') as file:
                text = file.read()
        except FileNotFoundError:
            return
        place = re.search(r'<!-- table faults -->\n(.*?)(?=\n\n|\n?\Z)', text, re.S)
        if place and WRITE:
            with open(_DOCUMENT, 'w', encoding='utf-8') as file:
                file.write(text[:place.start(1)] + seen + text[place.end(1):])
        elif place:
            self.assertEqual(place[1], seen, 'docs/cloud.md, table faults: see --write')

    def outcome(self, row, serial):
        """The cells of a row, or what was wrong."""
        with MetadataServer(row.cloud, [row.fault], **row.options) as server:
            try:
                look = self.lied if isinstance(row.want, int) else self.troubled
                return [row.cloud, row.words, *look(row, server, f'row{serial}')]
            except Exception:
                asked = [(r.method, r.path, r.status, r.fault) for r in server.asked()[:12]]
                return f'{traceback.format_exc()}\n{asked}'

    def lied(self, row, server, name):
        """The time of the notice is a lie: its end is the cloud's usual one."""
        wrapper, log = self.begin(source(row.cloud, server), SAVES, log=name)
        server.notice()
        self.assertEqual(wrapper.wait(), 138, wrapper.err)
        self.assertEqual(log.order(), ['USR1'])
        told, = self.told('notice', name)
        self.assertLessEqual(told['left_ms'], row.want * 1000, wrapper.err)
        self.assertGreater(told['left_ms'], row.want * 1000 - 5000, wrapper.err)
        return ['USR1, saves, its own status', 'the notice', f'{row.want} s from first sight']

    def troubled(self, row, server, name):
        where = source(row.cloud, server)
        wrapper, log = self.begin(where, SAVES, log=name)
        short, short_log = self.begin(where, 'USR1=log', 'TERM=log', 'end=800:7', log=name + 's')
        if row.fault == 'other-vm':
            server.notice()
        self.struck(row, server, wrapper)
        self.assertEqual((short.wait(), short_log.order()), (7, []), short.err)
        wrapper.fence(log)
        self.assertEqual(log.order(), [], wrapper.err)
        trouble = len(warnings(wrapper))
        wanted = int(row.want != 'none')
        self.assertEqual(trouble, wanted, wrapper.err)
        self.assertLessEqual(len(warnings(short)), wanted, short.err)
        # One of two keys that hangs goes on hanging: the other one is heard.
        if row.want != 'notice':
            server.clear()
        if row.want in ('unknown', 'passes'):
            until('the line that it answers again', lambda: 'answers again' in wrapper.err)
        if row.fault == 'other-vm':
            server.withdraw()
        server.notice()
        self.assertEqual(wrapper.wait(), 138, wrapper.err)
        self.assertEqual(log.order(), ['USR1'])
        self.assertLessEqual(len(warnings(wrapper)), 1, wrapper.err)
        line = {'none': 'nothing', 'notice': 'one warning'}.get(
            row.want, 'one warning, one line when it answers again')
        return ['untouched', line, 'USR1, saves, its own status']

    def struck(self, row, server, wrapper):
        """Until the fault has been met again and again."""
        if row.want in ('unknown', 'passes', 'notice'):
            until('a warning', lambda: warnings(wrapper))
        if row.fault in ('refused', 'dropped'):
            return
        fault, = server.faults
        wanted = fault.times or (2 if fault.kind in SLOW else 3)
        until(f'{wanted} x {row.fault}', lambda: fault.hits >= wanted, 40)


def table(rows):
    order = ['ec2', 'gce', 'azure']
    rows = sorted(rows, key=lambda cells: order.index(cells[0]))
    cells = [_HEADER, ['---'] * len(_HEADER), *rows]
    return ['| ' + ' | '.join(row) + ' |' for row in cells]


if __name__ == '__main__':
    main()
