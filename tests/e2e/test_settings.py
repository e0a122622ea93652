"""Settings: five layers, strict where the user can see it, lenient where they cannot; and the
trainer's own words are never eaten."""
import os
import re
import subprocess

from wrapper import BINARY, WrapperTest, main

README = os.path.join(os.path.dirname(__file__), '../../README.md')
USER_FILE = 'home/.config/preempt-wrap/config.yaml'


class TrainersOwnOptions(WrapperTest):
    def test_never_eaten(self):
        words = ['--grace', '5s', '-k', '--', '-x', '--help', '--no-such', '', 'a b', '@f', '*']
        # Strange, but allowed: bytes that are no UTF-8, a line break, an equals sign.
        words += [os.fsdecode(b'\xff\xfe'), 'two\nlines', 'x=y', '--notice=KILL']
        rows = [
            ('without --', []),
            ('with --', ['--']),
            ('after the verb', ['run']),
            ('after the verb and --', ['run', '--']),
            ('after an option', ['-q']),
            ('after an option with a value', ['--grace', '5s']),
            ('after an option and --', ['--grace=5s', '--']),
            ('short option with its value in one word', ['-k5s']),
        ]
        printed = ''.join(f'<{word}>\n' for word in words)
        for name, before in rows:
            with self.subTest(name):
                wrapper = self.start(*before, 'printf', r'<%s>\n', *words, stdout=subprocess.PIPE)
                out = wrapper.read_out()
                self.assertEqual(wrapper.wait(), 0)
                self.assertEqual(out, os.fsencode(printed))

    def test_a_second_double_dash_is_the_commands(self):
        # sh takes the "--" and prints its "$1".
        script = 'echo "$#:$1"'
        for args in (['sh', '-c', script, '--', 'a'], ['--', 'sh', '-c', script, '--', 'a']):
            with self.subTest(args=args):
                self.assertEqual(self.call(*args).out, '1:a\n')
        self.assertEqual(self.call('--', 'echo', '--', 'a').out, '-- a\n')
        self.assertEqual(self.call('echo', '--', 'a').out, '-- a\n')
        self.assertEqual(self.call('echo', 'a', '--', 'b').out, 'a -- b\n')

    def test_a_verb_only_as_first_word(self):
        self.write('bin/config', '#!/bin/sh\necho the command "$@"\n', 0o755)
        self.write('bin/run', '#!/bin/sh\necho run as command "$@"\n', 0o755)
        env = self.environ(PATH=f'{self.path("bin")}:{os.environ["PATH"]}')
        rows = [
            (['--', 'config', 'x'], 'the command x\n'),
            (['-q', 'config'], 'the command\n'),
            (['run', 'config', 'y'], 'the command y\n'),
            ([self.path('bin/config')], 'the command\n'),
            (['run', 'run'], 'run as command\n'),
            (['-q', 'run', 'x'], 'run as command x\n'),
        ]
        for args, out in rows:
            with self.subTest(args=args):
                self.assertEqual(self.call(*args, env=env).out, out)

    def test_a_verb_in_the_wrong_place_is_explained(self):
        wrapper = self.call('-q', 'config', env=self.environ(PATH='/nowhere'))
        self.assertEqual(wrapper.status, 127)
        self.assertRegex(wrapper.err, 'first')

    def test_a_reserved_verb_runs_nothing(self):
        self.write('bin/report', '#!/bin/sh\necho ran\n', 0o755)
        env = self.environ(PATH=f'{self.path("bin")}:{os.environ["PATH"]}')
        wrapper = self.call('report', env=env)
        self.assertEqual((wrapper.status, wrapper.out), (125, ''))


