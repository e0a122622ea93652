"""On a real terminal everything is as without us: Ctrl-C, Ctrl-Z, fg, pipelines, &."""
import os

from processes import alive, children, number, send, state, stat, until
from terminal import CTRL_BACKSLASH, CTRL_C, CTRL_Z, Terminal
from wrapper import BINARY, WrapperTest, main, probe

SI_KERNEL = 128
PROMPT = 'ready> '


class TerminalTest(WrapperTest):
    def open(self, *command):
        """A program in a terminal. The shells in it find the wrapper as $W, a trainer as $T, and
        the test's folder as $D."""
        env = self.environ(W=BINARY, T=probe('trainer'), D=self.dir, PS1=PROMPT, TERM='dumb',
                           PATH=os.environ['PATH'])
        terminal = Terminal(command, env)
        self.addCleanup(terminal.close)
        return terminal

    def shell(self):
        """An interactive bash at its prompt."""
        terminal = self.open('bash', '--norc', '--noprofile', '--noediting', '-i')
        terminal.expect(PROMPT)
        return terminal

    def script(self, text, shell='bash'):
        return self.open(shell, self.write('script', text))

    def wrapper_of(self, trainer):
        return stat(trainer)[1]


class Interactive(TerminalTest):
    def test_ctrl_c_is_seen_once_by_the_trainer(self):
        terminal = self.shell()
        terminal.type('$W -- $T $D/trainer.log 2=log 14=exit:9\n')
        trainer = self.log().ready()
        terminal.type(CTRL_C)
        got = self.log().wait_for('INT')
        # A signal to the wrapper comes through: the Ctrl-C has been dealt with by then.
        send(self.wrapper_of(trainer), 'ALRM')
        terminal.expect(PROMPT)
        self.assertEqual([e.code for e in got], [SI_KERNEL])
        self.assertEqual(self.log().order(), ['INT', 'ALRM'])

    def test_a_trainer_that_dies_of_ctrl_c(self):
        terminal = self.shell()
        terminal.type('$W -- $T $D/trainer.log\n')
        self.log().ready()
        terminal.type(CTRL_C)
        terminal.expect(PROMPT)
        terminal.type('echo status=$?\n')
        terminal.expect('status=130')

    def test_a_trainer_that_dies_of_ctrl_backslash(self):
        terminal = self.shell()
        terminal.type('ulimit -c 0; $W -- $T $D/trainer.log\n')
        self.log().ready()
        terminal.type(CTRL_BACKSLASH)
        terminal.expect(PROMPT)
        terminal.type('echo status=$?\n')
        terminal.expect('status=131')

    def test_ctrl_c_outside_an_episode_starts_no_clock(self):
        terminal = self.shell()
        terminal.type('$W --grace 100ms -- $T $D/trainer.log 2=save:900:5; echo status=$?\n')
        self.log().ready()
        terminal.type(CTRL_C)
        terminal.expect('status=5')
        self.assertEqual(len(self.log().of('saved')), 1)

    def test_a_loop_of_three_stops_at_ctrl_c(self):
        terminal = self.shell()
        terminal.type('for i in 1 2 3; do $W -- $T $D/trainer$i.log; done\n')
        self.log('trainer1').ready()
        terminal.type(CTRL_C)
        terminal.expect(PROMPT)
        self.assertFalse(os.path.exists(self.path('trainer2.log')))

    def test_ctrl_z_and_fg(self):
        terminal = self.shell()
        terminal.type('$W -- $T $D/trainer.log 2=exit:7\n')
        trainer = self.log().ready()
        wrapper = self.wrapper_of(trainer)
        for _ in range(2):
            terminal.type(CTRL_Z)
            terminal.expect('Stopped')
            terminal.expect(PROMPT)
            until('both to stop', lambda: state(trainer) == state(wrapper) == 'T')
            terminal.type('fg\n')
            until('both to go on', lambda: state(trainer) == state(wrapper) == 'S')
        terminal.type(CTRL_C)
        terminal.expect(PROMPT)
        terminal.type('echo status=$?\n')
        terminal.expect('status=7')

    def test_ctrl_z_and_bg(self):
        terminal = self.shell()
        terminal.type('$W -- $T $D/trainer.log 15=exit:7\n')
        trainer = self.log().ready()
        terminal.type(CTRL_Z)
        terminal.expect('Stopped')
        terminal.expect(PROMPT)
        terminal.type('bg\n')
        until('the trainer to go on', lambda: state(trainer) == 'S')
        terminal.type('kill %1; wait %1; echo status=$?\n')
        terminal.expect('status=7')

    def test_a_notice_while_stopped_by_ctrl_z(self):
        terminal = self.shell()
        terminal.type('$W -- $T $D/trainer.log 10=exit:7\n')
        trainer = self.log().ready()
        wrapper = self.wrapper_of(trainer)
        terminal.type(CTRL_Z)
        terminal.expect('Stopped')
        terminal.expect(PROMPT)
        until('both to stop', lambda: state(trainer) == state(wrapper) == 'T')
        send(wrapper, 'USR1')
        terminal.type('fg\n')
        terminal.expect(PROMPT)
        terminal.type('echo status=$?\n')
        terminal.expect('status=7')
        self.assertEqual(len(self.log().got('USR1')), 1)

    def test_in_the_background(self):
        terminal = self.shell()
        terminal.type('$W -- $T $D/trainer.log 15=exit:7 &\n')
        trainer = self.log().ready()
        # The shell keeps the terminal: it reads, and Ctrl-C is not the trainer's.
        terminal.type('echo $((40 + 2))\n')
        terminal.expect('42')
        terminal.expect(PROMPT)
        terminal.type(CTRL_C)
        terminal.expect(PROMPT)
        self.assertEqual(terminal.foreground(), terminal.pid)
        self.assertTrue(alive(trainer))
        terminal.type('kill %1; wait %1; echo status=$?\n')
        terminal.expect('status=7')
        self.assertEqual(self.log().order(), ['TERM'])

    def test_a_background_reader_is_stopped_and_reads_in_the_foreground(self):
        terminal = self.shell()
        terminal.type("$W -q -- bash -c 'read x; echo \"<$x>\"' &\n")
        terminal.expect(PROMPT)
        job = until('the wrapper', lambda: children(terminal.pid))
        until('the stop by the terminal', lambda: set(children(terminal.pid).values()) == {'T'})
        self.assertEqual(len(job), 1)
        terminal.type('fg\n')
        until('the reader in front', lambda: terminal.foreground() != terminal.pid)
        terminal.type('hello\n')
        terminal.expect('<hello>')
        terminal.expect(PROMPT)

    def test_the_trainer_reads_the_terminal(self):
        terminal = self.shell()
        terminal.type("$W -q -- bash -c 'echo g$((0)); read x; echo \"<$x>\"'\n")
        terminal.expect('g0')
        terminal.type('hello\n')
        terminal.expect('<hello>')

    def test_a_pipeline_whose_neighbour_reads_the_terminal(self):
        terminal = self.shell()
        for pipeline in ('$W -q -- $T $D/l{0}.log 13=exit:0 end=60000:0 | (echo g""o; read x '
                         '</dev/tty; echo "<$x>")',
                         '(echo g""o; read x </dev/tty; echo "<$x>" >&2) | $W -q -- cat'):
            with self.subTest(pipeline=pipeline):
                terminal.type(pipeline.format(0) + '\n')
                terminal.expect('go$')
                terminal.type('hello\n')
                terminal.expect('<hello>')
                terminal.type(CTRL_C)
                terminal.expect(PROMPT)

    def test_a_neighbour_in_the_pipeline_gets_neither_notice_nor_kill(self):
        # It shares our process group, as the trainer does.
        terminal = self.shell()
        for index, who in enumerate(('child', 'group', 'tree')):
            with self.subTest(who):
                trainer, neighbour = f'trainer{index}', f'neighbour{index}'
                terminal.type(f'$W --to {who} --grace 300ms -- $T $D/{trainer}.log 10=log 15=log | '
                              f'$T $D/{neighbour}.log 10=log 15=log 14=exit:3; '
                              'echo status=${PIPESTATUS[*]}\n')
                wrapper = self.wrapper_of(self.log(trainer).ready())
                other = self.log(neighbour).ready()
                send(wrapper, 'USR1')
                until('the end of the wrapper', lambda: not alive(wrapper))
                send(other, 'ALRM')
                terminal.expect('status=137 3')
                self.assertEqual(self.log(neighbour).order(), ['ALRM'])

    def test_the_settings_of_the_terminal_are_left_alone(self):
        terminal = self.shell()
        terminal.type('a=$(stty -g); $W -q true; [ "$a" = "$(stty -g)" ] && echo sa""me\n')
        terminal.expect('same')

    def test_int_sent_by_kill_is_a_notice(self):
        terminal = self.shell()
        terminal.type('$W -- $T $D/trainer.log 2=exit:7; echo status=$?\n')
        send(self.wrapper_of(self.log().ready()), 'INT')
        terminal.expect('status=7')
        self.assertEqual(self.log().order(), ['INT'])

    def test_a_resize_is_seen_once(self):
        terminal = self.shell()
        terminal.type('$W -- $T $D/trainer.log 28=log 14=exit:7\n')
        wrapper = self.wrapper_of(self.log().ready())
        terminal.resize(30, 90)
        self.log().wait_for('WINCH')
        send(wrapper, 'ALRM')
        terminal.expect(PROMPT)
        self.assertEqual(len(self.log().got('WINCH')), 1)

    def test_a_trainer_that_stops_itself_gives_the_prompt_back(self):
        terminal = self.shell()
        terminal.type("$W -q -- sh -c 'kill -STOP $$; echo back'\n")
        terminal.expect('Stopped', 5)
        terminal.expect(PROMPT)
        terminal.type('fg\n')
        terminal.expect('^back$')
        terminal.expect(PROMPT)
        self.assertEqual(terminal.foreground(), terminal.pid)

    def test_our_log_does_not_stop_a_background_job_under_tostop(self):
        terminal = self.shell()
        terminal.type('stty tostop; $W -- $T $D/trainer.log 28=log 15=exit:7 &\n')
        trainer = self.log().ready()
        wrapper = self.wrapper_of(trainer)
        # It is relayed by the loop, which comes after the start line.
        send(wrapper, 'WINCH')
        self.log().wait_for('WINCH', seconds=5)
        self.assertNotIn('T', (state(wrapper), state(trainer)))
        terminal.type('kill %1; wait %1; echo status=$?\n')
        terminal.expect('status=7', 5)

    def test_a_hang_up_ends_both(self):
        terminal = self.shell()
        terminal.type('$W -- $T $D/trainer.log 1=exit:3\n')
        trainer = self.log().ready()
        wrapper = self.wrapper_of(trainer)
        terminal.hang_up()
        until('the end of both', lambda: not alive(trainer) and not alive(wrapper))
        self.assertGreaterEqual(len(self.log().got('HUP')), 1)


