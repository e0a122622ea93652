"""All the time there is, then the whole tree: rungs, SIGKILL, stragglers, what still saves."""
import os
import re
import signal
import time

from processes import alive, send, stat, state, until, zombies_of
from wrapper import WrapperTest, main, probe

SECOND = 1_000_000_000


def interval(earlier, later):
    """Seconds between two events of a trainer's log."""
    return (later.at - earlier.at) / SECOND


class Tree(WrapperTest):
    NAMES = ('trainer', 'group', 'session', 'daemon')

    def start_tree(self, *options, rule='all=log', end=None):
        """A trainer with a child in its group, one in its own session, and a daemon."""
        script = ('r="$2"; "$0" "$1/group.log" $r & setsid "$0" "$1/session.log" $r & '
                  '(setsid "$0" "$1/daemon.log" $r &); '
                  + ('exec "$0" "$1/trainer.log" $r' if end is None else
                     'until [ -s "$1/group.log" -a -s "$1/session.log" -a -s "$1/daemon.log" ]; '
                     f'do :; done; exit {end}'))
        wrapper = self.start(*options, '--', 'bash', '-c', script, probe('trainer'), self.dir,
                             rule)
        names = self.NAMES if end is None else self.NAMES[1:]
        return wrapper, {name: self.log(name).ready() for name in names}


class Kill(Tree):
    def test_grace_over_kills_the_whole_tree(self):
        wrapper, _ = self.start_tree('--grace', '600ms')
        begin = time.monotonic()
        wrapper.signal('USR1')
        self.assertEqual(wrapper.wait(), 137)
        self.assert_nothing_left()
        self.assertGreaterEqual(time.monotonic() - begin, 0.55)
        self.assertIn('KILL', wrapper.err)

    def test_the_end_follows_the_kill_at_once(self):
        # Many at a time: whoever loses the race of SIGKILL, reaping and looking is late.
        wrappers = []
        for index in range(24):
            log = f'trainer{index}'
            wrappers.append(self.start('--grace', '300ms', '--', *self.trainer('all=log', log=log)))
            self.log(log).ready()
        for wrapper in wrappers:
            wrapper.signal('USR1')
        begin = time.monotonic()
        self.assertEqual([wrapper.wait() for wrapper in wrappers], [137] * 24)
        self.assertLess(time.monotonic() - begin, 5)

    def test_a_forking_tree_is_killed_too(self):
        for ms in (20, 3):
            with self.subTest(ms=ms):
                script = '"$0" "$1" "$2" & exec "$3" "$4" all=log'
                log = f'trainer{ms}'
                wrapper = self.start('--grace', '300ms', '--', 'bash', '-c', script,
                                     probe('hydra'), self.path(f'hydra{ms}'), str(ms),
                                     probe('trainer'), self.path(log + '.log'))
                self.log(log).ready()
                wrapper.signal('USR1')
                self.assertEqual(wrapper.wait(), 137)
                self.assert_nothing_left()

    def test_a_stopped_tree_is_killed_too(self):
        wrapper, pids = self.start_tree('--grace', '600ms')
        wrapper.signal('USR1')
        self.log().wait_for('USR1')
        for pid in pids.values():
            send(pid, 'STOP')
        self.assertEqual(wrapper.wait(), 137)
        self.assert_nothing_left()

    def test_a_save_that_needs_most_of_the_grace_is_not_cut(self):
        wrapper, log = self.start_ready(['--grace', '3s'], 'USR1=save:1800:4', 'TERM=log')
        wrapper.signal('USR1')
        self.assertEqual(wrapper.wait(), 4)
        self.assertEqual(len(log.of('saved')), 1)
        self.assertEqual(log.got('TERM'), [])

    def test_a_repeat_restarts_no_clock(self):
        wrapper, log = self.start_ready(['--grace', '1500ms'], 'USR1=log', 'TERM=log')
        wrapper.signal('USR1')
        first = log.wait_for('USR1')[0]
        until('the rung', lambda: log.got('TERM') or wrapper.signal('USR1'))
        self.assertLess(interval(first, log.got('TERM')[0]), 3)
        wrapper.signal('USR1')
        self.assertEqual(wrapper.wait(), 137)
        self.assertEqual(log.order(), ['USR1', 'TERM'])

    def test_nothing_left_of_a_tree_that_saved(self):
        wrapper, log = self.start_ready([], 'USR1=save:50:0')
        wrapper.signal('USR1')
        self.assertEqual(wrapper.wait(), 0)
        self.assertEqual(len(log.of('saved')), 1)
        self.assert_nothing_left()

    def test_killed_by_somebody_else_in_an_episode_is_told_apart(self):
        wrapper, log = self.start_ready(['--journal', self.path('journal')], 'USR1=log')
        trainer = log.ready()
        wrapper.signal('USR1')
        log.wait_for('USR1')
        send(trainer, 'KILL')
        self.assertEqual(wrapper.wait(), 137)
        self.assertRegex(wrapper.err, 'SIGKILL.*not by us')
        ended, = [r for r in self.journal() if r['event'] == 'trainer-ended']
        self.assertEqual((ended['signal'], ended['killed_by_us']), ('KILL', False))

    def test_killed_by_somebody_else_is_told_apart(self):
        wrapper, log = self.start_ready(['--journal', self.path('journal')])
        os.kill(log.ready(), signal.SIGKILL)
        self.assertEqual(wrapper.wait(), 137)
        self.assertNotIn('grace', self.journal()[-1])
        self.assertEqual(self.journal()[-1]['outcome'], 'killed')


