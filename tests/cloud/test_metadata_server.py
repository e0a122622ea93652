"""The metadata server itself: as strict as the real ones, and each fault is really produced."""
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from urllib.parse import urlsplit

import ec2
import gce
import metadata_server
from metadata_server import MetadataServer
from scripted_faults import BIG, Fault

LIMIT = 20
TTL, TOKEN = ec2.TTL, ec2.TOKEN
GOOGLE = {'Metadata-Flavor': 'Google'}
EVENTS = '/metadata/scheduledevents?api-version=2020-07-01'
COMPUTE = '/metadata/instance/compute/name?api-version=2021-02-01&format=text'
AZURE = {'Metadata': 'true'}
PLAIN = {'ec2': ec2.ACTION, 'gce': gce.PREEMPTED, 'azure': EVENTS}


def ask(server, path, headers=None, method='GET', body=None, timeout=LIMIT):
    """(status, {header: value}, body)."""
    url = urlsplit(server.endpoint)
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=timeout)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def token(server, ttl='60'):
    return ask(server, '/latest/api/token', {TTL: ttl}, 'PUT')[2].decode()


def plainly(server, cloud, timeout=LIMIT):
    """The request for a notice, as each cloud wants it."""
    headers = {'ec2': lambda: {TOKEN: token(server)}, 'gce': lambda: GOOGLE,
               'azure': lambda: AZURE}[cloud]()
    return ask(server, PLAIN[cloud], headers, timeout=timeout)


class Ec2(unittest.TestCase):
    def test_it_is_version_2_only(self):
        with MetadataServer('ec2') as server:
            self.assertEqual(ask(server, ec2.ACTION)[0], 401)
            self.assertEqual(ask(server, ec2.ACTION, {TOKEN: 'x'})[0], 401)
            for ttl in ('0', '21601', 'x', '-1', '1.5'):
                self.assertEqual(ask(server, '/latest/api/token', {TTL: ttl}, 'PUT')[0], 400, ttl)
            self.assertEqual(ask(server, '/latest/api/token', {}, 'PUT')[0], 400)
            self.assertEqual(ask(server, '/2021-03-23/api/token', {TTL: '1'}, 'PUT')[0], 403)
            self.assertEqual(ask(server, '/latest/api/token', {TTL: '1', 'X-Forwarded-For': 'a'},
                                 'PUT')[0], 403)
            status, headers, text = ask(server, '/latest/api/token', {TTL: '60'}, 'PUT')
            self.assertEqual((status, headers[TTL.lower()]), (200, '60'))
            self.assertEqual(ask(server, ec2.ACTION, {TOKEN: text.decode()})[0], 404)
            self.assertEqual(ask(server, ec2.ACTION, {TOKEN: text.decode()}, 'PUT')[0], 405)

    def test_two_token_headers_are_none(self):
        with MetadataServer('ec2') as server:
            good = token(server)
            with socket.create_connection(('127.0.0.1', urlsplit(server.endpoint).port)) as sock:
                sock.sendall(f'GET {ec2.ACTION} HTTP/1.1\r\nHost: a\r\n{TOKEN}: old\r\n'
                             f'{TOKEN}: {good}\r\n\r\n'.encode())
                self.assertIn(b' 401 ', sock.makefile('rb').readline())
            self.assertEqual(server.requests[-1].of(TOKEN), ['old', good])

    def test_a_token_lives_as_long_as_was_said(self):
        with MetadataServer('ec2', max_ttl=1) as server:
            status, headers, text = ask(server, '/latest/api/token', {TTL: '21600'}, 'PUT')
            self.assertEqual((status, headers[TTL.lower()]), (200, '1'))
            asked = {TOKEN: text.decode()}
            self.assertEqual(ask(server, ec2.ACTION, asked)[0], 404)
            end = time.monotonic() + LIMIT
            while ask(server, ec2.ACTION, asked)[0] == 404 and time.monotonic() < end:
                time.sleep(0.05)
            self.assertEqual(ask(server, ec2.ACTION, asked)[0], 401)
        with MetadataServer('ec2') as server:
            asked = {TOKEN: token(server)}
            server.cloud.forget_tokens()
            self.assertEqual(ask(server, ec2.ACTION, asked)[0], 401)

    def test_notices_and_their_times(self):
        def told(*faults, action='terminate'):
            with MetadataServer('ec2', faults) as server:
                server.notice(action=action, after=100)
                first = plainly(server, 'ec2')
                self.assertEqual(first[1]['content-type'], 'text/plain')
                return json.loads(first[2])
        whole = told()
        self.assertRegex(whole['time'], r'^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$')
        self.assertEqual((whole['action'], told(action='hibernate')['action']),
                         ('terminate', 'hibernate'))
        self.assertLess(told('time=past')['time'], time.strftime('%Y-%m-%d'))
        self.assertEqual(told('time=2099')['time'][:4], '2099')
        self.assertEqual(told('time=word')['time'], 'soon')
        self.assertEqual(told('time=empty')['time'], '')
        self.assertNotIn('time', told('time=absent'))
        with MetadataServer('ec2') as server:
            server.notice(action='rebalance')
            asked = {TOKEN: token(server)}
            self.assertEqual(ask(server, ec2.ACTION, asked)[0], 404)
            self.assertIn(b'noticeTime', ask(server, ec2.REBALANCE, asked)[2])
            server.notice()
            self.assertEqual(ask(server, ec2.ACTION, asked)[0], 200)
            server.withdraw()
            self.assertEqual(ask(server, ec2.ACTION, asked)[0], 404)

    def test_a_sliding_time_moves_between_two_requests(self):
        with MetadataServer('ec2', ['time=sliding']) as server:
            server.notice(after=5)
            first = json.loads(plainly(server, 'ec2')[2])['time']
            end = time.monotonic() + LIMIT
            while time.monotonic() < end:
                if json.loads(plainly(server, 'ec2')[2])['time'] > first:
                    return
                time.sleep(0.1)
            self.fail('it stood still')


