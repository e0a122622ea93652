#!/usr/bin/env python3
"""scripts/install: what it places, that it takes away exactly that, and that it can be repeated."""
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent.parent
INSTALL = REPOSITORY / 'scripts' / 'install'
PREFIX = 'usr/local'
UNITS = f'{PREFIX}/lib/systemd/system'
SHARE = f'{PREFIX}/share/preempt-wrap'
LIST = f'{SHARE}/installed'
SCRIPTS = ('slurm/site/drain-node', 'tests/systemd/box.sh')
PLACED = {  # without the examples, which may become more
    f'{PREFIX}/bin/preempt-wrap': 0o755,
    f'{PREFIX}/share/man/man1/preempt-wrap.1': 0o644,
    f'{UNITS}/preempt-wrap-watch.service': 0o644,
    f'{UNITS}/preempt-wrap@.service': 0o644,
    f'{PREFIX}/lib/sysusers.d/preempt-wrap.conf': 0o644,
    f'{PREFIX}/lib/tmpfiles.d/preempt-wrap.conf': 0o644,
    f'{SHARE}/drain-node': 0o755,
    f'{SHARE}/trainer.env': 0o644,
    f'{SHARE}/systemd/relay.conf': 0o644,
    'etc/preempt-wrap/watch.env': 0o644,
}


