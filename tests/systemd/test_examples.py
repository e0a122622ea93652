#!/usr/bin/env python3
"""examples/ec2-spot and examples/gce-spot: the commands of their README, and then a notice."""
import json
import re

from box import REPOSITORY, WATCH
from box_test import BoxTest, main

UNIT = 'preempt-wrap@train.service'
FOLDER = '/var/lib/train/train'


def commands(name, mark='scripts/install'):
    """The block with `mark`, without the build."""
    text = (REPOSITORY / 'examples' / name / 'README.md').read_text(encoding='utf-8')
    blocks = re.findall(r'```sh\n(.*?)```', text, re.S)
    block, = [block for block in blocks if mark in block]
    kept = [line for line in block.splitlines() if not line.startswith('scripts/demo')]
    return 'set -e\ncd /src\n' + '\n'.join(kept).replace(
        'scripts/install ', 'scripts/install --binary /pw/preempt-wrap ')


class Readme(BoxTest):
    def follow(self, cloud):
        """Up to a training that has begun; the log has its lines of before, too."""
        self._units.append(UNIT)
        self.box.run('sh', '-c', 'userdel trainer; rm -rf /opt/train /etc/preempt-wrap/*')
        self.box.serve(cloud)
        before = len(self.box.said(UNIT))
        self.box.run('sh', stdin=commands(f'{cloud}-spot'))
        self.until('its first line', lambda: [
            line for line in self.box.said(UNIT)[before:] if line.startswith('train: from step')])

    def checkpoint(self):
        with open(self.box.path(f'{FOLDER}/checkpoint.json'), encoding='ascii') as file:
            return json.load(file)['step']

    def assert_preempted(self):
        self.assertEqual(self.wait_end(UNIT), 'inactive')
        self.assertGreater(self.checkpoint(), 0)
        self.assertNotIn('Failed', ' '.join(self.box.said_of(UNIT)))
        self.wait_line('1 delivered, 0 gone, 0 refused')

    def test_ec2_and_its_drill(self):
        self.follow('ec2')
        self.assertIn('watching ec2', self.box.show(WATCH, 'StatusText'))
        self.addCleanup(self.box.run, 'rm', '-f', '/run/drill')
        self.box.run('sh', stdin=commands('ec2-spot', 'date -u'))
        self.assert_preempted()
        self.box.run('sh', stdin=commands('ec2-spot', 'rm /run/drill'))
        self.until('the cloud again', lambda: 'watching ec2' in self.box.show(WATCH, 'StatusText'))
        self.assertEqual(self.box.show(UNIT, 'ActiveState'), 'active')
        self.box.run('systemctl', 'stop', UNIT)

    def test_gce_and_a_notice(self):
        self.follow('gce')
        self.box.tell('notice', 'action=preempted')
        self.assert_preempted()


if __name__ == '__main__':
    main()