class Rungs(WrapperTest):
    def test_the_default_ladder(self):
        # TERM comes at KILL - min(10 s, budget/4).
        wrapper, log = self.start_ready(['--grace', '2s'], 'USR1=log', 'TERM=log')
        begin = time.monotonic()
        wrapper.signal('USR1')
        self.assertEqual(wrapper.wait(), 137)
        took = time.monotonic() - begin
        self.assertEqual(log.order(), ['USR1', 'TERM'])
        self.assertGreaterEqual(interval(*log.of('got')), 1.4)
        self.assertGreaterEqual(took, 1.95)
        self.assertLess(took, 4)

    def test_no_term_rung_for_a_trainer_that_would_die_of_it(self):
        # Side by side: both save until shortly before the KILL; only one can take a TERM.
        rules, wrappers = ['USR1=save:3600:138'], {}
        for name, more in (('usr1-only', []), ('both', ['TERM=log'])):
            wrappers[name] = self.start('-k', '4s', '--',
                                        *self.trainer(*rules, *more, log=name))
            self.log(name).ready()
        for wrapper in wrappers.values():
            wrapper.signal('USR1')
        for name, order in (('usr1-only', ['USR1']), ('both', ['USR1', 'TERM'])):
            with self.subTest(name):
                self.assertEqual(wrappers[name].wait(), 138)
                self.assertEqual(self.log(name).order(), order)
                self.assertEqual(len(self.log(name).of('saved')), 1)
        self.assertGreaterEqual(interval(*self.log('both').of('got')), 2.9)

    def test_no_term_rung_after_term(self):
        wrapper, log = self.start_ready(['--grace', '400ms'], 'TERM=log')
        wrapper.signal('TERM')
        self.assertEqual(wrapper.wait(), 137)
        self.assertEqual(log.order(), ['TERM'])

    def test_usr1_then_term_is_sent_once_and_at_its_rung(self):
        wrapper, log = self.start_ready(['--grace', '2s'], 'USR1=log', 'TERM=log')
        wrapper.signal('USR1')
        log.wait_for('USR1')
        wrapper.signal('TERM')
        self.assertEqual(wrapper.wait(), 137)
        self.assertEqual(log.order(), ['USR1', 'TERM'])
        self.assertGreaterEqual(interval(*log.of('got')), 1.2)

    def test_a_ladder_of_our_own(self):
        wrapper, log = self.start_ready(
            ['--ladder', 'relay@600ms,TERM@400ms,ABRT@200ms,KILL'], 'all=log')
        wrapper.signal('USR1')
        self.assertEqual(wrapper.wait(), 137)
        self.assertEqual(log.order(), ['USR1', 'TERM', 'ABRT'])
        usr1, term, abrt = log.of('got')
        self.assertGreaterEqual(interval(usr1, term), 0.55)
        self.assertGreaterEqual(interval(term, abrt), 0.35)

    def test_relay_in_a_ladder_is_the_signal_as_mapped(self):
        wrapper, log = self.start_ready(
            ['--map-signal', 'USR1:USR2', '--ladder', 'relay@200ms,KILL'], 'all=log')
        wrapper.signal('USR1')
        self.assertEqual(wrapper.wait(), 137)
        self.assertEqual(log.order(), ['USR2'])

    def test_the_next_rung_is_taken_by_those_who_survive_the_first(self):
        wrapper, log = self.start_ready(['--ladder', 'relay@150ms,TERM@20s,KILL'],
                                        'USR1=log', 'TERM=save:100:9')
        wrapper.signal('USR1')
        self.assertEqual(wrapper.wait(), 9)
        self.assertEqual(log.order(), ['USR1', 'TERM'])

    def test_lead_shortens_the_grace(self):
        # KILL at the deadline less the margin: 2 s, at most a quarter of what is left.
        for options in (['--lead', '4s'], ['--lead', '4s', '--grace', '1h']):
            with self.subTest(options=options):
                log = f'trainer{len(options)}'
                wrapper = self.start(*options, '--', *self.trainer('USR1=log', 'TERM=log', log=log))
                self.log(log).ready()
                begin = time.monotonic()
                wrapper.signal('USR1')
                self.assertEqual(wrapper.wait(), 137)
                self.assertGreaterEqual(time.monotonic() - begin, 2.8)
                self.assertLess(time.monotonic() - begin, 4)

    def test_grace_shorter_than_lead_wins(self):
        wrapper, log = self.start_ready(['--lead', '20s', '--grace', '400ms'], 'USR1=log',
                                        'TERM=log')
        begin = time.monotonic()
        wrapper.signal('USR1')
        self.assertEqual(wrapper.wait(), 137)
        self.assertLess(time.monotonic() - begin, 10)
        self.assertEqual(len(log.got('USR1')), 1)

    def test_too_little_time_for_a_ladder(self):
        # The KILL instant stays; the steps between give way, the relay does not.
        wrapper, log = self.start_ready(
            ['--lead', '4s', '--ladder', 'relay@60s,TERM@15s,ABRT@3s,KILL'], 'all=log')
        begin = time.monotonic()
        wrapper.signal('USR1')
        self.assertEqual(wrapper.wait(), 137)
        self.assertLess(time.monotonic() - begin, 4)
        self.assertEqual(log.order()[0], 'USR1')
        self.assertLessEqual(set(log.order()), {'USR1', 'TERM', 'ABRT'})

    def test_time_asleep_is_given_back(self):
        # Suspend or freezer: woken more than 1 s late, the rungs keep their remaining length.
        wrapper, log = self.start_ready(['--grace', '3s'], 'USR1=log', 'TERM=log')
        trainer = log.ready()
        wrapper.signal('USR1')
        log.wait_for('USR1')
        for pid in (wrapper.pid, trainer):
            send(pid, 'STOP')
        until('both to stop', lambda: state(wrapper.pid) == state(trainer) == 'T')
        time.sleep(3.5)  # the length of the sleep is the subject here
        woken = time.monotonic()
        for pid in (trainer, wrapper.pid):
            send(pid, 'CONT')
        self.assertEqual(wrapper.wait(), 137)
        self.assertGreaterEqual(time.monotonic() - woken, 0.7)


