"""--to handlers, the default: who gets a notice, and how it waits for a handler. Real launchers are
in tests/launchers; here are shells and probes."""
import os
import signal
import sys

from processes import children, state, until
from wrapper import WrapperTest, main, probe

# A Python that has no handler until its file `go` exists, as one that still imports its libraries.
SLOW = '''
import os, signal, sys, time
folder, name = sys.argv[1:3]
open(folder + "/" + name + ".here", "w").close()
while not os.path.exists(folder + "/" + name + ".go"): time.sleep(0.005)
def on_notice(number, frame):
    print(name, number, flush=True)
    sys.exit(128 + number)
signal.signal(getattr(signal, sys.argv[3]), on_notice)
open(folder + "/" + name + ".up", "w").close()
while True: time.sleep(0.05)
'''


class Handlers(WrapperTest):
    def setUp(self):
        super().setUp()
        self.slow = self.write('slow.py', SLOW)

    def slow_trainer(self, name='t', sig='SIGUSR1'):
        return [sys.executable, self.slow, self.dir, name, sig]

    def here(self, name='t'):
        until(f'the start of {name}', lambda: os.path.exists(self.path(name + '.here')))

    def go(self, name='t'):
        self.write(name + '.go', '')

    def up(self, name='t'):
        """Lets it install its handler, and waits for that."""
        self.go(name)
        until(f'the handler of {name}', lambda: os.path.exists(self.path(name + '.up')))

    def says(self, wrapper, text):
        until(text, lambda: text in wrapper.err)

    def start_slow(self, *options, **how):
        wrapper = self.start('--journal', self.path('journal'), *options, '--',
                             *self.slow_trainer(**how))
        self.here()
        return wrapper


class Hold(Handlers):
    def test_a_notice_waits_for_the_handler(self):
        wrapper = self.start_slow()
        wrapper.signal('USR1')
        self.says(wrapper, 'USR1 held: python3')
        self.go()
        self.assertEqual(wrapper.wait(), 138)
        self.assertEqual(wrapper.out, 't 10\n')
        self.assertIn('able after', wrapper.err)
        events = {e['event']: e for e in self.journal()}
        self.assertEqual(events['held']['signal'], 'USR1')
        self.assertGreater(events['sent']['held_ms'], 0)
        self.assertEqual(events['sent']['chosen'], 'able')

    def test_the_default_hold_is_20_s_and_a_quarter_of_the_grace_at_most(self):
        for options, limit in (([], 15000), (['-k', '5m'], 20000), (['-k', '10s'], 2500)):
            with self.subTest(options=options):
                for name in ('journal', 't.here', 't.go'):
                    if os.path.exists(self.path(name)):
                        os.remove(self.path(name))
                wrapper = self.start_slow(*options)
                wrapper.signal('USR1')
                self.says(wrapper, 'held')
                self.go()
                wrapper.wait()
                held = [e for e in self.journal() if e['event'] == 'held']
                self.assertAlmostEqual(held[0]['at_most_ms'], limit, delta=5)

    def test_what_follows_where_no_handler_comes(self):
        rows = [
            ('the default is TERM', [], 'SIGUSR2', 143, ''),
            ('TERM to who handles it', [], 'SIGTERM', 143, 't 15\n'),
            ('the notice all the same', ['--no-handler', 'send'], 'SIGUSR2', 138, ''),
        ]
        for name, options, handles, status, out in rows:
            with self.subTest(name):
                for left in ('t.here', 't.go', 't.up'):
                    if os.path.exists(self.path(left)):
                        os.remove(self.path(left))
                wrapper = self.start_slow('--hold', '300ms', *options, sig=handles)
                self.up()
                wrapper.signal('USR1')
                self.assertEqual(wrapper.wait(), status)
                self.assertEqual(wrapper.out, out)

    def test_skip_tells_nobody_and_ends_nobody(self):
        wrapper = self.start_slow('--hold', '100ms', '--no-handler', 'skip', '-k', '1s')
        wrapper.signal('USR1')
        self.says(wrapper, 'nobody was told')
        self.up()
        wrapper.signal('USR1')  # a new notice, now that it can be taken
        self.assertEqual(wrapper.wait(), 138)
        self.assertEqual(wrapper.out, 't 10\n')

    def test_term_ends_the_hold(self):
        wrapper = self.start_slow('--hold', '60s', '-k', '5m', sig='SIGTERM')
        self.up()
        wrapper.signal('USR1')
        self.says(wrapper, 'held')
        wrapper.signal('TERM')
        self.assertEqual(wrapper.wait(), 143)
        self.assertEqual(wrapper.out, 't 15\n')

    def test_each_rank_once_when_it_is_able(self):
        names = ['a', 'b', 'c']
        script = ' '.join(f'"$@" {n} SIGUSR1 &' for n in names) + ' wait; wait; wait; wait'
        wrapper = self.start('--journal', self.path('journal'), '-k', '5m', '--', 'bash', '-c',
                             script, 'job', sys.executable, self.slow, self.dir)
        for name in names:
            self.here(name)
        self.go('b')
        wrapper.signal('USR1')
        self.says(wrapper, 'held')
        self.go('c')
        until('two of three', lambda: 'c 10' in wrapper.out)
        self.go('a')
        wrapper.wait()
        self.assertEqual(sorted(wrapper.out.split('\n')), ['', 'a 10', 'b 10', 'c 10'])
        sent = [e for e in self.journal() if e['event'] == 'sent' and e['why'] == 'notice']
        self.assertEqual(len(sent), 3)
        held = [e['held_ms'] for e in sent]
        self.assertEqual(held, sorted(held))