class Scripts(TerminalTest):
    def test_a_loop_of_three_stops_at_ctrl_c(self):
        loop = 'for i in 1 2 3; do $W -q -- $T $D/{}$i.log; done; echo after >$D/after\n'
        for shell in ('bash', 'sh'):
            with self.subTest(shell):
                terminal = self.script(loop.format(shell), shell)
                self.log(f'{shell}1').ready()
                terminal.type(CTRL_C)
                self.assertEqual(terminal.wait(), -number('INT'))
                self.assertFalse(os.path.exists(self.path(f'{shell}2.log')))
                self.assertFalse(os.path.exists(self.path('after')))

    def test_a_loop_goes_on_when_the_trainer_has_dealt_with_ctrl_c(self):
        terminal = self.script('for i in 1 2; do $W -q -- $T $D/t$i.log 2=exit:0; done; exit 5\n')
        for name in ('t1', 't2'):
            self.log(name).ready()
            terminal.type(CTRL_C)
        self.assertEqual(terminal.wait(), 5)
        self.assertEqual(self.log('t1').order(), ['INT'])

    def test_an_ampersand_in_a_script_keeps_int_ignored(self):
        terminal = self.script('$W -q -- $T $D/trainer.log 15=exit:7 & wait $!; exit $?\n')
        # The script itself would die of a Ctrl-C; INT goes to the wrapper and the trainer alone.
        trainer = self.log().ready()
        wrapper = self.wrapper_of(trainer)
        with open(f'/proc/{trainer}/status', encoding='ascii') as status:
            ignored = int(next(line for line in status if line.startswith('SigIgn')).split()[1], 16)
        for name in ('INT', 'QUIT'):
            self.assertTrue(ignored >> (number(name) - 1) & 1, name)
            send(wrapper, name)
        send(wrapper, 'TERM')
        self.assertEqual(terminal.wait(), 7)
        self.assertEqual(self.log().order(), ['TERM'])

    def test_as_first_program_of_a_terminal(self):
        # script(1), ssh -t, docker -t: the wrapper is the leader of the session.
        terminal = self.open(BINARY, '-q', '--', *self.trainer('INT=exit:7'))
        self.log().ready()
        terminal.type(CTRL_C)
        self.assertEqual(terminal.wait(), 7)
        self.assertEqual(len(self.log().got('INT')), 1)


    def test_a_trainer_that_ctrl_c_ended_before_we_saw_it(self):
        # Both signals wait for us; the typed one is the reason for the other, SIGCHLD.
        terminal = self.open(BINARY, '-q', '--journal', self.path('journal'), '--',
                             *self.trainer())
        trainer = self.log().ready()
        send(terminal.pid, 'STOP')
        until('the stop', lambda: state(terminal.pid) == 'T')
        terminal.type(CTRL_C)
        until('the end of the trainer', lambda: not alive(trainer))
        send(terminal.pid, 'CONT')
        self.assertEqual(terminal.wait(), -number('INT'))
        self.assertIn('typed', [record['event'] for record in self.journal()])

    def test_a_hang_up_reaches_the_leader_s_trainer(self):
        # The kernel tells the leader of the session alone; ssh that breaks, a window closed.
        for rules in ([], ['HUP=exit:3']):
            with self.subTest(rules=rules):
                log = f'trainer{len(rules)}'
                terminal = self.open(BINARY, '--', *self.trainer(*rules, log=log))
                trainer = self.log(log).ready()
                terminal.hang_up()
                until('the end of both',
                      lambda: not alive(trainer) and not alive(terminal.pid), 5)
                self.assertEqual(len(self.log(log).got('HUP')), len(rules))