class Gce(unittest.TestCase):
    def test_the_flavour_both_ways(self):
        with MetadataServer('gce') as server:
            self.assertEqual(ask(server, gce.PREEMPTED)[0], 403)
            self.assertEqual(ask(server, gce.PREEMPTED, {'Metadata-Flavor': 'google'})[0], 403)
            self.assertEqual(ask(server, gce.PREEMPTED, {**GOOGLE, 'X-Forwarded-For': 'a'})[0], 403)
            status, headers, body = ask(server, gce.PREEMPTED, GOOGLE)
            self.assertEqual((status, body, headers['metadata-flavor']), (200, b'FALSE', 'Google'))
            self.assertEqual(ask(server, gce.MAINTENANCE, GOOGLE)[2], b'NONE')
            self.assertEqual(ask(server, gce.ROOT + 'no/such', GOOGLE)[0], 404)

    def hang(self, server, query, answers):
        answers.append(ask(server, f'{gce.PREEMPTED}?wait_for_change=true{query}', GOOGLE))

    def test_the_hanging_get(self):
        with MetadataServer('gce') as server:
            etag = ask(server, gce.PREEMPTED, GOOGLE)[1]['etag']
            answers = []
            self.hang(server, '&last_etag=NONE', answers)
            begin = time.monotonic()
            self.hang(server, f'&last_etag={etag}&timeout_sec=0.2', answers)
            self.assertGreaterEqual(time.monotonic() - begin, 0.2)
            self.assertEqual([(a[2], a[1]['etag']) for a in answers], [(b'FALSE', etag)] * 2)
            for query in (f'&last_etag={etag}&timeout_sec=60', ''):
                server.withdraw()
                etag = ask(server, gce.PREEMPTED, GOOGLE)[1]['etag']
                query = f'&last_etag={etag}&timeout_sec=60' if query else ''
                asked = len(server.asked())
                thread = threading.Thread(target=self.hang, args=(server, query, answers))
                thread.start()
                while len(server.asked()) == asked:
                    time.sleep(0.005)
                given = server.notice()
                thread.join(LIMIT)
                self.assertEqual(answers[-1][2], b'TRUE')
                self.assertGreaterEqual(server.asked()[-1].answered, given)
            self.hang(server, f'&last_etag={etag}&timeout_sec=60', answers)
            self.assertEqual(answers[-1][2], b'TRUE', 'what was missed is told at once')

    def test_maintenance(self):
        with MetadataServer('gce') as server:
            for action in ('terminate', 'migrate'):
                server.notice(action=action)
                self.assertEqual(ask(server, gce.MAINTENANCE, GOOGLE)[2],
                                 action.upper().encode() + (b'_ON_HOST_MAINTENANCE'))
            self.assertEqual(ask(server, gce.PREEMPTED, GOOGLE)[2], b'FALSE')