class Frontier(Handlers):
    def test_past_shells_and_small_tools(self):
        for prefix in (['bash', '-c', '"$@"; exit $?', 'job'], ['env'], ['nice'],
                       ['timeout', '60'], ['setsid', '-w'], ['sh', '-c', '"$@"; exit $?', 'job']):
            with self.subTest(prefix[0]):
                log = f'trainer.{prefix[0]}'
                wrapper = self.start('--', *prefix, *self.trainer('USR1=save:1:7', log=log))
                self.log(log).ready()
                wrapper.signal('USR1')
                wrapper.wait()
                self.assertEqual(len(self.log(log).got('USR1')), 1)
                self.assertEqual(len(self.log(log).of('saved')), 1)
                self.assert_nothing_left()

    def test_transparent_names_more_programs(self):
        # It handles the notice for itself, so without a word of the user's it is the target.
        launcher = self.write(
            'my-launcher', '#!/bin/bash\ntrap "echo mine" USR1\n"$@" &\nwait; wait; wait\n', 0o755)
        for options, trap, inner in (([], 1, 0), (['--transparent', 'my-launcher'], 0, 1)):
            with self.subTest(options=options):
                log = f'inner{inner}'
                wrapper = self.start(*options, '--', launcher, *self.trainer('USR1=log', log=log))
                self.log(log).ready()
                wrapper.signal('USR1')
                until('either', lambda: wrapper.out or self.log(log).got('USR1'))
                self.assertEqual(wrapper.out.count('mine'), trap)
                self.assertEqual(len(self.log(log).got('USR1')), inner)
                self._kill_left()
                wrapper.wait()

    def test_a_shell_s_own_trap_when_nobody_else_comes(self):
        script = 'trap "echo trapped; exit 5" USR1; touch "$0"; while :; do sleep 0.05; done'
        wrapper = self.start('--hold', '200ms', '--', 'bash', '-c', script, self.path('up'))
        until('the script', lambda: os.path.exists(self.path('up')))
        wrapper.signal('USR1')
        self.assertEqual(wrapper.wait(), 5)
        self.assertEqual(wrapper.out, 'trapped\n')

    def test_a_stopped_target_is_continued(self):
        wrapper, log = self.start_ready([], 'USR1=save:1:4')
        trainer = log.ready()
        os.kill(trainer, signal.SIGSTOP)
        until('its stop', lambda: state(trainer) == 'T')
        wrapper.signal('USR1')
        self.assertEqual(wrapper.wait(), 4)

    def test_a_tree_that_forks_and_exits_wildly(self):
        # For 30 s looks fall on a tree that is never the same; nobody but the trainer is signalled,
        # and it only when it has its handler.
        wrapper = self.start('--hold', '60s', '-k', '10m', '--', probe('wild'), '30')
        until('its first child', lambda: any(children(pid) for pid in children(wrapper.pid)))
        wrapper.signal('USR1')
        self.assertEqual(wrapper.wait(60), 138)
        self.assertIn('able after', wrapper.err)