class TypedLadder(TerminalTest):
    """Inside an episode each typed Ctrl-C goes to the next rung, the third within 5 s to KILL."""

    def start_episode(self, *options):
        terminal = self.open(BINARY, *options, '--', *self.trainer('all=log'))
        trainer = self.log().ready()
        send(terminal.pid, 'USR1')
        self.log().wait_for('USR1')
        return terminal, trainer

    def test_one_is_the_next_rung(self):
        terminal, trainer = self.start_episode('--ladder', 'relay@60s,TERM@60s,ABRT@60s,KILL')
        terminal.type(CTRL_C)
        self.log().wait_for('TERM')
        self.assertTrue(alive(trainer))
        terminal.type(CTRL_C)
        self.log().wait_for('ABRT')
        terminal.type(CTRL_C)
        self.assertEqual(terminal.wait(), 137)
        for name in ('USR1', 'TERM', 'ABRT'):
            self.assertEqual(len(self.log().got(name)), 1, name)
        # The terminal itself has sent each INT; the last one may have come after the KILL.
        self.assertIn(len(self.log().got('INT')), (2, 3))

    def test_the_third_within_5_s_kills(self):
        terminal, _ = self.start_episode(
            '--ladder', 'relay@60s,TERM@60s,ABRT@60s,QUIT@60s,HUP@60s,KILL')
        # Its rung shows that one has been dealt with: two that are pending are one.
        for rung in ('TERM', 'ABRT'):
            terminal.type(CTRL_C)
            self.log().wait_for(rung)
        terminal.type(CTRL_C)
        self.assertEqual(terminal.wait(), 137)
        self.assertEqual(self.log().got('HUP'), [])

    def test_with_the_default_ladder(self):
        # relay, TERM, KILL: the second one kills.
        terminal, _ = self.start_episode()
        terminal.type(CTRL_C)
        self.log().wait_for('TERM')
        terminal.type(CTRL_C)
        self.assertEqual(terminal.wait(), 137)
        # And says whose wish it was.
        self.assertRegex(terminal.shown(), r'(?i)(ctrl-c|typed).*SIGKILL|SIGKILL.*(ctrl-c|typed)')
        self.assertNotIn('the grace is over', terminal.shown())


if __name__ == '__main__':
    main()
