"""The exit status tells the truth: the trainer's own, 128+n, and 125 to 127 for our own trouble."""
import os
import subprocess

from processes import alive, send, state, until
from wrapper import WrapperTest, main


class OwnStatus(WrapperTest):
    def test_table(self):
        script = self.write('no-interpreter-line', 'exit 9\n', 0o755)
        plain = self.write('plain', 'echo\n', 0o644)
        dangling = self.write('dangling', '#!/no/such/interpreter\n', 0o755)
        rows = [
            ('true', ['true'], 0),
            ('1', ['sh', '-c', 'exit 1'], 1),
            ('3', ['sh', '-c', 'exit 3'], 3),
            ('75', ['sh', '-c', 'exit 75'], 75),
            ('125 of its own', ['sh', '-c', 'exit 125'], 125),
            ('255', ['sh', '-c', 'exit 255'], 255),
            ('died of KILL', ['sh', '-c', 'kill -KILL $$'], 137),
            ('died of TERM', ['sh', '-c', 'kill -TERM $$'], 143),
            ('died of INT, not typed', ['sh', '-c', 'kill -INT $$'], 130),
            ('died of SEGV', ['sh', '-c', 'ulimit -c 0; kill -SEGV $$'], 139),
            ('died of USR1', ['sh', '-c', 'kill -USR1 $$'], 138),
            ('died of HUP', ['sh', '-c', 'kill -HUP $$'], 129),
            ('died of RTMIN+3', ['bash', '-c', 'kill -RTMIN+3 $$'], 165),
            ('died of PIPE', ['sh', '-c', 'kill -PIPE $$'], 141),
            ('script without #!', [script], 9),
            ('not executable', [plain], 126),
            ('a directory', [self.dir], 126),
            ('below a file', [plain + '/x'], 126),
            ('not found by name', ['no-such-command-anywhere'], 127),
            ('not found by path', [self.path('nothing')], 127),
            ('interpreter not found', [dangling], 127),
            ('the empty word', [''], 127),
        ]
        for name, command, status in rows:
            with self.subTest(name):
                self.assertEqual(self.call('--', *command).status, status)
                # env, whose conventions these are, says the same.
                bare = subprocess.run(['env', '--', *command], check=False,
                                      stderr=subprocess.DEVNULL).returncode
                self.assertEqual(status, bare if bare >= 0 else 128 - bare)

    def test_exec_errors_name_the_command_and_the_reason(self):
        plain = self.write('plain', 'echo\n', 0o644)
        rows = [('no-such-command-anywhere', 'No such file'), (plain, 'Permission denied')]
        for command, reason in rows:
            with self.subTest(command):
                err = self.call(command).err
                self.assertIn(command, err)
                self.assertIn(reason.lower(), err.lower())

    def test_search_path(self):
        first, second = self.path('first'), self.path('second')
        self.write('first/tool', 'exit 1\n', 0o644)
        self.write('second/tool', '#!/bin/sh\nexit 21\n', 0o755)
        rows = [
            ('the one that can be executed wins', f'{first}:{second}', 21),
            ('only one that cannot', f'{first}:/usr/bin', 126),
            ('a folder that is none', f'{second}/tool:{second}', 21),
            ('an empty element is the current folder', ':/usr/bin', 21),
        ]
        for name, path, status in rows:
            with self.subTest(name):
                wrapper = self.call('tool', env=self.environ(PATH=path), cwd=second)
                self.assertEqual(wrapper.status, status)


