"""Google's metadata server: leaves with an etag, and the hanging GET that waits for a change."""
import hashlib
from urllib.parse import parse_qs, urlsplit

from scripted_faults import Reply

ROOT = '/computeMetadata/v1/'
PREEMPTED = ROOT + 'instance/preempted'
MAINTENANCE = ROOT + 'instance/maintenance-event'
_QUIET = {PREEMPTED: 'FALSE', MAINTENANCE: 'NONE',
          ROOT + 'instance/scheduling/preemptible': 'TRUE'}
_DECOYS = {PREEMPTED: 'TRUE', MAINTENANCE: 'TERMINATE_ON_HOST_MAINTENANCE'}
_NOTICES = {'preempted': (PREEMPTED, 'TRUE'),
            'terminate': (MAINTENANCE, 'TERMINATE_ON_HOST_MAINTENANCE'),
            'migrate': (MAINTENANCE, 'MIGRATE_ON_HOST_MAINTENANCE')}
_HEADERS = {'Metadata-Flavor': 'Google', 'Content-Type': 'application/text',
            'Server': 'Metadata Server for VM'}


class Gce:
    def __init__(self, server):
        self.server = server
        self.values = dict(_QUIET)
        self.versions = dict.fromkeys(_QUIET, 0)

    def notice(self, action='preempted'):
        self._set(*_NOTICES[action])

    def withdraw(self):
        for path, value in _QUIET.items():
            self._set(path, value)

    def _set(self, path, value):
        if self.values[path] != value:
            self.values[path] = value
            self.versions[path] += 1

    def _etag(self, path):
        return hashlib.sha256(f'{path} {self.versions[path]}'.encode()).hexdigest()[:16]

    def answer(self, request):
        url = urlsplit(request.path)
        if request.of('X-Forwarded-For') or request.of('Metadata-Flavor') != ['Google']:
            return Reply(403, b'Missing Metadata-Flavor:Google header.', dict(_HEADERS))
        if request.method != 'GET':
            return Reply(405, b'', dict(_HEADERS))
        if url.path not in self.values:
            return Reply(404, b'', dict(_HEADERS))
        query = {key: values[-1] for key, values in parse_qs(url.query).items()}
        if query.get('wait_for_change', '').lower() == 'true':
            # Without last_etag it waits for the next change, whatever was missed before.
            last = query.get('last_etag', self._etag(url.path))
            timeout = query.get('timeout_sec')
            request.wait(float(timeout) if timeout else None, lambda: self._etag(url.path) != last)
        return Reply(200, self.values[url.path].encode(),
                     {**_HEADERS, 'ETag': self._etag(url.path)})

    def decoy(self, request):
        path = urlsplit(request.path).path
        return Reply(200, _DECOYS.get(path, 'TRUE').encode(),
                     {**_HEADERS, 'ETag': 'dec0ydec0ydec0y0'})
