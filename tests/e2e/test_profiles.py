"""Launcher profiles: chosen by name or by the command, weaker than everything said outright. The
launchers are probe_trainers of that name; what a profile does to the real one is tested there."""
import os
import re
import shutil

from wrapper import WrapperTest, main, probe

USER_FILE = 'home/.config/preempt-wrap/config.yaml'


class Profiles(WrapperTest):
    def launcher(self, name, *rules, log='trainer'):
        """A probe_trainer that is called as a launcher is."""
        path = self.path('bin/' + name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        shutil.copy(probe('trainer'), path)
        return [path, *self.trainer(*rules, log=log)[1:]]

    def saved(self, *options, name='torchrun', log='trainer', **env):
        """The wrapper, after a launcher of that name has exited 0 upon a notice."""
        command = self.launcher(name, 'USR1=exit:0', 'TERM=exit:0', log=log)
        wrapper = self.start(*options, '--', *command, env=self.environ(**env))
        self.log(log).ready()
        wrapper.signal('USR1')
        wrapper.wait()
        return wrapper

    def config(self, *words, **how):
        """{name: (value, origin)} as `preempt-wrap config` prints it."""
        wrapper = self.call('config', *words, **how)
        self.assertEqual(wrapper.status, 0, wrapper.err)
        line = re.compile(r'([a-z-]+): "(.*?)"  # (.*)')
        return {m[1]: (m[2], m[3]) for m in map(line.fullmatch, wrapper.out.splitlines()) if m}

    def test_recognised_by_default_and_said_in_the_start_line(self):
        wrapper = self.saved()
        self.assertEqual(wrapper.status, 85)
        self.assertRegex(wrapper.err, r'start: .*; profile torchrun: exit-preempted 85')

    def test_the_journal_names_it(self):
        self.saved('--journal', self.path('journal'))
        self.assertEqual(self.journal()[0]['profile'], 'torchrun')

    def test_none_of_it_where_no_launcher_is(self):
        wrapper = self.saved('--journal', self.path('journal'), name='trainer')
        self.assertEqual(wrapper.status, 0)
        self.assertNotIn('profile', wrapper.err)
        self.assertNotIn('profile', self.journal()[0])

    def test_none_switches_recognition_off(self):
        wrapper = self.saved('--profile', 'none')
        self.assertEqual(wrapper.status, 0)
        self.assertNotIn('profile', wrapper.err)

    def test_chosen_by_name(self):
        wrapper = self.saved('--profile', 'lightning', name='trainer')
        self.assertEqual(wrapper.status, 85)
        self.assertRegex(wrapper.err, 'profile lightning: exit-preempted 85; Lightning')

    def test_the_origin_is_shown(self):
        shown = self.config('--', 'torchrun', 't.py')
        self.assertEqual(shown['profile'], ('torchrun', 'recognised from the command'))
        self.assertEqual(shown['exit-preempted'], ('85', 'profile torchrun'))
        shown = self.config('--', 'python', 't.py')
        self.assertEqual(shown['profile'], ('auto', 'default'))
        self.assertEqual(shown['exit-preempted'], ('off', 'default'))
        shown = self.config('--profile', 'lightning')
        self.assertEqual(shown['profile'], ('lightning', 'command line'))
        self.assertEqual(shown['exit-preempted'][1], 'profile lightning')

    def test_weaker_than_every_layer(self):
        self.assertEqual(self.saved('--exit-preempted', '7', log='a').status, 7)
        self.assertEqual(self.saved(log='b', PREEMPT_WRAP_EXIT_PREEMPTED='8').status, 8)
        self.write(USER_FILE, 'exit-preempted: 9\n')
        self.assertEqual(self.saved(log='c').status, 9)
        self.write(USER_FILE, 'exit-preempted: off\n')
        wrapper = self.saved(log='d')
        self.assertEqual(wrapper.status, 0)
        # What it does not change any more is not said.
        self.assertRegex(wrapper.err, r'profile torchrun; ')

    def test_a_file_changes_a_profile_and_makes_its_own(self):
        self.write(USER_FILE, 'profiles:\n  torchrun:\n    exit-preempted: 41\n'
                              '  ours:\n    exit-preempted: 42\n    says: ask Eva\n'
                              '    map-signal: {USR1: TERM}\n')
        self.assertEqual(self.saved(log='a').status, 41)
        wrapper = self.saved('--profile', 'ours', name='trainer', log='b')
        self.assertEqual(wrapper.status, 42)
        self.assertRegex(wrapper.err,
                         'profile ours: exit-preempted 42, map-signal USR1:TERM; ask Eva')
        self.assertEqual(self.log('b').order(), ['TERM'])
        shown = self.config('torchrun')
        self.assertRegex(shown['exit-preempted'][1], r'config.yaml:3:21 \(profile torchrun\)')
        # The nearer to the run, the stronger.
        file = self.write('file.yaml', 'profiles: {torchrun: {exit-preempted: 43}}')
        self.assertEqual(self.saved('--config', file, log='c').status, 43)

    def test_a_file_adds_to_a_profile(self):
        self.write(USER_FILE, 'profiles: {torchrun: {grace: 7m}}\n')
        shown = self.config('torchrun')
        self.assertEqual((shown['grace'][0], shown['exit-preempted'][0]), ('7m', '85'))

    def test_an_unknown_name(self):
        wrapper = self.call('--profile', 'torchrum', 'true')
        self.assertEqual((wrapper.status, wrapper.out), (125, ''))
        self.assertRegex(wrapper.err, 'command line: profile: .*did you mean "torchrun"')
        # Where the user does not look it is a warning, and the weaker layer's counts.
        self.write(USER_FILE, 'profile: lightning\n')
        wrapper = self.call('config', env=self.environ(PREEMPT_WRAP_PROFILE='torchrum'))
        self.assertRegex(wrapper.err, 'warning: PREEMPT_WRAP_PROFILE: profile: .*torchrum')
        self.assertRegex(wrapper.out, 'profile: "lightning"')

    def test_mistakes_in_a_profile(self):
        text = 'profiles:\n  spare: {grace: -5s}\n  torchrun: {exit-preempted: x}\n'
        file = self.write('file.yaml', text)
        wrapper = self.call('--config', file, 'true')
        self.assertEqual(wrapper.status, 125)
        self.assertRegex(wrapper.err, r'file.yaml:2:18 \(profile spare\): grace: .*-5s')
        self.assertRegex(wrapper.err, r'file.yaml:3:30 \(profile torchrun\): exit-preempted: .*x')
        self.write(USER_FILE, text)
        wrapper = self.saved()
        self.assertEqual(wrapper.status, 85)
        self.assertEqual(len(re.findall('warning', wrapper.err)), 2)

    def test_config_can_be_read_back(self):
        file = self.write('again.yaml', self.call('config', 'torchrun').out)
        self.assertEqual(self.config('--config', file, 'true')['exit-preempted'][0], '85')


if __name__ == '__main__':
    main()