class Azure(unittest.TestCase):
    def test_header_and_version(self):
        with MetadataServer('azure') as server:
            self.assertEqual(ask(server, EVENTS)[0], 400)
            self.assertEqual(ask(server, '/metadata/scheduledevents', AZURE)[0], 400)
            self.assertEqual(ask(server, EVENTS.replace('2020', '2033'), AZURE)[0], 400)
            self.assertEqual(ask(server, EVENTS, {**AZURE, 'X-Forwarded-For': 'a'})[0], 400)
            self.assertEqual(json.loads(ask(server, EVENTS, AZURE)[2])['Events'], [])
            self.assertEqual(ask(server, COMPUTE, AZURE)[2], b'trainer_0')

    def test_events_and_their_approval(self):
        with MetadataServer('azure', vm='me') as server:
            server.notice(after=30)
            event, = json.loads(ask(server, EVENTS, AZURE)[2])['Events']
            self.assertEqual((event['EventType'], event['Resources'], event['EventStatus']),
                             ('Preempt', ['me'], 'Scheduled'))
            self.assertRegex(event['NotBefore'], r'^\w{3}, \d\d \w{3} 20\d\d [0-9:]{8} GMT$')

            def approve(body):
                return ask(server, EVENTS, AZURE, 'POST', body)[0]
            self.assertEqual(approve('{}'), 400)
            self.assertEqual(approve('{"StartRequests": [{"EventId": "x"}]}'), 400)
            wanted = json.dumps({'StartRequests': [{'EventId': event['EventId']}]})
            self.assertEqual([approve(wanted), approve(wanted)], [200, 200])
            event, = json.loads(ask(server, EVENTS, AZURE)[2])['Events']
            self.assertEqual((event['EventStatus'], event['NotBefore']), ('Started', ''))
            self.assertEqual(server.cloud.approved, [event['EventId']] * 2)
            server.fault('other-vm')
            event, = json.loads(ask(server, EVENTS, AZURE)[2])['Events']
            self.assertNotIn('me', event['Resources'])


