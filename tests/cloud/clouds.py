"""The fixture of the cloud tests: a wrapped trainer that is told of its machine's end by a metadata
server of ours."""
import os
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'e2e'))
import ec2  # noqa: E402
import gce  # noqa: E402
from metadata_server import MetadataServer  # noqa: E402
from processes import LIMIT, until  # noqa: E402, F401
from wrapper import BINARY, FAST_BINARY, TrainerLog, WrapperTest, main  # noqa: E402, F401

EVENTS = '/metadata/scheduledevents'
NOTICE_PATHS = {'ec2': ec2.ACTION, 'gce': gce.PREEMPTED, 'azure': EVENTS}
SAVES = 'USR1=save:1:138'


def source(cloud, server, poll='100ms', **more):
    """The value of --cloud."""
    settings = {'endpoint': server.endpoint, 'poll': poll, **more}
    return cloud + ':' + ','.join(f'{k}={v}' for k, v in settings.items())


class Trap:
    """A proxy that nobody may ask."""

    def __init__(self):
        self._sock = socket.create_server(('127.0.0.1', 0))
        self._sock.setblocking(False)
        self.url = f'http://127.0.0.1:{self._sock.getsockname()[1]}'

    def environment(self):
        names = ('http_proxy', 'https_proxy', 'all_proxy', 'ftp_proxy')
        return {**{n: self.url for n in names}, **{n.upper(): self.url for n in names},
                'no_proxy': '', 'NO_PROXY': ''}

    def connections(self):
        count = 0
        while True:
            try:
                self._sock.accept()[0].close()
                count += 1
            except BlockingIOError:
                return count

    def close(self):
        self._sock.close()


class CloudTest(WrapperTest):
    def serve(self, cloud, *faults, **options):
        server = MetadataServer(cloud, faults, **options)
        self.addCleanup(server.close)
        return server

    def begin(self, where, *rules, options=(), log='trainer', **how):
        """Starts a trainer below `run --cloud WHERE`; returns (wrapper, log) when it is ready."""
        options = ['--cloud', where, '--journal', self.path(log + '.journal'), *options]
        wrapper = self.start(*options, '--', *self.trainer(*rules, log=log), **how)
        self.log(log).ready()
        return wrapper, self.log(log)

    def told(self, event, log='trainer'):
        return [line for line in self.journal(log + '.journal') if line['event'] == event]

    def asks(self, server, cloud, count=1):
        """Waits for `count` more answered questions for a notice; a hanging one counts as well."""
        path = NOTICE_PATHS[cloud]
        before = len(server.asked(path))
        return until(f'{count} x {path}', lambda: len(server.asked(path)) >= before + count)


def warnings(wrapper):
    return [line for line in wrapper.err.splitlines() if 'warning: ' in line]
