"""Where `run --cloud` asks: the real addresses, in a network namespace of the test's own; another
endpoint by option or variable; and what kind of machine `auto` sees."""
import os
import subprocess
import sys

from clouds import SAVES, CloudTest, main, until, warnings
from metadata_server import tell
from processes import children

_SERVER = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'metadata_server.py')
V4, EC2_V6 = '169.254.169.254', 'fd00:ec2::254'
_NETWORK = f'ip link set lo up && ip addr add {V4}/32 dev lo && ip addr add {EC2_V6}/128 dev lo'
POLL = 'poll=100ms'
FIRMWARE = (
    ('ec2', {'sys_vendor': 'Amazon EC2', 'product_name': 'm5.large'}),
    ('ec2', {'sys_vendor': 'Xen', 'bios_version': '4.11.amazon'}),
    ('gce', {'sys_vendor': 'Google', 'product_name': 'Google Compute Engine'}),
    ('azure', {'sys_vendor': 'Microsoft Corporation', 'product_name': 'Virtual Machine',
               'chassis_asset_tag': '7783-7084-3265-9085-8269-3286-77'}),
    ('', {'sys_vendor': 'Microsoft Corporation', 'product_name': 'Virtual Machine',
          'chassis_asset_tag': '0000-0000'}),
    ('', {'sys_vendor': 'QEMU', 'product_name': 'Standard PC'}),
    ('', {}),
)


class Network:
    """A network namespace with a metadata server on the real addresses."""

    def __init__(self, test, cloud, name):
        self.control = test.path(name + '.control')
        script = f'{_NETWORK} && exec "$@"'
        self._process = subprocess.Popen(
            ['unshare', '-n', 'sh', '-c', script, 'sh', sys.executable, _SERVER, cloud,
             '--listen', f'{V4}:80', '--listen', f'[{EC2_V6}]:80', '--control', self.control],
            stdout=subprocess.PIPE, text=True, env=test.environ())
        test.addCleanup(self.close)
        self.line = self._process.stdout.readline()
        test.assertIn('listening', self.line)
        self.inside = ['nsenter', '-t', str(self._process.pid), '-n', '--']

    def tell(self, *words):
        return tell(self.control, *words)

    def close(self):
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._process.stdout.close()


class RealAddresses(CloudTest):
    def setUp(self):
        super().setUp()
        self.need_root()
        done = subprocess.run(['unshare', '-n', 'sh', '-c', _NETWORK], capture_output=True,
                              text=True, check=False)
        self.need(done.returncode == 0, f'no network namespace: {done.stderr}')

    def test_without_any_setting(self):
        rows = (('ec2', V4, {}), ('gce', V4, {}), ('azure', V4, {}),
                ('ec2', f'[{EC2_V6}]', {'AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE': 'IPv6'}))
        for serial, (cloud, address, env) in enumerate(rows):
            with self.subTest(cloud=cloud, address=address):
                network = Network(self, cloud, f'place{serial}')
                wrapper, log = self.begin(f'{cloud}:{POLL}', SAVES, log=f'place{serial}',
                                          prefix=network.inside, env=self.environ(**env))
                network.tell('notice')
                self.assertEqual(wrapper.wait(), 138, wrapper.err)
                self.assertEqual(log.order(), ['USR1'])
                hosts = {'metadata.google.internal'} if cloud == 'gce' else {address}
                text = network.tell('requests')
                self.assertTrue(all(f'["Host", "{host}"]' in text for host in hosts), text[:400])
                network.close()

    def test_auto_by_the_firmware(self):
        """Without asking anybody else; elsewhere it says so in one line and asks nobody."""
        for serial, (cloud, files) in enumerate(FIRMWARE):
            with self.subTest(**files):
                folder = f'class{serial}'
                os.makedirs(self.path(folder) + '/dmi/id')
                for name, text in files.items():
                    self.write(f'{folder}/dmi/id/{name}', text + '\n')
                network = Network(self, cloud or 'ec2', f'auto{serial}')
                bind = f'mount --bind {self.path(folder)} /sys/class && exec "$@"'
                wrapper, _ = self.begin(
                    f'auto:{POLL}' if cloud else 'auto', *([SAVES] if cloud else ['end=500:7']),
                    log=f'auto{serial}',
                    prefix=[*network.inside, 'unshare', '-m', 'sh', '-c', bind, 'sh'])
                if cloud:
                    network.tell('notice')
                    self.assertEqual(wrapper.wait(), 138, wrapper.err)
                    self.assertIn(f'from {cloud}', wrapper.err)
                else:
                    self.assertEqual(wrapper.wait(), 7)
                    lines = [line for line in wrapper.err.splitlines() if 'cloud' in line]
                    self.assertEqual(len(lines), 1, wrapper.err)
                    self.assertEqual(network.tell('requests'), '')
                network.close()