class Layers(WrapperTest):
    """Which layer has won is seen in the exit status that --exit-preempted makes."""

    def status_of(self, *options, **env):
        log = f'trainer{len(os.listdir(self.dir))}'
        wrapper = self.start(*options, '--', *self.trainer('USR1=exit:0', log=log),
                             env=self.environ(**env))
        self.log(log).ready()
        wrapper.signal('USR1')
        return wrapper.wait()

    def test_precedence(self):
        self.write(USER_FILE, 'exit-preempted: 14\n')
        file = self.write('file.yaml', 'exit-preempted: 13\n')
        option, config = ['--exit-preempted', '11'], ['--config', file]
        env = {'PREEMPT_WRAP_EXIT_PREEMPTED': '12'}
        self.assertEqual(self.status_of(*option, *config, **env), 11)
        self.assertEqual(self.status_of(*config, *option, **env), 11)
        self.assertEqual(self.status_of(*config, **env), 12)
        self.assertEqual(self.status_of(*config), 13)
        self.assertEqual(self.status_of(), 14)
        os.remove(self.path(USER_FILE))
        self.assertEqual(self.status_of(), 0)

    def test_exit_zero_counts_only_beside_its_exit_preempted(self):
        # Who asks for 85 on the command line knows more than a weaker file that says "done".
        self.assertEqual(self.status_of('--exit-preempted', '85', '--exit-zero', 'done'), 0)
        self.write(USER_FILE, 'exit-zero: done\n')
        self.assertEqual(self.status_of('--exit-preempted', '85'), 85)

    def test_config_can_be_read_back_with_an_exit_status(self):
        file = self.write('again.yaml', self.call('config', '--exit-preempted', '85').out)
        self.assertEqual(self.status_of('--config', file), 85)

    def test_layers_meet_option_by_option(self):
        self.write(USER_FILE, 'grace: 7m\nto: tree\n')
        file = self.write('file.yaml', 'grace: 8m\nlead: none\nmargin: 3s\n')
        shown = self.config('--config', file, '--margin', '4s', PREEMPT_WRAP_STRAGGLERS='9s')
        rows = {
            'grace': ('8m', 'file.yaml'), 'to': ('tree', 'config.yaml'),
            'lead': ('none', 'file.yaml'), 'margin': ('4s', 'command line'),
            'stragglers': ('9s', 'PREEMPT_WRAP_STRAGGLERS|environment'),
            'notice': ('USR1,USR2,TERM,INT', 'default'),
        }
        for name, (value, origin) in rows.items():
            with self.subTest(name):
                self.assertEqual(shown[name][0], value)
                self.assertRegex(shown[name][1], origin)

    def config(self, *options, **env):
        """{name: (value, origin)} as `preempt-wrap config` prints it."""
        wrapper = self.call('config', *options, env=self.environ(**env))
        self.assertEqual(wrapper.status, 0, wrapper.err)
        line = re.compile(r'(?:# )?([a-z-]+): "?(.*?)"?\s+# (.*)')
        return {m[1]: (m[2], m[3]) for m in map(line.fullmatch, wrapper.out.splitlines()) if m}

    def test_plain_types_of_yaml_and_the_environment(self):
        file = self.write('file.yaml', 'quiet: true\ngrace: 300\nnotice: [USR1, TERM]\n')
        self.assertEqual(self.call('--config', file, 'true').err, '')
        shown = self.config('--config', file)
        self.assertEqual(shown['notice'][0], 'USR1,TERM')
        for value, silent in (('1', True), ('true', True), ('0', False), ('false', False)):
            with self.subTest(value):
                wrapper = self.call('true', env=self.environ(PREEMPT_WRAP_QUIET=value))
                self.assertEqual(wrapper.err == '', silent)

    def test_a_value_that_is_ignored_displaces_nothing(self):
        self.write(USER_FILE, 'ladder: relay@5m,KILL\n')
        shown = self.config(PREEMPT_WRAP_GRACE='banana')
        self.assertEqual(shown['ladder'][0], 'relay@5m,KILL')
        self.assertRegex(shown['ladder'][1], 'config.yaml')
        self.assertEqual(shown['grace'][1], 'default')

    def test_quiet_and_log_level_are_one_question(self):
        self.write(USER_FILE, 'quiet: true\n')
        wrapper, _ = self.start_ready(['--log-level', 'debug'], 'ALRM=exit:0')
        wrapper.signal('ALRM')
        self.assertEqual(wrapper.wait(), 0)
        self.assertIn('start', wrapper.err)
        self.assertIn('ALRM', wrapper.err)
        for text, value in (('true', 'true'), ('True', 'true'), ('false', 'false')):
            with self.subTest(text):
                self.write(USER_FILE, f'quiet: {text}\n')
                self.assertEqual(self.config()['quiet'][0].lower(), value)
                self.assertEqual(self.call('true').err == '', value == 'true')

    def test_off_takes_back_what_a_weaker_layer_sets(self):
        for cancel in (False, True):
            def options(name):
                return [f'--{name}', 'off'] if cancel else []
            with self.subTest('journal', cancel=cancel):
                self.write(USER_FILE, f'journal: {self.path("journal")}\n')
                self.call(*options('journal'), 'true', cwd=self.home)
                self.assertEqual(os.path.exists(self.path('journal')), not cancel)
                self.assertFalse(os.path.exists(self.path('home/off')))
            with self.subTest('on-exit', cancel=cancel):
                self.write(USER_FILE, f'on-exit: touch {self.path("touched")}\n')
                wrapper = self.call(*options('on-exit'), 'true')
                self.assertEqual(os.path.exists(self.path('touched')), not cancel)
                self.assertNotIn('warning', wrapper.err)
            with self.subTest('map-signal', cancel=cancel):
                self.write(USER_FILE, 'map-signal: USR1:USR2\n')
                log = f'mapped{cancel}'
                wrapper = self.start(*options('map-signal'), '--',
                                     *self.trainer('USR1=exit:1', 'USR2=exit:2', log=log))
                self.log(log).ready()
                wrapper.signal('USR1')
                self.assertEqual(wrapper.wait(), 1 if cancel else 2)
            for name in filter(os.path.exists, map(self.path, ('journal', 'touched'))):
                os.remove(name)

    def test_config_can_be_read_back(self):
        out = self.call('config', '--grace', '7m', '--to', 'tree').out
        file = self.write('again.yaml', out)
        again = self.config('--config', file)
        self.assertEqual((again['grace'][0], again['to'][0]), ('7m', 'tree'))

    def test_config_refuses_what_run_refuses(self):
        wrapper = self.call('config', '--grace=-5s')
        self.assertEqual(wrapper.status, 125)
        self.assertIn('-5s', wrapper.err)

    def test_paths_and_hooks_do_not_come_from_the_environment(self):
        touched = self.path('touched')
        wrapper = self.call('true', env=self.environ(
            PREEMPT_WRAP_JOURNAL=self.path('journal'), PREEMPT_WRAP_ON_EXIT=f'touch {touched}',
            PREEMPT_WRAP_CONFIG='/no/such/file'))
        self.assertEqual(wrapper.status, 0)
        self.assertFalse(os.path.exists(self.path('journal')))
        self.assertFalse(os.path.exists(touched))

    def test_values_that_are_durations(self):
        rows = ['250ms', '30s', '1.5s', '5m', '1h30m', '45', '0']
        for value in rows:
            with self.subTest(value):
                self.assertEqual(self.call('--grace', value, 'true').status, 0)

    def test_values_that_are_signals(self):
        for value in ['USR1', 'SIGUSR1', '10', 'usr1', 'RTMIN', 'RTMIN+3', 'SIGRTMIN+3', 'none',
                      'USR1,TERM,RTMIN+30']:
            with self.subTest(value):
                self.assertEqual(self.call('--notice', value, 'true').status, 0)


