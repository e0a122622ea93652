"""The journal alone tells who sent what when, what was done, and how it ended."""
import datetime
import os
import re
import socket

from processes import number, send
from terminal import CTRL_C, Terminal
from wrapper import BINARY, WrapperTest, main, probe

RFC3339 = re.compile(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d:\d\d|Z)')


class JournalTest(WrapperTest):
    def run_with(self, options, rules, *signals):
        """One wrapped run that gets `signals` in turn: (status, trainer's PID, records)."""
        wrapper = self.start('--journal', self.path('journal'), *options, '--',
                             *self.trainer(*rules))
        trainer = self.log().ready()
        for name in signals:
            wrapper.signal(name)
            if name != signals[-1]:
                wrapper.fence(self.log())
        status = wrapper.wait()
        self.pid = wrapper.pid
        return status, trainer, self.journal()

    def of(self, records, event):
        return [record for record in records if record['event'] == event]


class Records(JournalTest):
    def test_every_line_has_the_common_fields(self):
        _, _, records = self.run_with([], ['USR1=exit:3'], 'USR1')
        now = datetime.datetime.now(datetime.timezone.utc)
        last = 0
        for record in records:
            with self.subTest(record['event']):
                self.assertRegex(record['ts'], RFC3339)
                when = datetime.datetime.fromisoformat(record['ts'].replace('Z', '+00:00'))
                self.assertLess(abs((now - when).total_seconds()), 60)
                self.assertIsInstance(record['mono'], int)
                self.assertEqual(record['host'], socket.gethostname())
                self.assertEqual(record['pid'], self.pid)
                last = max(last, record['mono'])
        self.assertEqual(records[0]['event'], 'start')
        self.assertEqual((records[-1]['event'], records[-1]['mono']), ('end', last))

    def test_mono_is_the_clock_of_the_trainer(self):
        _, _, records = self.run_with([], ['USR1=exit:3'], 'USR1')
        sent = next(r['mono'] for r in self.of(records, 'sent'))
        got = self.log().got('USR1')[0].at
        self.assertLess(abs(got - sent), 2_000_000_000)

    def test_the_time_zone_is_that_of_the_log(self):
        env = self.environ(TZ='UTC-05:30')  # POSIX sign: east of Greenwich
        self.call('--journal', self.path('journal'), 'true', env=env)
        self.assertTrue(self.journal()[0]['ts'].endswith('+05:30'), self.journal()[0]['ts'])

    def test_a_run_with_a_notice(self):
        status, trainer, records = self.run_with([], ['USR1=exit:3'], 'USR1')
        self.assertEqual(status, 3)
        start = records[0]
        self.assertEqual(start['trainer'], trainer)
        self.assertIn('probe_trainer', start['command'])
        notice, = self.of(records, 'notice')
        self.assertEqual((notice['signal'], notice['verdict']), ('USR1', 'relayed'))
        self.assertEqual((notice['sender']['pid'], notice['sender']['uid']),
                         (os.getpid(), os.getuid()))
        self.assertTrue(notice['sender']['name'].startswith('python'))
        sent, = self.of(records, 'sent')
        self.assertEqual((sent['signal'], sent['to'], sent['why']), ('USR1', [trainer], 'notice'))
        ended, = self.of(records, 'trainer-ended')
        self.assertEqual(ended['code'], 3)
        self.assertEqual((records[-1]['status'], records[-1]['outcome']), (3, 'preempted'))

    def test_repeats_are_told(self):
        _, _, records = self.run_with([], ['USR1=log', 'TERM=log', 'ALRM=exit:3'],
                                      'USR1', 'USR1', 'TERM', 'ALRM')
        verdicts = [(r['signal'], r['verdict']) for r in self.of(records, 'notice')]
        self.assertEqual(verdicts[0], ('USR1', 'relayed'))
        self.assertEqual([name for name, _ in verdicts], ['USR1', 'USR1', 'TERM'])
        self.assertNotIn('relayed', [verdict for _, verdict in verdicts[1:]])

    def test_a_dropped_one(self):
        _, _, records = self.run_with(['--map-signal', 'USR1:'], ['USR1=log', 'ALRM=exit:3'],
                                      'USR1', 'ALRM')
        self.assertEqual([r['verdict'] for r in self.of(records, 'notice')], ['dropped'])
        self.assertEqual([r['why'] for r in self.of(records, 'sent') if r['signal'] == 'USR1'], [])

    def test_a_mapped_one(self):
        _, trainer, records = self.run_with(['--map-signal', 'USR1:USR2'], ['USR2=exit:3'], 'USR1')
        self.assertEqual([r['signal'] for r in self.of(records, 'notice')], ['USR1'])
        self.assertEqual([(r['signal'], r['to']) for r in self.of(records, 'sent')],
                         [('USR2', [trainer])])

    def test_an_advice(self):
        _, _, records = self.run_with(['--lead', '2h'], ['USR1=exit:3'], 'USR1')
        self.assertEqual([r['verdict'] for r in self.of(records, 'notice')], ['advice'])

    def test_a_signal_that_is_passed(self):
        _, trainer, records = self.run_with([], ['HUP=exit:3'], 'HUP')
        self.assertEqual(self.of(records, 'notice'), [])
        to = [r['to'] for r in records if r.get('signal') == 'HUP' and 'to' in r]
        self.assertEqual(to, [[trainer]])
        self.assertEqual(records[-1]['outcome'], 'failed')

    def test_rungs_and_kill(self):
        status, trainer, records = self.run_with(['--grace', '500ms'], ['all=log'], 'USR1')
        self.assertEqual(status, 137)
        sent = [(r['signal'], r['why']) for r in self.of(records, 'sent')]
        self.assertEqual(sent[:3], [('USR1', 'notice'), ('TERM', 'rung'), ('KILL', 'kill')])
        self.assertIn(trainer, self.of(records, 'sent')[2]['to'])
        ended, = self.of(records, 'trainer-ended')
        self.assertEqual(ended['signal'], 'KILL')
        # The journal's own times: KILL not before the grace is over, with 10 % for the noise.
        times = {r['signal']: r['mono'] for r in self.of(records, 'sent')}
        self.assertGreaterEqual(times['KILL'] - times['USR1'], 490_000_000)

    def test_stragglers_are_named(self):
        script = '"$0" "$1" 15=exit:0 & until [ -s "$1" ]; do :; done; exit 5'
        self.call('--journal', self.path('journal'), '--', 'bash', '-c', script,
                  probe('trainer'), self.path('left.log'))
        left = self.log('left').ready()
        records = self.journal()
        straggler, = self.of(records, 'straggler')
        self.assertEqual((straggler['target'], straggler['name']), (left, 'probe_trainer'))
        self.assertIn(('TERM', 'straggler', [left]),
                      [(r['signal'], r['why'], r['to']) for r in self.of(records, 'sent')])

    def test_the_order_is_that_of_what_happened(self):
        script = '"$0" "$1" 15=exit:0 & until [ -s "$1" ]; do :; done; exit 5'
        self.call('--journal', self.path('journal'), '--', 'bash', '-c', script,
                  probe('trainer'), self.path('left.log'))
        self.assertEqual([r['event'] for r in self.journal()],
                         ['start', 'trainer-ended', 'straggler', 'sent', 'end'])

    def test_the_order_in_an_episode(self):
        _, _, records = self.run_with([], ['USR1=exit:3'], 'USR1')
        events = [r['event'] for r in records]
        self.assertEqual(sorted(events[1:3]), ['notice', 'sent'])
        self.assertEqual([events[0], *events[3:]], ['start', 'trainer-ended', 'end'])

    def test_typed_signals(self):
        terminal = Terminal([BINARY, '--journal', self.path('journal'), '--',
                             *self.trainer('INT=exit:3')], self.environ())
        self.addCleanup(terminal.close)
        self.log().ready()
        terminal.type(CTRL_C)
        self.assertEqual(terminal.wait(), 3)
        typed, = self.of(self.journal(), 'typed')
        self.assertEqual(typed['signal'], 'INT')
        self.assertEqual(self.of(self.journal(), 'sent'), [])

    def test_deaths(self):
        rows = [('kill -TERM $$', 'TERM', 143), ('ulimit -c 0; kill -SEGV $$', 'SEGV', 139)]
        for script, name, status in rows:
            with self.subTest(name):
                self.call('--journal', self.path(name), '--', 'sh', '-c', script)
                records = self.journal(name)
                self.assertEqual(self.of(records, 'trainer-ended')[0]['signal'], name)
                self.assertEqual(records[-1]['status'], status)

    def test_it_is_appended_to(self):
        for _ in range(3):
            self.call('--journal', self.path('journal'), 'true')
        self.assertEqual(len(self.of(self.journal(), 'end')), 3)

    def test_a_path_with_patterns(self):
        self.call('--journal', self.path('%u-%%'), 'true')
        self.assertTrue(os.path.exists(self.path('tester-%')))

    def test_a_command_that_was_not_found(self):
        wrapper = self.call('--journal', self.path('journal'), 'no-such-command-anywhere')
        self.assertEqual(wrapper.status, 127)
        self.assertEqual(self.journal()[-1]['status'], 127)