class UsageErrors(WrapperTest):
    """125: nothing is started, and one message says all that is wrong."""

    def refused(self, *args, said=(), **how):
        started = self.path('started')
        if os.path.exists(started):
            os.remove(started)
        wrapper = self.call(*args, 'touch', started, **how)
        self.assertEqual(wrapper.status, 125, wrapper.err)
        self.assertFalse(os.path.exists(started), 'the trainer was started')
        for text in said:
            self.assertRegex(wrapper.err, text)
        return wrapper.err

    def test_table(self):
        rows = [
            ('unknown option', ['--no-such-thing'], ['--no-such-thing']),
            ('unknown short option', ['-Z'], ['-Z']),
            ('did you mean grace', ['--grase', '5s'], ['--grase', r'\bgrace\b']),
            ('did you mean notice', ['--notise=USR1'], ['--notise', r'\bnotice\b']),
            ('bad signal name', ['--notice', 'USR1,BOGUS'], ['BOGUS', 'notice']),
            ('signal number too big', ['--notice', '65'], ['65']),
            ('RT signal too big', ['--notice', 'RTMIN+31'], [r'RTMIN\+31']),
            ('signal 0', ['--notice', '0'], ['0']),
            ('KILL cannot be a notice', ['--notice', 'KILL'], ['KILL']),
            ('STOP cannot be a notice', ['--notice', 'STOP'], ['STOP']),
            ('negative duration', ['--grace=-5s'], ['-5s']),
            ('negative duration as next word', ['-k', '-5s'], ['-5s|grace']),
            ('no duration', ['--grace', 'soon'], ['soon', 'grace']),
            ('unknown unit', ['--grace', '5y'], ['5y']),
            ('empty duration', ['--grace', ''], ['grace']),
            ('a duration past all reason', ['--grace', '99999999999999999999h'], ['grace']),
            ('bad map', ['--map-signal', 'USR1'], ['map-signal']),
            ('bad signal in a map', ['--map-signal', 'USR1:NOPE'], ['NOPE']),
            ('KILL cannot be mapped', ['--map-signal', 'KILL:TERM'], ['KILL']),
            ('bad target', ['--to', 'everyone'], ['everyone', 'tree']),
            ('grace and ladder', ['-k', '5s', '--ladder', 'relay@5s,KILL'], ['grace', 'ladder']),
            ('bad ladder', ['--ladder', 'relay@5x,KILL'], ['5x|ladder']),
            ('bad signal in a ladder', ['--ladder', 'relay@5s,FOO@1s,KILL'], ['FOO']),
            ('exit code too big', ['--exit-preempted', '256'], ['256']),
            ('exit code no number', ['--exit-preempted', 'x'], ['exit-preempted']),
            ('bad choice', ['--exit-zero', 'maybe'], ['maybe']),
            ('bad log level', ['--log-level', 'shout'], ['shout']),
            ('config not there', ['--config', '/no/such/file'], ['/no/such/file']),
            ('config is a folder', ['--config', '/tmp'], ['/tmp']),
        ]
        for name, args, said in rows:
            with self.subTest(name):
                self.refused(*args, said=said)

    def test_no_command(self):
        for args in ([], ['--'], ['-q'], ['--grace', '5s'], ['run'], ['run', '--']):
            with self.subTest(args=args):
                wrapper = self.call(*args)
                self.assertEqual(wrapper.status, 125)
                self.assertIn('command', wrapper.err.lower())

    def test_a_value_is_missing(self):
        for args in (['--grace'], ['-k'], ['--config']):
            with self.subTest(args=args):
                wrapper = self.call(*args)
                self.assertEqual(wrapper.status, 125)
                self.assertIn(args[0], wrapper.err)

    def test_all_errors_at_once(self):
        err = self.refused('--grace=-5s', '--notice', 'BOGUS', '--to', 'everyone', '--frobnicate',
                           said=['-5s', 'BOGUS', 'everyone', '--frobnicate'])
        self.assertLessEqual(len(err.splitlines()), 8)

    def test_config_files(self):
        rows = [
            # name, text, LINE:COLUMN, said
            ('unknown key', 'grace: 5m\nnotise: USR1\n', '2:1', ['notise', 'notice']),
            ('bad value', 'grace: -5s\n', '1:8', ['-5s']),
            ('bad value further down', '# a\n\nto:   nobody\n', '3:7', ['nobody']),
            ('duplicate key', 'grace: 5m\nto: tree\ngrace: 6m\n', '3:1', ['grace']),
            ('bad signal', 'notice: USR1,BOGUS\n', r'1:\d+', ['BOGUS']),
            ('a tab', 'grace: 5m\n\tto: tree\n', r'\d:\d+', []),
            ('broken', 'grace: [5m\n', r'\d:\d+', []),
            ('no map', '- grace\n- 5m\n', '1:1', []),
            ('a map as value', 'grace:\n  a: b\n', r'\d:\d+', ['grace']),
            ('binary', b'\x00\x01\xff\xfe\x80', r'\d:\d+|config', []),
            ('a deep hole', '[' * 20000, '', []),
            ('no value', 'grace:\nto: tree\n', r'1:\d+', ['grace']),
            ('a second document is not dropped in silence',
             'grace: 5m\n---\nto: tree\n', r'\d', []),
            ('neither true nor false', 'quiet: maybe\n', '1:8', ['maybe']),
        ]
        for name, text, place, said in rows:
            with self.subTest(name):
                file = self.write('settings.yaml', text)
                self.refused('--config', file, said=[f'{file}:{place}', *said])

    def test_all_errors_of_file_and_command_line_at_once(self):
        file = self.write('settings.yaml', 'grace: -5s\nnotise: USR1\nto: nobody\n')
        self.refused('--config', file, '--lead', 'soon',
                     said=[f'{file}:1:8', f'{file}:2:1', f'{file}:3:5', 'soon'])

    def test_config_that_may_not_be_read(self):
        self.need_root()
        file = self.write('settings.yaml', 'grace: 5m\n', 0o600)
        err = self.refused('--config', file, said=[file, '(?i)permission'],
                           before=lambda: os.setuid(61001))
        self.assertNotIn('terminate', err)

    def test_a_config_that_others_can_write_is_refused_to_root(self):
        self.need_root()
        self.refused('--config', self.write('settings.yaml', 'grace: 5m\n', 0o666),
                     said=['settings.yaml'])
        foreign = self.write('foreign.yaml', 'grace: 5m\n')
        os.chown(foreign, 61001, 61001)
        self.refused('--config', foreign, said=['foreign.yaml'])


