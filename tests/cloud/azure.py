"""Azure's Scheduled Events and the part of the instance's metadata that names it."""
import itertools
import json
import time
from email.utils import formatdate
from urllib.parse import parse_qs, urlsplit

from scripted_faults import Reply

EVENTS = '/metadata/scheduledevents'
COMPUTE = '/metadata/instance/compute/name'
_VERSIONS = {EVENTS: ('2017-11-01', '2019-01-01', '2019-04-01', '2019-08-01', '2020-07-01'),
             COMPUTE: ('2019-08-01', '2020-09-01', '2021-01-01', '2021-02-01')}
_JSON = {'Content-Type': 'application/json; charset=utf-8', 'Server': 'Microsoft-IIS/10.0'}
_SHORTEST = {'Preempt': 30, 'Terminate': 300, 'Reboot': 900, 'Freeze': 900, 'Redeploy': 600}


class Azure:
    def __init__(self, server, vm='trainer_0'):
        self.server = server
        self.vm = vm
        self.events = []
        self.incarnation = 1
        self.approved = []  # EventIds that came by POST
        self._serial = itertools.count(1)

    def notice(self, action='Preempt', after=None, vm=None, started=False):
        self.events.append(self._event(action, after, vm or self.vm, started))
        self.incarnation += 1

    def withdraw(self):
        if self.events:
            self.events = []
            self.incarnation += 1

    def _event(self, action, after, vm, started):
        seconds = _SHORTEST[action] if after is None else float(after)
        return {'EventId': f'602D9444-D2CD-49C7-8624-{next(self._serial):012X}',
                'EventType': action, 'ResourceType': 'VirtualMachine', 'Resources': [vm],
                'EventStatus': 'Started' if started else 'Scheduled',
                'NotBefore': '' if started else time.time() + seconds,
                'Description': '', 'EventSource': 'Platform', 'DurationInSeconds': -1}

    def answer(self, request):
        url = urlsplit(request.path)
        path = url.path.rstrip('/')
        if path not in _VERSIONS:
            return _error(404)
        if request.of('Metadata') != ['true'] or request.of('X-Forwarded-For'):
            return _error(400)
        if parse_qs(url.query).get('api-version', [''])[-1] not in _VERSIONS[path]:
            return _error(400)
        if request.method == 'POST' and path == EVENTS:
            return self._approve(request)
        if request.method != 'GET':
            return _error(405)
        if path == EVENTS:
            return self._document(self.events)
        return self._name()

    def _name(self):
        return Reply(200, self.vm.encode(), {'Content-Type': 'text/plain'})

    def _document(self, events):
        told = [self._told(dict(event)) for event in events]
        body = {'DocumentIncarnation': self.incarnation, 'Events': told}
        return Reply(200, json.dumps(body).encode(), dict(_JSON))

    def _told(self, event):
        if event['NotBefore'] != '':
            instant = self.server.told_time(event['NotBefore'], 30)
            event['NotBefore'] = instant
            if isinstance(instant, float):
                event['NotBefore'] = formatdate(instant, usegmt=True)
            elif instant is None:
                del event['NotBefore']
        if self.server.lies('other-vm'):
            event['Resources'] = ['another_7']
        return event

    def _approve(self, request):
        try:
            wanted = [start['EventId'] for start in json.loads(request.body)['StartRequests']]
        except (ValueError, KeyError, TypeError):
            return _error(400)
        known = {event['EventId']: event for event in self.events}
        if not wanted or any(name not in known for name in wanted):
            return _error(400)
        for name in wanted:
            self.approved.append(name)
            known[name].update(EventStatus='Started', NotBefore='')
        self.incarnation += 1
        return Reply(200, b'', dict(_JSON))

    def decoy(self, request):
        if COMPUTE in request.path:
            return self._name()
        return self._document([self._event('Preempt', 30, self.vm, False)])


def _error(status):
    return Reply(status, b'{"error": "Bad request. See the documentation."}', dict(_JSON))