class Text(JournalTest):
    def test_strange_commands_stay_json_in_utf_8(self):
        words = ['"', '\\', '\n\r\t\x01\x1b\x7f', 'grüße 你好 🎉', os.fsdecode(b'\xff\xfe\xc3('),
                 '</script>', '\u2028', 'x' * 100_000]
        for index, word in enumerate(words):
            with self.subTest(word=word[:20]):
                name = f'journal{index}'
                self.call('--journal', self.path(name), '--', 'true', word)
                with open(self.path(name), 'rb') as file:
                    lines = file.read().decode('utf-8').split('\n')
                self.assertEqual(lines.pop(), '')
                self.assertEqual([r['event'] for r in self.journal(name)][::len(lines) - 1],
                                 ['start', 'end'])
                for line in lines:
                    self.assertNotRegex(line, '[\x00-\x1f]')

    def test_lines_of_many_wrappers_in_one_file_do_not_tear(self):
        # At least 1000 lines, up to 12 writers at a time, lines of different lengths.
        path, running = self.path('journal'), []
        for index in range(360):
            running.append(self.start('-q', '--journal', path, '--', 'true', 'x' * (index * 7)))
            if len(running) >= 12:
                running.pop(0).wait()
        for wrapper in running:
            wrapper.wait()
        records = self.journal()
        self.assertGreaterEqual(len(records), 1000)
        events = {}
        for record in records:
            events.setdefault(record['pid'], []).append(record['event'])
        self.assertEqual(len(self.of(records, 'end')), 360)
        for sequence in events.values():
            self.assertEqual((sequence[0], sequence[-1]), ('start', 'end'))

    def test_nothing_is_written_without_the_option(self):
        self.call('true', cwd=self.home)
        self.assertEqual(os.listdir(self.home), [])