class Lenient(WrapperTest):
    """Trouble in the user's file or the environment: one warning, and the training runs."""

    def runs_with_one_warning(self, said=(), **env):
        wrapper = self.call('sh', '-c', 'exit 7', env=self.environ(**env))
        self.assertEqual(wrapper.status, 7, wrapper.err)
        warnings = [line for line in wrapper.err.splitlines() if 'warning' in line]
        self.assertEqual(len(warnings), 1, wrapper.err)
        for text in said:
            self.assertRegex(warnings[0], text)

    def test_environment(self):
        rows = [
            ('PREEMPT_WRAP_GRACE', 'soon'), ('PREEMPT_WRAP_NOTICE', 'BOGUS'),
            ('PREEMPT_WRAP_GRASE', '5s'), ('PREEMPT_WRAP_ROOT', '/opt/preempt-wrap'),
            ('PREEMPT_WRAP_EXIT_PREEMPTED', '999')]
        for name, value in rows:
            with self.subTest(f'{name}={value}'):
                self.runs_with_one_warning([name], **{name: value})

    def test_user_file(self):
        rows = [
            ('unknown key', 'notise: USR1\n', ['config.yaml:1:1', 'notise']),
            ('bad value', 'grace: -5s\n', ['config.yaml:1:8', '-5s']),
            ('duplicate key', 'grace: 5s\ngrace: 6s\n', ['config.yaml:2:1', 'grace']),
            ('broken', 'grace: [\n', ['config.yaml']),
            ('binary', b'\x00\xff\xfe\x80\n', ['config.yaml']),
            ('a list', '- a\n', ['config.yaml']),
            ('a deep hole', '[' * 20000, ['config.yaml']),
            ('aliases that grow', 'a: &a [x,x,x,x,x,x,x,x,x,x]\n' + ''.join(
                f'{c}: &{c} [{",".join(["*" + p] * 10)}]\n' for p, c in zip('abcdefgh', 'bcdefghi')
            ) + 'grace: *i\n', None),
        ]
        for name, text, said in rows:
            with self.subTest(name):
                self.write(USER_FILE, text)
                if said is None:  # several warnings are in order
                    self.assertEqual(self.call('sh', '-c', 'exit 7').status, 7)
                else:
                    self.runs_with_one_warning(said)

    def test_a_bad_line_does_not_cost_the_good_ones(self):
        self.write(USER_FILE, 'grace: soon\nexit-preempted: 41\n')
        wrapper, _ = self.start_ready([], 'USR1=exit:0')
        wrapper.signal('USR1')
        self.assertEqual(wrapper.wait(), 41)

    def test_empty_files_are_fine(self):
        for text in ['', '# nothing\n', '---\n', 'grace: 5m\r\n', '\ufeffgrace: 5m\n']:
            with self.subTest(text=text):
                self.write(USER_FILE, text)
                wrapper = self.call('true')
                self.assertEqual(wrapper.status, 0)
                self.assertNotIn('warning', wrapper.err)

    def test_user_file_that_is_no_file(self):
        folder = os.path.dirname(self.path(USER_FILE))
        os.makedirs(folder)
        os.mkfifo(self.path(USER_FILE))
        with self.subTest('a FIFO that nobody writes'):
            self.runs_with_one_warning()
        os.remove(self.path(USER_FILE))
        os.mkdir(self.path(USER_FILE))
        with self.subTest('a folder'):
            self.runs_with_one_warning()

    def test_user_file_that_others_can_write_does_not_count_for_root(self):
        self.need_root()
        touched = self.path('touched')
        self.write(USER_FILE, f'on-exit: touch {touched}\n', 0o666)
        self.runs_with_one_warning(['config.yaml'])
        self.assertFalse(os.path.exists(touched))

    def test_no_home(self):
        for home in (None, '', '/no/such/home'):
            with self.subTest(home=home):
                wrapper = self.call('true', env=self.environ(HOME=home))
                self.assertEqual(wrapper.status, 0)
                self.assertNotIn('warning', wrapper.err)


