"""EC2's instance metadata service, version 2 only (HttpTokens=required)."""
import base64
import json
import os
import time

from scripted_faults import Reply

TTL = 'X-aws-ec2-metadata-token-ttl-seconds'
TOKEN = 'X-aws-ec2-metadata-token'
ACTION = '/latest/meta-data/spot/instance-action'
TERMINATION = '/latest/meta-data/spot/termination-time'
REBALANCE = '/latest/meta-data/events/recommendations/rebalance'
_PLAIN = {'/latest/meta-data/instance-id': 'i-0123456789abcdef0',
          '/latest/meta-data/instance-life-cycle': 'spot'}
_WINDOW = 120


class Ec2:
    def __init__(self, server, max_ttl=21600):
        self.server = server
        self.max_ttl = max_ttl  # a token's life is cut to this, and the reply says so
        self.tokens = {}
        self.withdraw()

    def notice(self, action='terminate', after=_WINDOW):
        if action == 'rebalance':
            self.rebalance = time.time()
        else:
            self.action, self.time = action, time.time() + float(after)

    def withdraw(self):
        self.action = self.time = self.rebalance = None

    def forget_tokens(self):
        self.tokens.clear()

    def answer(self, request):
        reply = self._answer(request)
        reply.headers = {'Content-Type': 'text/plain', 'Server': 'EC2ws', **reply.headers}
        return reply

    def decoy(self, request):
        if request.method == 'PUT':
            return Reply(200, b'AQAEAdecoy==', {TTL: '21600', 'Content-Type': 'text/plain'})
        return Reply(200, _json({'action': 'terminate', 'time': _utc(time.time() + _WINDOW)}),
                     {'Content-Type': 'text/plain', 'Server': 'EC2ws'})

    def _answer(self, request):
        if request.of('X-Forwarded-For'):
            return Reply(403)
        if request.path.endswith('/api/token'):
            return self._token(request)
        if request.method != 'GET':
            return Reply(405)
        given = request.of(TOKEN)
        end = self.tokens.get(given[0]) if len(given) == 1 else None
        if end is None or end <= time.monotonic():
            return Reply(401)
        body = self._document(request.path)
        reply = Reply(404, b'Not Found') if body is None else Reply(200, body)
        reply.headers[TTL] = str(int(end - time.monotonic()))
        return reply

    def _token(self, request):
        if request.path != '/latest/api/token':
            return Reply(403)
        if request.method != 'PUT':
            return Reply(405)
        wanted = request.of(TTL)
        if len(wanted) != 1 or not wanted[0].isdigit() or not 1 <= int(wanted[0]) <= 21600:
            return Reply(400)
        ttl = min(int(wanted[0]), self.max_ttl)
        token = base64.b64encode(os.urandom(40)).decode()
        self.tokens[token] = time.monotonic() + ttl
        return Reply(200, token.encode(), {TTL: str(ttl)})

    def _document(self, path):
        if path == ACTION and self.action:
            told = self.server.told_time(self.time, _WINDOW)
            told = _utc(told) if isinstance(told, float) else told
            fields = {'action': self.action, 'time': told}
            return _json({k: v for k, v in fields.items() if v is not None})
        if path == TERMINATION and self.action == 'terminate':
            return _utc(self.time).encode()
        if path == REBALANCE and self.rebalance:
            return _json({'noticeTime': _utc(self.rebalance)})
        return _PLAIN[path].encode() if path in _PLAIN else None


def _json(fields):
    return json.dumps(fields, separators=(',', ':')).encode()


def _utc(instant):
    return time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(instant))