class InstallTest(unittest.TestCase):
    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix='pw-install-'))
        self.addCleanup(shutil.rmtree, self.root)
        self.binary = self.root.with_suffix('.binary')
        self.binary.write_text('#!/bin/sh\necho one\n', encoding='ascii')
        self.binary.chmod(0o755)
        self.addCleanup(self.binary.unlink)

    def call(self, *options, status=0, **environment):
        base = {'PATH': os.environ['PATH'], 'DESTDIR': str(self.root)}
        done = subprocess.run([INSTALL, *options], env={**base, **environment}, text=True,
                              capture_output=True, check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def install(self, *options, **how):
        return self.call('--binary', str(self.binary), *options, **how)

    def tree(self):
        """{path: (mode, what is in it)}; of a folder its name only."""
        found = {}
        for path in sorted(self.root.rglob('*')):
            content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
            found[str(path.relative_to(self.root))] = (path.stat().st_mode, content)
        return found

    def text(self, name):
        return (self.root / name).read_text(encoding='utf-8')


class Places(InstallTest):
    def test_each_in_its_place_with_its_mode(self):
        self.install()
        for name, mode in PLACED.items():
            with self.subTest(name):
                self.assertEqual((self.root / name).stat().st_mode & 0o7777, mode)

    def test_a_narrow_umask_hides_nothing(self):
        os.umask(0o077)
        self.addCleanup(os.umask, 0o022)
        self.install()
        modes = [path.stat().st_mode & 0o444 for path in self.root.rglob('*')]
        self.assertEqual(set(modes), {0o444})

    def test_prefix_and_user_are_filled_in(self):
        for prefix, units in (('/usr', 'usr/lib/systemd/system'), ('/opt/pw', 'etc/systemd/system'),
                              ('/usr/local/', UNITS)):
            with self.subTest(prefix):
                self.install('--trainer-user', 'alice', PREFIX=prefix)
                watch = self.text(f'{units}/preempt-wrap-watch.service')
                self.assertIn(f'ExecStart={prefix.rstrip("/")}/bin/preempt-wrap watch', watch)
                self.assertIn('User=alice\n', self.text(f'{units}/preempt-wrap@.service'))
                self.call('--uninstall', PREFIX=prefix)
                self.assertEqual(self.tree(), {})

    def test_nothing_is_left_to_fill_in(self):
        self.install()
        for path in self.root.rglob('*'):
            if path.is_file():
                self.assertIsNone(re.search('@[A-Z_]+@', path.read_text(encoding='utf-8')), path)

    def test_mistakes_place_nothing(self):
        for options, how in ((['--binary', '/no/such'], {}), (['--nonsense'], {}),
                             (['--binary'], {}), (['--trainer-user', 'a b'], {}),
                             ([], {'PREFIX': 'relative'}), ([], {'PREFIX': '/with blank'})):
            with self.subTest(options, **how):
                self.call(*(options or ['--binary', str(self.binary)]), status=1, **how)
                self.assertEqual(self.tree(), {})


class Again(InstallTest):
    def test_nothing_changes(self):
        self.install()
        before = self.tree()
        binary = (self.root / PREFIX / 'bin/preempt-wrap').stat()
        self.install()
        self.assertEqual(self.tree(), before)
        self.assertEqual((self.root / PREFIX / 'bin/preempt-wrap').stat().st_ino, binary.st_ino)

    def test_what_differs_is_brought_up_to_date(self):
        self.install()
        before = self.tree()
        for name in PLACED:
            if not name.startswith('etc'):
                (self.root / name).write_text('old', encoding='ascii')
        (self.root / UNITS / 'preempt-wrap@.service').unlink()
        self.install()
        self.assertEqual(self.tree(), before)

    def test_what_an_older_version_placed_is_taken_away(self):
        self.install()
        before = self.tree()
        old = self.root / UNITS / 'preempt-wrap-old.service'
        old.write_text('', encoding='ascii')
        with open(self.root / LIST, 'a', encoding='ascii') as file:
            file.write(f'f /{UNITS}/preempt-wrap-old.service\n')
        self.install()
        self.assertEqual(self.tree(), before)

    def test_the_users_config_stays(self):
        config = self.root / 'etc/preempt-wrap/watch.env'
        self.install()
        config.write_text('MINE=1\n', encoding='ascii')
        self.assertIn('is yours', self.install())
        self.assertEqual(config.read_text(encoding='ascii'), 'MINE=1\n')
        self.assertIn('is yours', self.call('--uninstall'))
        self.assertEqual([name for name, (_, content) in self.tree().items() if content],
                         ['etc/preempt-wrap/watch.env'])

    def test_a_config_that_was_there_before_stays(self):
        config = self.root / 'etc/preempt-wrap/watch.env'
        config.parent.mkdir(parents=True)
        shutil.copy(REPOSITORY / 'systemd/watch.env', config)
        before = self.tree()
        self.install()
        self.call('--uninstall')
        self.assertEqual(self.tree(), before)


class TakesAway(InstallTest):
    def test_from_an_empty_tree(self):
        self.install()
        self.install()
        self.call('--uninstall')
        self.assertEqual(self.tree(), {})

    def test_what_others_have_put_beside_it_stays(self):
        for name in ('usr/local/bin/other', 'etc/preempt-wrap/mine.env',
                     f'{UNITS}/other.service', f'{SHARE}/note'):
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name, encoding='ascii')
        (self.root / PREFIX / 'share/man/man1').mkdir(parents=True)  # an empty one of theirs
        before = self.tree()
        self.install()
        self.call('--uninstall')
        self.assertEqual(self.tree(), before)

    def test_what_comes_later_keeps_its_folder(self):
        self.install()
        mine = self.root / 'etc/preempt-wrap/mine.env'
        mine.write_text('', encoding='ascii')
        self.call('--uninstall')
        self.assertEqual(set(self.tree()), {'etc', 'etc/preempt-wrap', 'etc/preempt-wrap/mine.env'})

    def test_twice_and_without_an_install(self):
        self.assertIn('nothing to take away', self.call('--uninstall'))
        self.install()
        self.call('--uninstall')
        self.assertIn('nothing to take away', self.call('--uninstall'))


class Clean(unittest.TestCase):
    def need(self, tool):
        if not shutil.which(tool) and os.environ.get('PW_REQUIRE_ALL') == '1':
            self.fail(f'PW_REQUIRE_ALL=1, but there is no {tool}')
        if not shutil.which(tool):
            self.skipTest(f'there is no {tool}')

    def test_it_is_formatted_without_a_warning(self):
        page = REPOSITORY / 'docs/preempt-wrap.1'
        self.need('man')
        done = subprocess.run(['man', '--warnings', '-E', 'UTF-8', '-l', '-Tutf8', '-Z', page],
                              capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ''))

    def test_the_scripts_are_clean(self):
        self.need('shellcheck')
        scripts = [INSTALL, *(REPOSITORY / name for name in SCRIPTS)]
        done = subprocess.run(['shellcheck', *scripts], capture_output=True, text=True, check=False)
        self.assertEqual(done.stdout, '')


if __name__ == '__main__':
    sys.exit(not unittest.main(exit=False).result.wasSuccessful())