class Environment(WrapperTest):
    def test_settings_are_not_passed_on(self):
        env = self.environ(PREEMPT_WRAP_GRACE='5m', PREEMPT_WRAP_EXIT_PREEMPTED='75',
                           PREEMPT_WRAP_TO='tree')
        self.assertNotIn('PREEMPT_WRAP_', self.call('env', env=env).out)

    def test_a_nested_wrapper_does_not_inherit(self):
        inner = [BINARY, '--', *self.trainer('USR1=exit:0')]
        wrapper = self.start('--', *inner, env=self.environ(PREEMPT_WRAP_EXIT_PREEMPTED='75'))
        self.log().ready()
        wrapper.signal('USR1')
        # The inner one exits 0, the outer makes 75 of it; 75 from the inner would look the same,
        # so the inner's own word is asked for.
        self.assertEqual(wrapper.wait(), 75)
        inner = self.call('--', BINARY, 'config',
                          env=self.environ(PREEMPT_WRAP_EXIT_PREEMPTED='75'))
        self.assertNotIn('75', inner.out)

    def test_bypass_executes_the_command_at_once(self):
        env = self.environ(PREEMPT_WRAP_BYPASS='1')
        wrapper = self.start('--grace', '5s', '--', *self.trainer('USR1=exit:5'), env=env)
        self.assertEqual(self.log().ready(), wrapper.pid)
        wrapper.signal('USR1')
        self.assertEqual(wrapper.wait(), 5)
        self.assertEqual(self.call('no-such-command-anywhere', env=env).status, 127)
        self.assertEqual(wrapper.err, '')

    def test_no_bypass(self):
        for value in ('', '0'):
            with self.subTest(value=value):
                log = f'trainer-{value}'
                wrapper = self.start('--', *self.trainer('USR1=exit:5', log=log),
                                     env=self.environ(PREEMPT_WRAP_BYPASS=value))
                self.assertNotEqual(self.log(log).ready(), wrapper.pid)
                wrapper.signal('USR1')
                self.assertEqual(wrapper.wait(), 5)


