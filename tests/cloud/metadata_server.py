#!/usr/bin/env python3
"""A metadata server of EC2, Google Cloud or Azure that goes wrong by script (scripted_faults.py).

    metadata_server.py CLOUD --listen ADDR:PORT [--listen ...] [--control PATH] [--fault F]...
    metadata_server.py tell PATH notice [action=terminate] [after=120] [...]
    metadata_server.py tell PATH withdraw | fault F | clear | forget | requests | connections

It says "listening on ADDR:PORT ..." when it does; PATH is a UNIX socket for `tell`.
"""
import argparse
import json
import select
import socket
import sys
import threading
import time

import scripted_faults
from azure import Azure
from ec2 import Ec2
from gce import Gce
from scripted_faults import Fault, Reply

CLOUDS = {'ec2': Ec2, 'gce': Gce, 'azure': Azure}
_METHODS = ('GET', 'PUT', 'POST', 'HEAD', 'DELETE', 'OPTIONS')


class Request:
    """One request, as the tests see it afterwards. Times are of CLOCK_MONOTONIC, in seconds."""

    def __init__(self, method, path, headers, body, connection):
        self.method, self.path, self.headers, self.body = method, path, headers, body
        self.connection = connection  # their serial number
        self.at = time.monotonic()
        self.status = None            # None: not answered yet; 0: never
        self.answered = None
        self.fault = None
        self.wait = None

    def of(self, name):
        """The values of all headers of this name."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def record(self):
        return {'method': self.method, 'path': self.path, 'headers': self.headers,
                'status': self.status, 'at': self.at, 'answered': self.answered,
                'connection': self.connection, 'fault': self.fault}


class MetadataServer:
    """`scale` makes the delay faults that many times shorter; `options` are the cloud's own."""

    def __init__(self, cloud, faults=(), listen=('127.0.0.1:0',), scale=1, **options):
        self.requests = []
        self.connections = self.most_at_once = 0
        self.scale = scale
        self._changed = threading.Condition(threading.RLock())
        self._stopping = False
        self._open = set()
        self._counted = set()  # the open ones whose last answer is not on its way
        self.faults = []
        self._listeners = []
        self.cloud = CLOUDS[cloud](self, **options)
        self._places = [_reserve(place) for place in listen]
        self.places = [_host(place.getsockname()) for place in self._places]
        self.endpoint = 'http://' + self.places[0]
        self._listen()
        for fault in faults:
            self.fault(fault)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
            for sock in self._open:
                _end(sock)
        self._deafen()
        for place in self._places:
            place.close()

    # ---- the script

    def notice(self, **what):
        """Returns when it was given, by CLOCK_MONOTONIC."""
        with self._changed:
            self.cloud.notice(**what)
            self._changed.notify_all()
            return time.monotonic()

    def withdraw(self):
        with self._changed:
            self.cloud.withdraw()
            self._changed.notify_all()

    def fault(self, text):
        fault = Fault.parse(text)
        if fault.kind in scripted_faults.OF_LISTENER:
            self._deafen()
        if fault.kind == 'dropped':
            for place in self._places:
                self._listeners += [(held, None) for held in scripted_faults.full_queue(
                    place.getsockname(), place.family)]
        with self._changed:
            self.faults.append(fault)
        return fault

    def clear(self):
        """All faults are over; what hangs goes on hanging."""
        with self._changed:
            deaf = [f for f in self.faults if f.kind in scripted_faults.OF_LISTENER]
            self.faults.clear()
        if deaf:
            self._deafen()
            self._listen()

    @property
    def hits(self):
        """How often the present faults have struck."""
        with self._changed:
            return sum(fault.hits for fault in self.faults)

    def lies(self, kind):
        found = [fault for fault in self.faults if fault.kind == kind]
        if found:
            found[0].hits += 1
        return found[0] if found else None

    def told_time(self, true_time, window):
        lie = self.lies('time')
        return scripted_faults.lying_time(lie.value, true_time, window) if lie else true_time

    def asked(self, path='', method=''):
        """The requests so far with this in their path, and of this method."""
        with self._changed:
            return [request for request in self.requests
                    if path in request.path and method in ('', request.method)]

    @property
    def at_once(self):
        """The connections that the client has open."""
        with self._changed:
            return sum(not _gone(sock) for sock in self._counted)

    # ---- connections

    def _listen(self):
        for place in self._places:
            listener = socket.socket(place.family, socket.SOCK_STREAM)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(place.getsockname())
            listener.listen(128)
            thread = threading.Thread(target=self._accept, args=(listener,), daemon=True)
            self._listeners.append((listener, thread))
            thread.start()

    def _deafen(self):
        """From here on connections are refused."""
        for listener, thread in self._listeners:
            if thread:
                _end(listener)
                thread.join()
            listener.close()
        self._listeners = []

    def _accept(self, listener):
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            with self._changed:
                self.connections += 1
                self._open.add(sock)
                self._counted.add(sock)
                self.most_at_once = max(self.most_at_once, self.at_once)
                serial = self.connections
            threading.Thread(target=self._serve, args=(sock, serial), daemon=True).start()

    def _serve(self, sock, serial):
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with sock.makefile('rb') as file:
                while not self._stopping and self._one(sock, file, serial):
                    pass
        except (OSError, ValueError):
            pass
        finally:
            with self._changed:
                self._open.discard(sock)
                self._counted.discard(sock)
            sock.close()

    def _one(self, sock, file, serial):
        """One request and its answer; whether another may follow."""
        request = _read(file, serial)
        if request is None:
            return False
        request.wait = lambda seconds, met=lambda: False: self._wait(sock, seconds, met)
        with self._changed:
            self.requests.append(request)
            fault = next((f for f in self.faults if f.strikes(request)), None)
            request.fault = fault.kind if fault else None
            self._changed.notify_all()
        if fault and fault.kind == 'delay':
            with self._changed:
                request.wait(float(fault.value) / self.scale)
        with self._changed:
            decoy = self.cloud.decoy(request)
            reply = scripted_faults.changed(fault, decoy, _host(sock.getsockname())) \
                if fault else None
            if reply is None and (not fault or fault.kind in ('delay', 'chunked')):
                reply = self._answer(request, decoy)
        keep = 'close' not in request.of('Connection') and self.cloud.__class__ is not Ec2
        if reply is None or (fault and fault.kind == 'chunked'):
            keep = False
            request.status = scripted_faults.misbehave(fault, sock, reply, decoy, self._locked(
                request.wait))
        else:
            with self._changed:
                if not keep:
                    self._counted.discard(sock)
                request.answered = time.monotonic()
                request.status = reply.status
            sock.sendall(scripted_faults.head_of(reply, keep=keep) + reply.body)
        return keep

    def _locked(self, wait):
        def locked(seconds):
            with self._changed:
                wait(seconds)
        return locked

    def _answer(self, request, decoy):
        if request.method not in _METHODS or not request.of('Host'):
            return Reply(400)
        return decoy if request.path == '/elsewhere' else self.cloud.answer(request)

    def _wait(self, sock, seconds, met):
        """Holding the lock: until met(), the time is over, or client or server have ended."""
        end = time.monotonic() + (3600 if seconds is None else seconds)
        while not met() and not self._stopping and not _gone(sock):
            left = end - time.monotonic()
            if left <= 0:
                return
            self._changed.wait(min(left, 0.05))


