#!/usr/bin/env python3
"""`wandb agent` below preempt-wrap, the rows of test_bare.py: the trainer gets the notice once and
saves, W&B hears `preempting` and the exit code, no run is started on the node that goes away,
nothing is left, and the next agent gets the run as `resume`.

With wandb 0.31.0. Every row is tested with and without --forward-signals.
"""
import os
import signal

from sweep import FULL, SWEEP_PATH, SweepTest, comm, main, stat, until

PREEMPTED = 85  # what the profile of the agent sets: the agent itself ends with 0


class Rows:
    flags = []

    def wrapped_agent(self, *flags, options=(), **how):
        return self.wrapped(*self.flags, *flags, **how,
                            options=['--exit-preempted', str(PREEMPTED), *options])

    def started(self, *flags, **how):
        """A wrapped agent whose trainer is ready for a notice; more runs would be there for it."""
        self.serve(runs=3)
        wrapper = self.wrapped_agent(*flags, **how)
        self.trainer()
        return wrapper

    def assert_saved_and_left(self, wrapper, notice='USR1', code=138):
        """What must be true after any notice to a trainer that handles it."""
        self.assertEqual(self.ended(wrapper), PREEMPTED, wrapper.err)
        self.assertEqual(self.got(), [notice], wrapper.err)
        self.assertEqual(len(self.notes('saved')), 1)
        self.assertEqual(self.server.posted(), ['preempting', code])
        self.assertEqual(self.server.run().states,
                         ['pending', 'running', 'preempting', 'preempted'])
        self.assert_no_other_run()

    def assert_no_other_run(self):
        self.assertEqual(self.begun(), ['run1'])
        self.assertEqual([run for run, _, _ in self.server.given()], ['run1'])
        self.assert_nothing_left()

    def assert_resumed_by_the_next_agent(self):
        self.bare()
        self.trainer(2)
        self.assertEqual(self.server.given()[-1], ('run1', 'resume', 'agent2'))
        self.assertEqual(self.notes('ready')[-1].words, ['run1', 'resumed'])

    def test_usr1(self):
        wrapper = self.started()
        wrapper.signal('USR1')
        self.assert_saved_and_left(wrapper)
        self.assert_resumed_by_the_next_agent()

    def test_usr1_to_a_trainer_that_is_gone_at_once(self):
        """Whether the agent is told before it asks for work again must not depend on luck."""
        for _ in range(10 if FULL else 1):
            wrapper = self.started(TRAINER_SAVE='0')
            wrapper.signal('USR1')
            self.assert_saved_and_left(wrapper)
            self.forget()

    def test_a_before_the_first_run(self):
        self.serve(runs=1).sweep_state = 'PAUSED'
        wrapper = self.wrapped_agent()
        until('a heartbeat', lambda: self.server.of('graphql', 'Heartbeat'), 60)
        wrapper.signal('USR1')
        self.assertEqual(self.ended(wrapper), PREEMPTED)
        self.assertEqual(self.server.given(), [])
        self.assert_nothing_left()

    def test_a_between_two_runs(self):
        """An agent that forwards has handlers for everything by now, and nobody to forward to."""
        self.serve(runs=1, after='PAUSED')
        wrapper = self.wrapped_agent(TRAINER_END='0')
        self.wait_for_state('finished')
        until('an idle heartbeat', lambda: [beat for beat in self.server.of('graphql', 'Heartbeat')
                                            if beat.at > self.server.of('command')[0].at
                                            and beat.details['runState'] == '{}'], 60)
        wrapper.signal('USR1')
        self.assertEqual(self.ended(wrapper), PREEMPTED)
        self.assert_no_other_run()

    def test_c_count_1(self):
        wrapper = self.started('--count', '1')
        wrapper.signal('USR1')
        self.assert_saved_and_left(wrapper)

    def test_e_f_term(self):
        wrapper = self.started(TRAINER_HANDLE='TERM')
        wrapper.signal('TERM')
        self.assert_saved_and_left(wrapper, 'TERM', 143)
        self.assert_resumed_by_the_next_agent()

    def test_g_a_term_does_not_interrupt_the_save(self):
        wrapper = self.started(TRAINER_HANDLE='USR1,TERM', TRAINER_SAVE='1')
        wrapper.signal('USR1')
        self.wait_for('got')
        wrapper.signal('TERM')
        self.assert_saved_and_left(wrapper)

    def test_h_in_the_background_of_a_script(self):
        """bash ignores INT in what it starts with `&`, and so does the agent then."""
        self.serve(runs=3)
        line = ' '.join(self.agent_command(*self.flags)) + ' & wait; echo after the save'
        wrapper = self.wrapped(command=['bash', '-c', line],
                               options=['--exit-preempted', str(PREEMPTED)])
        self.assertEqual(comm(stat(self.trainer())[1]), 'wandb')
        wrapper.signal('USR1')
        self.assert_saved_and_left(wrapper)
        self.assertIn('after the save', wrapper.out)

    def test_i_a_trainer_without_a_handler(self):
        wrapper = self.started(options=['--hold', '1'], TRAINER_HANDLE='')
        wrapper.signal('USR1')
        self.assertEqual(self.ended(wrapper), PREEMPTED, wrapper.err)
        self.assertEqual(self.server.posted(), [])
        self.assert_no_other_run()

    def test_i_a_trainer_with_a_handler_for_term_only(self):
        wrapper = self.started(options=['--hold', '1'], TRAINER_HANDLE='TERM')
        wrapper.signal('USR1')
        self.assert_saved_and_left(wrapper, 'TERM', 143)

    def test_j_an_agent_that_is_killed_leaves_nobody(self):
        self.started(TRAINER_HANDLE='TERM')
        agent, = self.agent_pids()
        os.kill(agent, signal.SIGKILL)
        self.wait_until_nothing_left()
        self.assertEqual(self.got(), ['TERM'])
        self.assertEqual(self.server.posted(), ['preempting', 143])

    def test_k_the_agents_own_limit_does_not_cut_the_save(self):
        wrapper = self.started('--term-timeout', '1', TRAINER_SAVE='4')
        wrapper.signal('USR1')
        self.assert_saved_and_left(wrapper)

    def test_m_int(self):
        wrapper = self.started(TRAINER_HANDLE='INT')
        wrapper.signal('INT')
        self.assert_saved_and_left(wrapper, 'INT', 130)

    def test_n_the_second_int_is_not_passed_on(self):
        wrapper = self.started(TRAINER_HANDLE='INT,TERM', TRAINER_SAVE='2')
        wrapper.signal('INT')
        self.wait_for('got')
        wrapper.signal('INT')
        self.assert_saved_and_left(wrapper, 'INT', 130)

    def test_o_a_trainer_that_still_imports_gets_it_when_it_can(self):
        self.serve(runs=3)
        wrapper = self.wrapped_agent(TRAINER_IMPORT='2')
        self.wait_for('begun')
        wrapper.signal('USR1')
        self.assert_saved_and_left(wrapper)

    def test_a_trainer_behind_a_shell(self):
        self.serve(runs=3, command=['bash', '-c', '"$0" "$@"; exit', 'python', '${program}'])
        wrapper = self.wrapped_agent()
        self.assertEqual(comm(stat(self.trainer())[1]), 'bash')
        wrapper.signal('USR1')
        self.assert_saved_and_left(wrapper)

    def test_an_agent_that_the_kernel_calls_python(self):
        self.serve(runs=3)
        words = [f'{self.bin}/python', '-m', 'wandb', 'agent', *self.flags, SWEEP_PATH]
        wrapper = self.wrapped_agent(command=words)
        self.assertEqual(comm(stat(self.trainer())[1]), 'python')
        wrapper.signal('USR1')
        self.assert_saved_and_left(wrapper)

    def test_a_trainer_that_names_itself_by_a_file(self):
        """W&B's other recipe: the trainer writes its PID, and the notice goes there."""
        wrapper = self.started(options=['--target-pid-file', self.path('pid')],
                               TRAINER_PID_FILE=self.path('pid'))
        wrapper.signal('USR1')
        self.assert_saved_and_left(wrapper)

    def test_advice_leaves_the_agent_at_work(self):
        """A USR1 with the end more than 30 min away is "save and go on": no reason to stop."""
        wrapper = self.started(options=['--lead', '1h'])
        wrapper.signal('USR1')
        self.trainer(2)
        self.assertEqual(self.server.given()[1][:2], ('run1', 'resume'))


class Plain(Rows, SweepTest):
    pass


class Forwarding(Rows, SweepTest):
    flags = ['--forward-signals']

    def test_an_agent_that_hangs_at_its_end_is_told_again(self):
        """It waits for its wandb-core for ever; seen once without our help on a busy machine."""
        wrapper = self.started()
        agent, = self.agent_pids()
        core, = [pid for pid in self.left() if stat(pid)[1] == agent and comm(pid) == 'wandb-core']
        os.kill(core, signal.SIGSTOP)
        wrapper.signal('USR1')
        self.assert_saved_and_left(wrapper)


if __name__ == '__main__':
    main()