class Help(WrapperTest):
    def test_help_is_one_screen(self):
        for option in ('--help', '-h'):
            wrapper = self.call(option)
            self.assertEqual((wrapper.status, wrapper.err), (0, ''))
            lines = wrapper.out.splitlines()
            # Counted as an 80-column terminal shows them.
            self.assertLessEqual(sum(1 + max(0, len(line) - 1) // 80 for line in lines), 40)
            for word in ('usage', '--grace', '--notice', '--help-all', '125', '127'):
                self.assertIn(word, wrapper.out)

    def test_help_all_names_every_option(self):
        out = self.call('--help-all').out
        for option in ('--notice --map-signal --to --grace --ladder --lead --margin --stragglers '
                       '--if-wrapper-dies --exit-preempted --exit-zero --done-file --on-notice '
                       '--on-exit --pid-file --notice-file --journal --log-level --quiet --profile '
                       '--config').split():
            with self.subTest(option):
                self.assertRegex(out, rf'{option}\b')

    def test_the_table_in_the_readme_is_that_of_config(self):
        with open(README, encoding='utf-8') as file:
            row = re.compile(r'\| (?:`-\w`, )?`--([a-z-]+).*?` \| `?(.*?)`? \| ')
            table = file.read().partition('<!-- options')[2].partition('\nDurations')[0]
        told = {m[1]: m[2] for m in map(row.match, table.splitlines()) if m}
        for here_only in ('config', 'dry-run'):
            told.pop(here_only)
        line = re.compile(r'([a-z-]+): "?(.*?)"?\s+# default')
        shown = {m[1]: m[2] for m in map(line.fullmatch, self.call('config').out.splitlines())}
        self.assertEqual(told, {name: value.replace('false', 'off')
                                for name, value in shown.items()})

    def test_help_after_the_command_is_the_commands(self):
        self.assertEqual(self.call('echo', '--help', '-V').out, '--help -V\n')

    def test_version(self):
        wrapper = self.call('--version')
        self.assertEqual(wrapper.status, 0)
        self.assertRegex(wrapper.out, r'^preempt-wrap \d+\.\d+')

    def test_quiet(self):
        self.assertEqual(self.call('-q', 'true').err, '')
        self.assertIn('start', self.call('true').err)


if __name__ == '__main__':
    main()