def _reserve(place):
    """A socket that keeps the port also while nobody listens there."""
    address, _, port = place.rpartition(':')
    family = socket.AF_INET6 if address.startswith('[') else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((address.strip('[]'), int(port)))
    return sock


def _host(address):
    return f'[{address[0]}]:{address[1]}' if ':' in address[0] else f'{address[0]}:{address[1]}'


def _end(sock):
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


def _gone(sock):
    """Whether the client has closed; a request that waits behind this one is none."""
    try:
        poll = select.poll()
        poll.register(sock, select.POLLIN | select.POLLRDHUP)
        return any(event & (select.POLLRDHUP | select.POLLHUP | select.POLLERR)
                   for _, event in poll.poll(0))
    except (OSError, ValueError):
        return True


def _read(file, serial):
    line = file.readline(65537).decode('latin-1').split()
    if len(line) != 3:
        return None
    headers = []
    while (text := file.readline(65537).decode('latin-1').strip()):
        name, _, value = text.partition(':')
        headers.append((name.strip(), value.strip()))
    length = next((int(v) for k, v in headers if k.lower() == 'content-length'), 0)
    return Request(line[0], line[1], headers, file.read(length), serial)


# ---- as a program

def _obey(server, words):
    verb, *rest = words
    if verb == 'notice':
        server.notice(**dict(word.split('=', 1) for word in rest))
    elif verb == 'withdraw':
        server.withdraw()
    elif verb == 'fault':
        server.fault(rest[0])
    elif verb == 'clear':
        server.clear()
    elif verb == 'forget':
        server.cloud.forget_tokens()
    elif verb == 'requests':
        return ''.join(json.dumps(r.record()) + '\n' for r in server.asked())
    elif verb == 'connections':
        return f'{server.connections} {server.at_once} {server.most_at_once}\n'
    else:
        raise ValueError(f'no such order: {verb}')
    return ''


def _controlled(server, control):
    while True:
        sock, _ = control.accept()
        with sock, sock.makefile('r', encoding='utf-8') as file:
            try:
                answer = {'out': _obey(server, json.loads(file.readline()))}
            except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
                answer = {'error': str(error)}
            try:
                sock.sendall(json.dumps(answer).encode())
            except OSError:
                pass


def tell(path, *words, patience=10):
    """Gives an order to the program; waits for its begin."""
    end = time.monotonic() + patience
    while True:
        sock = socket.socket(socket.AF_UNIX)
        try:
            sock.connect(path)
            break
        except OSError:
            sock.close()
            if time.monotonic() > end:
                raise
            time.sleep(0.02)
    with sock, sock.makefile('r', encoding='utf-8') as file:
        sock.sendall(json.dumps(words).encode() + b'\n')
        answer = json.loads(file.read())
    if 'error' in answer:
        raise ValueError(answer['error'])
    return answer['out']


def main():
    if sys.argv[1:2] == ['tell']:
        sys.stdout.write(tell(*sys.argv[2:]))
        return
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument('cloud', choices=CLOUDS)
    parser.add_argument('--listen', action='append', required=True)
    parser.add_argument('--control')
    parser.add_argument('--fault', action='append', default=[])
    options = parser.parse_args()
    with MetadataServer(options.cloud, options.fault, options.listen) as server:
        control = socket.socket(socket.AF_UNIX)
        if options.control:
            control.bind(options.control)
            control.listen(8)
        print('listening on', *server.places, flush=True)
        if options.control:
            _controlled(server, control)
        threading.Event().wait()


if __name__ == '__main__':
    main()
