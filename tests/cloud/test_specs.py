"""What --cloud does not take: exit 125 with one clear line, and the command is not started."""
import os

from clouds import CloudTest, main

# SRC, what the line names
BAD = (
    ('mars', 'mars'), ('', 'cloud'), ('EC2', 'EC2'), ('ec2:pol=1s', 'pol'), ('ec2:poll=0s', 'poll'),
    ('ec2:poll=99ms', 'poll'), ('ec2:poll=-1s', 'poll'), ('ec2:poll=soon', 'poll'),
    ('ec2:poll=', 'poll'), ('ec2:poll', 'poll'), ('ec2:notice=30s', 'notice'),
    ('ec2:ack=yes', 'ack'), ('gce:ack=yes', 'ack'), ('azure:ack=perhaps', 'perhaps'),
    ('gce:notice=0s', 'notice'), ('gce:notice=x', 'notice'), ('ec2:advice=shout', 'shout'),
    ('ec2:endpoint=http://example.com', 'example.com'), ('ec2:endpoint=', 'endpoint'),
    ('ec2:endpoint=https://169.254.169.254', 'https'), ('ec2:endpoint=http://127.0.0.1:0', ':0'),
    ('ec2:endpoint=http://127.0.0.1:99999', '99999'),
    ('ec2:endpoint=http://127.0.0.1:x', ':x'), ('ec2:endpoint=http://[::1', '::1'),
    ('ec2:endpoint=http://::1:80', '::1'), ('ec2:endpoint=http://300.1.1.1', '300.1.1.1'),
    ('ec2:endpoint=http://1.2.3', '1.2.3'), ('ec2:endpoint=http://127.0.0.1/latest', 'latest'),
    ('ec2:endpoint=http://u@127.0.0.1', 'u@'), ('file:', 'file'),
    ('auto:poll=1x', 'poll'),
)
GOOD = ('none', 'ec2:poll=100ms', 'ec2:endpoint=http://127.0.0.1:1/', 'ec2:advice=relay',
        'ec2:endpoint=http://[::1]:1', 'gce:notice=120s,endpoint=http://127.0.0.1:1',
        'azure:ack=yes,endpoint=http://127.0.0.1:1,poll=1s')


class Specs(CloudTest):
    def test_bad_ones(self):
        for serial, (spec, named) in enumerate(BAD):
            with self.subTest(spec=spec):
                started = self.path(f'started{serial}')
                wrapper = self.call('--cloud', spec, '--', 'touch', started)
                self.assertEqual(wrapper.status, 125, wrapper.err)
                lines = wrapper.err.splitlines()
                self.assertEqual(len(lines), 1, wrapper.err)
                self.assertRegex(lines[0], r'^preempt-wrap: .*cloud')
                self.assertIn(named, lines[0])
                self.assertFalse(os.path.exists(started))

    def test_good_ones(self):
        for spec in (*GOOD, 'file:' + self.path('notice')):
            with self.subTest(spec=spec):
                wrapper = self.call('-q', '--cloud', spec, '--', 'sh', '-c', 'exit 7')
                self.assertEqual(wrapper.status, 7, wrapper.err)

    def test_from_the_settings_file(self):
        config = self.write('settings.yaml', 'cloud: mars\n')
        wrapper = self.call('--config', config, '--', 'true')
        self.assertEqual(wrapper.status, 125)
        self.assertIn('mars', wrapper.err)


if __name__ == '__main__':
    main()