class AfterANotice(WrapperTest):
    """--exit-preempted N replaces exit code 0, and only 0, of a run that had a notice."""

    def test_table(self):
        done, missing = self.write('done', ''), self.path('not-done')
        named = self.path('done_%u')
        self.write('done_tester', '')
        rows = [
            # name, options, code of the trainer, notice, status
            ('exit 0 is saved, not done', ['--exit-preempted', '75'], 0, 'USR1', 75),
            ('after TERM', ['--exit-preempted', '75'], 0, 'TERM', 75),
            ('another code stays', ['--exit-preempted', '75'], 3, 'USR1', 3),
            ('the done file is there',
             ['--exit-preempted', '75', '--done-file', done], 0, 'USR1', 0),
            ('the done file is missing',
             ['--exit-preempted', '75', '--done-file', missing], 0, 'USR1', 75),
            ('the done file has a pattern',
             ['--exit-preempted', '75', '--done-file', named], 0, 'USR1', 0),
            ('no notice', ['--exit-preempted', '75'], 0, None, 0),
            ('a signal that is no notice', ['--exit-preempted', '75'], 0, 'ALRM', 0),
            ('a notice that is not listed',
             ['--exit-preempted', '75', '--notice', 'TERM'], 0, 'USR1', 0),
            ('default: kept', [], 0, 'USR1', 0),
            ('exit-zero preempted: the status is kept', ['--exit-zero', 'preempted'], 0, 'USR1', 0),
        ]
        for index, (name, options, code, notice, status) in enumerate(rows):
            with self.subTest(name):
                log = f'trainer{index}'
                rules = ['end=0:0'] if notice is None else [f'{notice}=exit:{code}']
                wrapper = self.start(*options, '--', *self.trainer(*rules, log=log))
                if notice:
                    self.log(log).ready()
                    wrapper.signal(notice)
                self.assertEqual(wrapper.wait(), status)

    def test_death_by_the_notice_stays_128_and_n(self):
        wrapper, _ = self.start_ready(['--exit-preempted', '75', '--to', 'child'])
        wrapper.signal('USR1')
        self.assertEqual(wrapper.wait(), 138)

    def test_a_notice_that_comes_after_the_trainer_s_end(self):
        # Both wait for us while we are stopped: the end came first, so there was no notice.
        for code, outcome in ((0, 'finished'), (1, 'failed')):
            with self.subTest(code=code):
                journal, log = f'journal{code}', f'trainer{code}'
                wrapper = self.start(
                    '--exit-preempted', '85', '--journal', self.path(journal), '--',
                    *self.trainer(f'ALRM=exit:{code}', log=log))
                trainer = self.log(log).ready()
                wrapper.signal('STOP')
                until('the stop', lambda: state(wrapper.pid) == 'T')
                send(trainer, 'ALRM')
                until('the end of the trainer', lambda: not alive(trainer))
                wrapper.signal('TERM')
                wrapper.signal('CONT')
                self.assertEqual(wrapper.wait(), code)
                records = self.journal(journal)
                self.assertEqual([r['verdict'] for r in records if r['event'] == 'notice'],
                                 ['too-late'])
                self.assertEqual(records[-1]['outcome'], outcome)

    def test_outcomes_in_the_journal(self):
        rows = [
            # name, options, rules, notice, outcome
            ('finished', [], ['end=0:0'], None, 'finished'),
            ('failed', [], ['end=0:3'], None, 'failed'),
            ('exit 0 after a notice is done', [], ['USR1=exit:0'], 'USR1', 'finished'),
            ('exit-zero preempted',
             ['--exit-zero', 'preempted'], ['USR1=exit:0'], 'USR1', 'preempted'),
            ('implied by exit-preempted',
             ['--exit-preempted', '75'], ['USR1=exit:0'], 'USR1', 'preempted'),
            ('another code after a notice', [], ['USR1=exit:138'], 'USR1', 'preempted'),
        ]
        for index, (name, options, rules, notice, outcome) in enumerate(rows):
            with self.subTest(name):
                journal, log = f'journal{index}', f'trainer{index}'
                wrapper = self.start(*options, '--journal', self.path(journal), '--',
                                     *self.trainer(*rules, log=log))
                if notice:
                    self.log(log).ready()
                    wrapper.signal(notice)
                wrapper.wait()
                end = self.journal(journal)[-1]
                self.assertEqual((end['event'], end['outcome']), ('end', outcome))


if __name__ == '__main__':
    main()