class Faults(unittest.TestCase):
    def each(self, *faults, **options):
        """(cloud, server) for each cloud, with the faults only on the notice's path."""
        for cloud in metadata_server.CLOUDS:
            path = PLAIN[cloud].partition('?')[0]
            scripted = [f'{fault}:path={path}' for fault in faults]
            with MetadataServer(cloud, scripted, **options) as server:
                yield cloud, server

    def test_another_reply(self):
        for cloud, server in self.each('503:times=2', '401:after=1:times=1'):
            self.assertEqual([plainly(server, cloud)[0] for _ in range(5)],
                             [503, 503, {'ec2': 404}.get(cloud, 200), 401,
                              {'ec2': 404}.get(cloud, 200)])
        for cloud, server in self.each('html'):
            status, headers, body = plainly(server, cloud)
            self.assertEqual((status, headers['content-type'], body[:9]),
                             (200, 'text/html', b'<!DOCTYPE'))
        for cloud, server in self.each('garbage'):
            self.assertIn(b'\xff\xfe', plainly(server, cloud)[2])
        for cloud, server in self.each('redirect'):
            status, headers, _ = plainly(server, cloud)
            self.assertEqual((status, headers['location']), (302, server.endpoint + '/elsewhere'))
            self.assertEqual(ask(server, '/elsewhere')[0], 200)
        for kind, want in (('big', 200), ('big-404', 404)):
            for cloud, server in self.each(kind):
                status, _, body = plainly(server, cloud)
                self.assertEqual((status, len(body)), (want, BIG))
        for cloud, server in self.each('flavour'):
            self.assertEqual(plainly(server, cloud)[1]['metadata-flavor'], 'Amazon')
        for cloud, server in self.each('flavour='):
            self.assertNotIn('metadata-flavor', plainly(server, cloud)[1])

    def test_the_connection(self):
        for kind, error in (('cut', http.client.RemoteDisconnected), ('hang', TimeoutError),
                            ('reset', ConnectionResetError), ('half', http.client.IncompleteRead),
                            ('noise', http.client.BadStatusLine), ('slow', TimeoutError)):
            for cloud, server in self.each(kind):
                begin = time.monotonic()
                with self.assertRaises(error) as raised:
                    # A slow answer has its head at once; each of its bytes is in time.
                    plainly(server, cloud, 0.05 if kind == 'slow' else 0.3)
                # Some are a kind of others.
                self.assertIs(type(raised.exception), error, kind)
                self.assertLess(time.monotonic() - begin, LIMIT / 2)
        for cloud, server in self.each('slow=2'):
            begin = time.monotonic()
            self.assertGreaterEqual(len(plainly(server, cloud)[2]), 64)
            self.assertGreater(time.monotonic() - begin, 0.12)
        for cloud, server in self.each('chunked'):
            status, headers, _ = plainly(server, cloud)
            self.assertEqual((status, headers['transfer-encoding']),
                             ({'ec2': 404}.get(cloud, 200), 'chunked'))

    def test_a_late_answer(self):
        for cloud, server in self.each('delay:times=1', scale=400):
            times = []
            for _ in range(2):
                begin = time.monotonic()
                self.assertIn(plainly(server, cloud)[0], (200, 404))
                times.append(time.monotonic() - begin)
            self.assertGreater(times[0], 0.3)
            self.assertLess(times[1], times[0])

    def test_nobody_listens_or_the_queue_is_full(self):
        for kind, error in (('refused', ConnectionRefusedError), ('dropped', TimeoutError)):
            with MetadataServer('gce') as server:
                self.assertEqual(ask(server, gce.PREEMPTED, GOOGLE)[0], 200)
                server.fault(kind)
                with self.assertRaises(error):
                    address = urlsplit(server.endpoint)
                    socket.create_connection((address.hostname, address.port), 0.3).close()
                server.clear()
                self.assertEqual(ask(server, gce.PREEMPTED, GOOGLE)[0], 200)

    def test_by_method(self):
        with MetadataServer('ec2', ['hang:method=PUT']) as server:
            with self.assertRaises(TimeoutError):
                ask(server, '/latest/api/token', {TTL: '60'}, 'PUT', timeout=0.2)
            self.assertEqual(ask(server, ec2.ACTION)[0], 401)
            self.assertEqual([r.fault for r in server.requests], ['hang', None])

    def test_what_is_not_a_fault(self):
        for text in ('', 'hng', 'time=later', '503:tims=1', '503:times=x', '503:once'):
            with self.subTest(text=text), self.assertRaises(ValueError):
                Fault.parse(text)

    def test_connections_are_counted(self):
        with MetadataServer('gce', ['hang:times=3']) as server:
            port = urlsplit(server.endpoint).port
            held = [socket.create_connection(('127.0.0.1', port)) for _ in range(3)]
            for sock in held:
                sock.sendall(f'GET {gce.PREEMPTED} HTTP/1.1\r\nHost: a\r\n\r\n'.encode())
            while len(server.asked()) < 3:
                time.sleep(0.005)
            self.assertEqual((server.at_once, server.most_at_once), (3, 3))
            for sock in held:
                sock.close()
            for _ in range(5):
                ask(server, gce.PREEMPTED, GOOGLE)
            self.assertEqual((server.connections, server.most_at_once), (8, 3))


class Program(unittest.TestCase):
    def test_it_is_steered_from_outside(self):
        with tempfile.TemporaryDirectory() as folder:
            control = os.path.join(folder, 'control')
            here = os.path.dirname(os.path.abspath(__file__))
            with subprocess.Popen(
                    [sys.executable, os.path.join(here, 'metadata_server.py'), 'gce', '--listen',
                     '127.0.0.1:0', '--listen', '[::1]:0', '--control', control, '--fault',
                     '503:times=1'], stdout=subprocess.PIPE, text=True) as process:
                try:
                    words = process.stdout.readline().split()
                    self.assertEqual(words[:2], ['listening', 'on'])
                    for place in words[2:]:
                        connection = http.client.HTTPConnection(place, timeout=LIMIT)
                        connection.request('GET', gce.PREEMPTED, headers=GOOGLE)
                        seen = connection.getresponse()
                        self.assertEqual(seen.status, 503 if place == words[2] else 200)
                        connection.close()
                    metadata_server.tell(control, 'notice', 'action=preempted')
                    with self.assertRaises(ValueError):
                        metadata_server.tell(control, 'fault', 'nonsense')
                    connection = http.client.HTTPConnection(words[2], timeout=LIMIT)
                    connection.request('GET', gce.PREEMPTED, headers=GOOGLE)
                    self.assertEqual(connection.getresponse().read(), b'TRUE')
                    connection.close()
                    lines = metadata_server.tell(control, 'requests').splitlines()
                    self.assertEqual([json.loads(line)['status'] for line in lines],
                                     [503, 200, 200])
                    self.assertEqual(metadata_server.tell(control, 'connections').split()[0], '3')
                finally:
                    process.send_signal(signal.SIGTERM)


if __name__ == '__main__':
    unittest.main()