class Settings(CloudTest):
    def hears(self, server, where, **env):
        name = f'trainer{len(os.listdir(self.dir))}'
        wrapper, log = self.begin(where, SAVES, log=name, env=self.environ(**env))
        until('a question', server.asked)
        server.notice()
        self.assertEqual(wrapper.wait(), 138, wrapper.err)
        self.assertEqual(log.order(), ['USR1'])

    def test_ec2_endpoint_by_variable(self):
        server = self.serve('ec2')
        self.hears(server, f'ec2:{POLL}', AWS_EC2_METADATA_SERVICE_ENDPOINT=server.endpoint)

    def test_ec2_endpoint_by_variable_with_a_slash_at_its_end(self):
        server = self.serve('ec2')
        self.hears(server, f'ec2:{POLL}', AWS_EC2_METADATA_SERVICE_ENDPOINT=server.endpoint + '/')

    def test_the_option_prevails(self):
        server, other = self.serve('ec2'), self.serve('ec2')
        self.hears(server, f'ec2:{POLL},endpoint={server.endpoint}',
                   AWS_EC2_METADATA_SERVICE_ENDPOINT=other.endpoint)
        self.assertEqual(other.connections, 0)

    def test_gce_host_by_variable(self):
        server = self.serve('gce')
        self.hears(server, f'gce:{POLL}', GCE_METADATA_HOST=server.endpoint[len('http://'):])

    def test_an_ipv6_endpoint(self):
        for cloud in ('ec2', 'gce', 'azure'):
            with self.subTest(cloud=cloud):
                server = self.serve(cloud, listen=('[::1]:0',))
                self.hears(server, f'{cloud}:{POLL},endpoint={server.endpoint}')

    def test_switched_off_by_aws_s_variable_nobody_is_asked(self):
        server = self.serve('ec2')
        server.notice()
        for value in ('true', 'TRUE'):
            with self.subTest(value=value):
                done = self.call('--cloud', f'ec2:{POLL},endpoint={server.endpoint}', '--', 'sh',
                                 '-c', 'exit 7', env=self.environ(AWS_EC2_METADATA_DISABLED=value))
                self.assertEqual(done.status, 7, done.err)
                lines = [line for line in done.err.splitlines() if 'DISABLED' in line]
                self.assertEqual(len(lines), 1, done.err)
                self.assertEqual(server.connections, 0)

    def test_not_switched_off(self):
        server = self.serve('ec2')
        self.hears(server, f'ec2:{POLL},endpoint={server.endpoint}',
                   AWS_EC2_METADATA_DISABLED='false')

    def test_a_name_in_a_variable_is_not_resolved(self):
        """The training does not suffer from what somebody else has set."""
        done = self.call('--cloud', f'ec2:{POLL}', '--', 'sh', '-c', 'exit 7', env=self.environ(
            AWS_EC2_METADATA_SERVICE_ENDPOINT='http://example.com'))
        self.assertIn('example.com', done.err)
        self.assertIn(done.status, (7, 125))

    def test_no_helper_is_there_without_a_cloud(self):
        for options in ((), ('--cloud', 'none')):
            log = f'plain{len(options)}'
            wrapper = self.start(*options, '--', *self.trainer('end=1000:7', log=log))
            trainer = self.log(log).ready()
            self.assertEqual(list(children(wrapper.pid)), [trainer])
            self.assertEqual(warnings(wrapper), [])
            os.kill(trainer, 9)
            wrapper.wait()


if __name__ == '__main__':
    main()