class Newcomers(Handlers):
    def test_who_starts_after_the_notice_gets_the_last_word(self):
        script = '"$0" "$1/a.log" 10=exit:138; "$0" "$1/b.log" 10=log 15=save:10:143'
        wrapper = self.start('-k', '4s', '--', 'bash', '-c', script + '; exit $?',
                             probe('trainer'), self.dir)
        self.log('a').ready()
        wrapper.signal('USR1')
        self.log('b').ready()
        self.assertEqual(wrapper.wait(), 143)
        self.assertEqual(self.log('b').order(), ['TERM'])
        self.assertEqual(len(self.log('b').of('saved')), 1)

    def test_words_that_look_like_an_agent_s_make_none(self):
        wrapper = self.start('--', *self.slow_trainer(), '--logger', 'wandb', 'agent')
        self.here()
        self.go()
        wrapper.signal('USR1')
        self.assertEqual(wrapper.wait(), 138)
        self.assertEqual(wrapper.out, 't 10\n')


class NamedTarget(Handlers):
    """--target-pid-file: the PID that the trainer wrote there."""
    def setUp(self):
        super().setUp()
        self.file = self.path('t.pid')

    def start_two(self):
        script = ('"$1" "$0/a.log" 10=log 12=exit:0 & "$1" "$0/b.log" 10=log 12=exit:0 & '
                  'wait; wait; wait')
        wrapper = self.start('--target-pid-file', self.file, '--to', 'handlers', '--hold', '20s',
                             '-k', '5m', '--', 'bash', '-c', script, self.dir, probe('trainer'))
        return wrapper, [self.log(name).ready() for name in 'ab']

    def only_b_got_it(self):
        self.log('b').wait_for('USR1')
        self.assertEqual(self.log('a').got('USR1'), [])
        self._kill_left()

    def test_the_named_one_alone_gets_it(self):
        wrapper, pids = self.start_two()
        self.write('t.pid', f'{pids[1]}\n')
        wrapper.signal('USR1')
        self.only_b_got_it()
        wrapper.wait()

    def test_the_notice_waits_for_the_file(self):
        wrapper, pids = self.start_two()
        wrapper.signal('USR1')
        self.says(wrapper, 'USR1 held')
        self.write('t.pid', f'{pids[1]}\n')
        self.only_b_got_it()
        wrapper.wait()

    def test_who_is_not_of_the_tree_is_refused(self):
        stranger = self.start(self.path('stranger.log'), '10=log', binary=probe('trainer'))
        self.log('stranger').ready()
        self.write('t.pid', f'{stranger.pid}\n')
        wrapper = self.start('--target-pid-file', self.file, '--hold', '300ms', '--',
                             *self.trainer('USR1=exit:7'))
        self.log().ready()
        wrapper.signal('USR1')
        self.assertEqual(wrapper.wait(), 7)
        self.assertIn("is not of the trainer's tree", wrapper.err)
        self.assertEqual(self.log('stranger').got('USR1'), [])

    def test_never_written_a_trainer_that_waits_for_the_signal_gets_it(self):
        # It blocks the signal and has no handler: two looks tell that from a moment.
        waits = ('import os, signal, sys\n'
                 'signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])\n'
                 'open(sys.argv[1], "w").close()\n'
                 'sys.exit(128 + signal.sigwait([signal.SIGUSR1]))\n')
        wrapper = self.start('--target-pid-file', self.file, '--hold', '300ms', '--',
                             sys.executable, '-c', waits, self.path('up'))
        until('the trainer', lambda: os.path.exists(self.path('up')))
        wrapper.signal('USR1')
        self.assertEqual(wrapper.wait(), 138)

    def test_text_in_the_file_signals_nobody_wrong(self):
        self.write('t.pid', '-1\n')
        wrapper = self.start('--target-pid-file', self.file, '--hold', '300ms', '--',
                             *self.trainer('USR1=exit:7'))
        self.log().ready()
        wrapper.signal('USR1')
        self.assertEqual(wrapper.wait(), 7)
        self.assertIn('warning', wrapper.err)


if __name__ == '__main__':
    main()
