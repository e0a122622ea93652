#!/usr/bin/env python3
"""The table of W&B's documentation ("Signal handling in sweep runs"), each cell once with the real
agent below preempt-wrap, which is sent what the table says: the states are those of the server.

The agent ends with 0 in all of them; what W&B learns, it learns from the trainer.
"""
import os
import signal

from sweep import SweepTest, main

NEVER, HANDLER, INIT = 'never', 'handler', 'init'
# For the rows in which no exit code is posted; 5 min at W&B.
SILENCE = 2.0


class States(SweepTest):
    def start_marking(self, mark, handle='', **environ):
        """A wrapped agent whose trainer marks itself as preempting: never, in its handler, or right
        after wandb.init()."""
        handle = handle if mark == HANDLER else ''
        self.serve(stale=SILENCE)
        return self.wrapped(options=['--hold', '1', '--exit-preempted', '85'], TRAINER_MARK=mark, TRAINER_HANDLE=handle,
                            **environ)

    def end_by_itself(self, mark, code, state):
        wrapper = self.start_marking(mark, 'USR1', TRAINER_END=str(code))
        self.trainer()
        self.wait_for_state(state)
        self.server.sweep_state = 'FINISHED'
        self.assertEqual(self.ended(wrapper), 0)
        self.assertEqual(self.server.run().exit_code, code)

    def end_by_notice(self, mark, notice, state, code):
        """`code`: what the trainer posts; nothing if it just died."""
        wrapper = self.start_marking(mark, notice)
        self.trainer()
        wrapper.signal(notice)
        self.assertEqual(self.ended(wrapper), 85)
        self.wait_for_state(state)
        self.assertEqual(self.server.run().exit_code, code)
        self.assertEqual(self.begun(), ['run1'])
        self.assert_nothing_left()

    def end_by_kill(self, mark, state):
        """As the kernel does it when memory runs out: to the trainer itself."""
        wrapper = self.start_marking(mark, 'USR1')
        trainer = self.trainer()
        self.server.sweep_state = 'FINISHED'
        os.kill(trainer, signal.SIGKILL)
        self.assertEqual(self.ended(wrapper), 0)
        self.wait_for_state(state)
        self.assertIsNone(self.server.run().exit_code)

    def test_exit_0_no_mark(self):
        self.end_by_itself(NEVER, 0, 'finished')

    def test_exit_0_mark_in_handler(self):
        self.end_by_itself(HANDLER, 0, 'finished')

    def test_exit_0_mark_after_init(self):
        self.end_by_itself(INIT, 0, 'finished')

    def test_exit_3_no_mark(self):
        self.end_by_itself(NEVER, 3, 'failed')

    def test_exit_3_mark_in_handler_that_did_not_run(self):
        self.end_by_itself(HANDLER, 3, 'failed')

    def test_exit_3_mark_after_init(self):
        self.end_by_itself(INIT, 3, 'preempted')

    def test_kill_no_mark(self):
        self.end_by_kill(NEVER, 'crashed')

    def test_kill_mark_in_handler(self):
        self.end_by_kill(HANDLER, 'crashed')

    def test_kill_mark_after_init(self):
        self.end_by_kill(INIT, 'preempted')

    def test_int_no_mark(self):
        self.end_by_notice(NEVER, 'INT', 'killed', 255)

    def test_int_mark_in_handler(self):
        self.end_by_notice(HANDLER, 'INT', 'preempted', 130)

    def test_int_mark_after_init(self):
        self.end_by_notice(INIT, 'INT', 'preempted', 255)

    def test_term_no_mark(self):
        self.end_by_notice(NEVER, 'TERM', 'crashed', None)

    def test_term_mark_in_handler(self):
        self.end_by_notice(HANDLER, 'TERM', 'preempted', 143)

    def test_term_mark_after_init(self):
        self.end_by_notice(INIT, 'TERM', 'preempted', None)

    def test_usr1_mark_in_handler(self):
        self.end_by_notice(HANDLER, 'USR1', 'preempted', 138)

    def test_usr1_without_a_handler_is_a_term(self):
        self.end_by_notice(NEVER, 'USR1', 'crashed', None)


if __name__ == '__main__':
    main()