class Launchers(WrapperTest):
    """A launcher that dies of the notice must not take the saving ranks with it."""

    def start_launcher(self, *options, rank):
        script = '"$0" "$1" 10={} 15=log & wait'.format(rank)
        wrapper = self.start('--to', 'tree', *options, '--', 'bash', '-c', script,
                             probe('trainer'), self.path('rank.log'))
        return wrapper, self.log('rank').ready()

    def test_the_ranks_save(self):
        wrapper, _ = self.start_launcher('--stragglers', '50ms', rank='save:1500:0')
        wrapper.signal('USR1')
        self.assertEqual(wrapper.wait(), 138)
        log = self.log('rank')
        self.assertEqual(len(log.of('saved')), 1)
        self.assertEqual(log.order(), ['USR1'])
        self.assert_nothing_left()

    def test_a_rank_that_hangs_is_killed_at_the_end_of_the_grace(self):
        wrapper, _ = self.start_launcher('--grace', '1200ms', '--stragglers', '50ms', rank='log')
        begin = time.monotonic()
        wrapper.signal('USR1')
        self.assertEqual(wrapper.wait(), 138)
        self.assertGreaterEqual(time.monotonic() - begin, 1.1)
        self.assertEqual(self.log('rank').order(), ['USR1', 'TERM'])
        self.assert_nothing_left()

    def test_a_later_term_is_covered_as_long_as_a_rank_saves(self):
        wrapper, rank = self.start_launcher('--grace', '2s', '--journal', self.path('journal'),
                                            rank='log')
        launcher = stat(rank)[1]
        begin = time.monotonic()
        wrapper.signal('USR1')
        self.log('rank').wait_for('USR1')
        until('the end of the launcher', lambda: state(launcher) is None)
        wrapper.signal('TERM')
        self.assertEqual(wrapper.wait(), 138)
        took = time.monotonic() - begin
        # The TERM rung at its time, and the KILL at its instant.
        self.assertEqual(self.log('rank').order(), ['USR1', 'TERM'])
        self.assertGreaterEqual(interval(*self.log('rank').of('got')), 1.3)
        self.assertGreaterEqual(took, 1.95)
        self.assertLess(took, 4)
        verdicts = [(r['signal'], r['verdict']) for r in self.journal() if r['event'] == 'notice']
        self.assertEqual(verdicts, [('USR1', 'relayed'), ('TERM', 'covered')])

    def test_a_rank_that_the_notice_did_not_reach_is_a_straggler(self):
        script = '"$0" "$1" 10=log 15=save:10:0 & wait'
        wrapper = self.start('--to', 'child', '--', 'bash', '-c', script, probe('trainer'),
                             self.path('rank.log'))
        self.log('rank').ready()
        wrapper.signal('USR1')
        self.assertEqual(wrapper.wait(), 138)
        self.assertEqual(self.log('rank').order(), ['TERM'])
        self.assertEqual(len(self.log('rank').of('saved')), 1)


