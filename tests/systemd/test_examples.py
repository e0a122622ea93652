#!/usr/bin/env python3
"""examples/ec2-spot and examples/gce-spot: the commands of their README, and then a notice."""
import json
import re

from box import REPOSITORY, WATCH
from box_test import BoxTest, main

UNIT = 'preempt-wrap@train.service'
FOLDER = '/var/lib/train/train'
EXAMPLES = (('ec2', ['notice', 'action=terminate']), ('gce', ['notice', 'action=preempted']))


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

    def test_the_drill(self):
        self.follow('ec2')
        self.box.run('sh', stdin=commands('ec2-spot', '/run/drill'))
        self.assertEqual(self.wait_end(UNIT), 'inactive')
        self.assertTrue(self.box.said(UNIT)[-1].endswith('nothing left behind'))
        self.assertNotIn('Failed', ' '.join(self.box.said_of(UNIT)))
        self.box.run('rm', '/run/drill')

    def test_as_it_is_written(self):
        for cloud, notice in EXAMPLES:
            with self.subTest(cloud):
                self.follow(cloud)
                path = self.box.path(f'{FOLDER}/checkpoint.json')
                self.box.tell(*notice)
                self.assertEqual(self.wait_end(UNIT), 'inactive')
                with open(path, encoding='ascii') as file:
                    self.assertGreater(json.load(file)['step'], 0)
                self.wait_line(f'notice {cloud} .*1 delivered')
                self.assertNotIn('Failed', ' '.join(self.box.said_of(UNIT)))
                self.assertIn(f'watching {cloud}', self.box.show(WATCH, 'StatusText'))
                self.clean()
                self.forget()


if __name__ == '__main__':
    main()
