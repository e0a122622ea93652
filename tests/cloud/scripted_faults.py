"""What the metadata server does wrong, by script:  KIND[=VALUE][:path=P][:method=M][:times=N][:after=N]

    401, 503, ...     this status
    html, garbage     200, but a page, or JSON that breaks off; noise: no HTTP at all
    redirect          302 to /elsewhere, where a notice lies
    big, big-404      a body of 1 MB
    flavour=X         the reply's Metadata-Flavor is X; none of it when X is empty
    half, cut, reset  ends the connection after half of the body, before any byte, or by RST
    slow=MS           a byte of the body each MS milliseconds [100]
    hang              is never answered
    delay=S           is answered after S seconds [120: Azure's first answer]
    chunked           no fault: the right answer in chunks
    refused, dropped  of the listener, not of a request: no listener; a full queue that drops SYNs
    time=HOW          the notice's time: sliding, past, 2099, word, absent, empty
    other-vm          Azure: the event is of another machine

Faulty answers carry a decoy: the notice that a careless client would believe.
"""
import socket
import struct
import time
from dataclasses import dataclass, field

BIG = 1 << 20
OF_LISTENER = ('refused', 'dropped')
OF_NOTICE = ('time', 'other-vm')
_DEFAULTS = {'slow': '100', 'delay': '120', 'flavour': 'Amazon'}
_PLAIN = ('html', 'garbage', 'noise', 'redirect', 'big', 'big-404', 'half', 'cut', 'reset', 'hang',
          'chunked')
_TIMES = ('sliding', 'past', '2099', 'word', 'absent', 'empty')
PAGE = b'<!DOCTYPE html><html><body>Please log in to the network. "terminate"</body></html>'


@dataclass
class Reply:
    status: int
    body: bytes = b''
    headers: dict = field(default_factory=dict)


@dataclass
class Fault:
    kind: str
    value: str = ''
    path: str = ''
    method: str = ''
    times: int = 0   # 0: always
    after: int = 0   # so many requests are spared
    seen: int = 0
    hits: int = 0

    @classmethod
    def parse(cls, text):
        head, *rest = text.split(':')
        kind, _, value = head.partition('=')
        fault = cls(kind, value if '=' in head else _DEFAULTS.get(kind, ''))
        for word in rest:
            key, equals, setting = word.partition('=')
            if not equals or key not in ('path', 'method', 'times', 'after'):
                raise ValueError(f'{text}: what is {word}?')
            setattr(fault, key, int(setting) if key in ('times', 'after') else setting)
        known = (*_PLAIN, *_DEFAULTS, *OF_LISTENER, *OF_NOTICE)
        if not (kind in known or kind.isdigit()) or (kind == 'time' and value not in _TIMES):
            raise ValueError(f'{text}: no such fault')
        return fault

    def strikes(self, request):
        """Whether this request gets it; counts."""
        if self.kind in OF_LISTENER + OF_NOTICE or self.path not in request.path:
            return False
        if self.method not in ('', request.method):
            return False
        self.seen += 1
        if self.seen <= self.after or (self.times and self.hits >= self.times):
            return False
        self.hits += 1
        return True


def head_of(reply, *, length=None, keep=False):
    reason = {200: 'OK', 302: 'Found', 400: 'Bad Request', 401: 'Unauthorized', 403: 'Forbidden',
              404: 'Not Found', 503: 'Service Unavailable'}.get(reply.status, 'Other')
    headers = {'Content-Length': len(reply.body) if length is None else length,
               'Connection': 'keep-alive' if keep else 'close', **reply.headers}
    lines = [f'HTTP/1.1 {reply.status} {reason}']
    lines += [f'{name}: {value}' for name, value in headers.items() if value is not None]
    return '\r\n'.join(lines).encode() + b'\r\n\r\n'


def changed(fault, decoy, host):
    """The reply of a fault that is no more than another reply, or None."""
    kind = fault.kind
    if kind.isdigit():
        return Reply(int(kind), decoy.body, decoy.headers)
    if kind == 'html':
        return Reply(200, PAGE, {**decoy.headers, 'Content-Type': 'text/html'})
    if kind == 'garbage':
        return Reply(200, b'{"action": "terminate", "Events": [{"\xff\xfe\x00', decoy.headers)
    if kind == 'redirect':
        return Reply(302, b'', {**decoy.headers, 'Location': f'http://{host}/elsewhere'})
    if kind in ('big', 'big-404'):
        return Reply(200 if kind == 'big' else 404, decoy.body.ljust(BIG), decoy.headers)
    if kind == 'flavour':
        return Reply(200, decoy.body, {**decoy.headers, 'Metadata-Flavor': fault.value or None})
    return None


def misbehave(fault, sock, reply, decoy, wait):
    """A fault of the connection; it ends afterwards. `wait(seconds)` waits, at most until the
    client has gone; returns the status that was sent, 0 for none."""
    if fault.kind == 'hang':
        wait(None)
        return 0
    if fault.kind == 'reset':
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        return 0
    if fault.kind == 'noise':
        sock.sendall(b'\x16\x03\x01\x00\xa5 SSH-2.0-OpenSSH_9.2p1\r\nTRUE\r\n\r\n')
        return 0
    if fault.kind == 'half':
        sock.sendall(head_of(decoy, length=2 * len(decoy.body) + 1) + decoy.body)
        sock.shutdown(socket.SHUT_WR)
        wait(None)
        return decoy.status
    if fault.kind == 'slow':
        body = decoy.body.ljust(64)
        sock.sendall(head_of(decoy, length=len(body)))
        for byte in body:
            wait(float(fault.value) / 1000)
            sock.sendall(bytes([byte]))
        return decoy.status
    if fault.kind == 'chunked':
        whole = Reply(reply.status, reply.body,
                      {**reply.headers, 'Content-Length': None, 'Transfer-Encoding': 'chunked'})
        sock.sendall(head_of(whole))
        for part in (reply.body[:3], reply.body[3:]):
            if part:
                sock.sendall(b'%x\r\n%s\r\n' % (len(part), part))
        sock.sendall(b'0\r\n\r\n')
        return reply.status
    return 0  # cut


def full_queue(address, family):
    """A listener that drops SYNs since its queue is full, and the connections that fill it."""
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(address)
    listener.listen(0)
    held = [listener]
    for _ in range(8):
        client = socket.socket(family, socket.SOCK_STREAM)
        held.append(client)
        client.settimeout(0.2)
        try:
            client.connect(address)
        except TimeoutError:
            break
    return held


def lying_time(how, true_time, sliding):
    """The instant of a notice under a time fault, or the text that stands there instead."""
    return {'sliding': time.time() + sliding, 'past': true_time - 86400 * 365,
            '2099': 4086000000.0, 'word': 'soon', 'absent': None, 'empty': ''}[how]