class Stragglers(Tree):
    def named(self, err):
        return set(map(int, re.findall(r'\bpid (\d+)', err)))

    def test_ended_and_named(self):
        rows = [
            ('they go at TERM', [], '15=exit:0', 0),
            ('they ignore TERM', ['--stragglers', '200ms'], '15=ignore', 0),
            ('the status stays the trainer\'s', [], '15=exit:0', 7),
        ]
        for name, options, rule, status in rows:
            with self.subTest(name):
                for log in self.NAMES[1:]:
                    if os.path.exists(self.path(log + '.log')):
                        os.remove(self.path(log + '.log'))
                wrapper, pids = self.start_tree(*options, rule=rule, end=status)
                self.assertEqual(wrapper.wait(), status)
                self.assert_nothing_left()
                self.assertLessEqual(set(pids.values()), self.named(wrapper.err), wrapper.err)

    def test_a_straggler_that_saves_at_term_has_its_time(self):
        wrapper, _ = self.start_tree(rule='15=save:400:0', end=0)
        self.assertEqual(wrapper.wait(), 0)
        for name in self.NAMES[1:]:
            self.assertEqual(len(self.log(name).of('saved')), 1, name)

    def test_a_forking_straggler(self):
        # Several tries: it can be missed between two generations.
        script = '"$0" "$1" 10 & until [ -s "$1" ]; do :; done; exit 2'
        for index in range(8):
            wrapper = self.call('--stragglers', '60ms', '--', 'bash', '-c', script,
                                probe('hydra'), self.path(f'hydra{index}'))
            self.assertEqual(wrapper.status, 2)
            self.assert_nothing_left()

    def test_leave(self):
        wrapper, pids = self.start_tree('--stragglers', 'leave', rule='15=log', end=3)
        self.assertEqual(wrapper.wait(), 3)
        self.assertTrue(all(alive(pid) for pid in pids.values()))
        for name in self.NAMES[1:]:
            self.assertEqual(self.log(name).of('got'), [], name)

    def test_also_after_the_trainer_died(self):
        script = '"$0" "$1" 15=exit:0 & until [ -s "$1" ]; do :; done; kill -SEGV $$'
        wrapper = self.start('--', 'bash', '-c', 'ulimit -c 0; ' + script, probe('trainer'),
                             self.path('left.log'))
        self.assertEqual(wrapper.wait(), 139)
        self.assertEqual(self.log('left').order(), ['TERM'])
        self.assert_nothing_left()

    def test_without_stragglers_there_is_no_delay(self):
        begin = time.monotonic()
        self.assertEqual(self.call('true').status, 0)
        self.assertLess(time.monotonic() - begin, 2.5)  # half of the default wait

    def test_orphans_are_reaped_while_the_trainer_runs(self):
        script = 'for i in 1 2 3 4 5; do (true &); done; exec "$0" "$1" 10=exit:0'
        wrapper = self.start('--', 'bash', '-c', script, probe('trainer'),
                             self.path('trainer.log'))
        self.log().ready()
        until('no zombie', lambda: not zombies_of(wrapper.pid))
        wrapper.signal('USR1')
        self.assertEqual(wrapper.wait(), 0)

    def test_an_orphan_s_status_is_not_taken_for_the_trainer_s(self):
        script = '(sh -c "exit 9" &); exec "$0" "$1" end=200:4'
        wrapper = self.call('--', 'bash', '-c', script, probe('trainer'), self.path('t.log'))
        self.assertEqual(wrapper.status, 4)

    def test_children_that_we_had_before_are_not_ours_to_end(self):
        # `sh -c 'sleep & exec preempt-wrap'`: the shell's child was there before us.
        prefix = ['sh', '-c', '"$PROBE" "$LOG" & exec "$0" "$@"']
        env = self.environ(PROBE=probe('trainer'), LOG=self.path('before.log'))
        wrapper = self.start('--', *self.trainer('USR1=exit:5'), prefix=prefix, env=env)
        before = self.log('before').ready()
        self.log().ready()
        wrapper.signal('USR1')
        self.assertEqual(wrapper.wait(), 5)
        self.assertTrue(alive(before))


if __name__ == '__main__':
    main()