class Log(JournalTest):
    """What a person reads on standard error."""

    def test_one_preemption(self):
        wrapper, log = self.start_ready([], 'USR1=exit:3')
        trainer = log.ready()
        wrapper.signal('USR1')
        wrapper.wait()
        lines = wrapper.err.splitlines()
        for line in lines:
            self.assertRegex(line, r'^preempt-wrap: \d\d:\d\d:\d\d ')
        self.assertRegex(lines[0], rf'start: .*\(pid {trainer}\)')
        self.assertRegex(lines[1], rf'notice USR1 from python.*\(pid {trainer}\)')
        self.assertRegex(lines[-1], 'exited 3 after .*nothing left behind')
        self.assertLessEqual(len(lines), 4)

    def test_quiet_tells_trouble_only(self):
        wrapper, _ = self.start_ready(['-q'], 'USR1=exit:3')
        wrapper.signal('USR1')
        wrapper.wait()
        self.assertEqual(wrapper.err, '')
        wrapper = self.start('-q', '--grace', '200ms', '--', *self.trainer('all=log', log='b'))
        self.log('b').ready()
        send(wrapper.pid, 'USR1')
        self.assertEqual(wrapper.wait(), 128 + number('KILL'))
        self.assertIn('KILL', wrapper.err)


if __name__ == '__main__':
    main()
