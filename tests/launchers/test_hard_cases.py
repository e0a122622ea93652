#!/usr/bin/env python3
"""Trainers and scripts that a simpler rule takes for what they are not. Those with tini, dumb-init,
timeout or a Go program in between are in test_table.py, with and without a handler.

    test_hard_cases.py [-k NAME]
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'e2e'))

from components import PYTHON
from life import Life, LifeTest
from processes import until
from wrapper import main

# The first words of these trainers; what they note is read as a rank's.
PROLOGUE = """
import os, signal, subprocess, sys, threading, time
log = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
def note(*words):
    line = ' '.join(map(str, (time.monotonic_ns(), os.getpid(), 'rank0', *words)))
    os.write(log, line.encode() + b'\\n')
def save(*_):
    note('got', 'USR1')
    note('saved')
    os._exit(138)
note('start')
"""

# Python and the C library block every signal for moments while they start a child or a thread.
STARTS_CHILDREN_AND_THREADS = PROLOGUE + """
note('busy')
end = time.monotonic() + 2
def start_threads():
    while time.monotonic() < end:
        thread = threading.Thread(target=int)
        thread.start()
        thread.join()
threads = [threading.Thread(target=start_threads) for _ in range(3)]
for thread in threads:
    thread.start()
while time.monotonic() < end:
    subprocess.run(['/bin/true'])
for thread in threads:
    thread.join()
signal.signal(signal.SIGUSR1, save)
note('ready')
while True:
    time.sleep(1)
"""

WAITS_IN_A_THREAD = PROLOGUE + """
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
def waiter():
    signal.sigwait({signal.SIGUSR1})
    save()
threading.Thread(target=waiter).start()
note('ready')
while True:
    sum(range(1000))
"""

LOOKS_BETWEEN_STEPS = PROLOGUE + """
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
note('ready')
while signal.SIGUSR1 not in signal.sigpending():
    time.sleep(0.05)
save()
"""


class HardCases(LifeTest):
    def setUp(self):
        self.life = Life()
        self.addCleanup(self.life.__exit__)

    def python(self, text):
        """The command of a trainer with this text."""
        path = self.life.folder + '/train.py'
        with open(path, 'w', encoding='ascii') as file:
            file.write(text)
        return [PYTHON, path, self.life.log.path]

    def script(self, text):
        """The command of a bash script; note in it writes a word as rank's event."""
        note = f'note() {{ echo "0 $$ bash $*" >>{self.life.log.path}; }}\n'
        return self.life.script(note + text)

    def noted(self, word):
        return [e for e in self.life.log.events() if e.role == 'bash' and e.what == word]

    # ---- trainers

    def test_signals_blocked_for_moments_are_no_handler(self):
        life = self.life.start(self.python(STARTS_CHILDREN_AND_THREADS), [])
        life.log.wait_for('busy')
        life.send('USR1')
        self.assertEqual(life.wait(), 138, life.story())
        self.assert_told_once(life, 'USR1')
        ready, got = life.log.of('ready')[0], life.log.of('got')[0]
        self.assertLess(ready.at, got.at + 10**9, life.story())

    def test_a_thread_that_waits_for_the_signal_is_a_handler(self):
        life = self.life.start(self.python(WAITS_IN_A_THREAD), [])
        life.log.wait_for('ready')
        life.send('USR1')
        self.assertEqual(life.wait(), 138, life.story())
        self.assert_told_once(life, 'USR1')

    def test_a_trainer_that_blocks_it_and_looks_between_steps(self):
        life = self.life.start(self.python(LOOKS_BETWEEN_STEPS), [])
        life.log.wait_for('ready')
        life.send('USR1')
        self.assertEqual(life.wait(), 138, life.story())
        self.assert_told_once(life, 'USR1')

    def test_a_library_that_takes_the_signal_and_drops_it(self):
        """As NCCL once did (nccl#704): the TERM rung is what saves the work."""
        life = self.life.start(self.life.rank('USR1=log', 'TERM=save:0.5:143'), ['--grace', '4'])
        life.log.wait_for('ready')
        life.send('USR1')
        self.assertEqual(life.wait(), 143, life.story())
        self.assertEqual(list(life.log.got().values()), [['USR1', 'TERM']], life.story())
        self.assertEqual(life.log.saved(), '1 of 1', life.story())

    def test_a_trainer_with_a_term_handler_only_gets_term_when_the_hold_is_over(self):
        life = self.life.start(self.life.rank('TERM=save:0.5:143'), ['--hold', '1'])
        life.log.wait_for('ready')
        life.send('USR1')
        self.assertEqual(life.wait(), 143, life.story())
        self.assert_told_once(life, 'TERM')

    # ---- bash scripts with a trap of their own

    def test_below_a_trap_a_trainer_that_handles_it(self):
        rank = ' '.join(self.life.rank('USR1=save:0.5:138'))
        life = self.life.start(self.script(f'trap "note trap" USR1\n{rank}\nexit $?'), [])
        life.log.wait_for('ready')
        life.send('USR1')
        self.assertEqual(life.wait(), 138, life.story())
        self.assert_told_once(life, 'USR1')
        self.assertEqual(self.noted('trap'), [], life.story())

    def test_below_a_trap_a_trainer_that_does_not_handle_it(self):
        """The script's trap is for that case; it is told when the hold is over."""
        rank = ' '.join(self.life.rank('TERM=save:0.5:143'))
        text = f"""trap 'note trap; kill -TERM $trainer' USR1
                   {rank} & trainer=$!
                   wait $trainer; wait $trainer; exit $?"""
        life = self.life.start(self.script(text), ['--hold', '1'])
        life.log.wait_for('ready')
        life.send('USR1')
        self.assertEqual(life.wait(), 143, life.story())
        self.assert_told_once(life, 'TERM')
        self.assertEqual(len(self.noted('trap')), 1, life.story())

    def test_a_trap_with_no_trainer_below(self):
        text = """trap 'note trap; exit 138' USR1
                  note ready
                  while true; do sleep 0.1; done"""
        life = self.life.start(self.script(text), ['--hold', '1'])
        until('the script is at work', lambda: self.noted('ready'))
        life.send('USR1')
        self.assertEqual(life.wait(), 138, life.story())
        self.assertEqual(len(self.noted('trap')), 1, life.story())
        self.assertEqual(life.left(), [], life.story())


if __name__ == '__main__':
    main()
