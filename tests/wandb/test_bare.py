#!/usr/bin/env python3
"""What the installed `wandb agent` does with a notice when nobody stands in between: the facts that
the rule for agents is built on (the rows' letters are those of test_wrapped.py). A row that fails
after an update of wandb says that the rule must be looked at again, not that it is broken.

Seen with wandb 0.31.0. The agent's name is "wandb"; it catches INT alone until, with
--forward-signals, its first child is about to start: then everything. wandb-core (in a session of
its own) catches everything that can be caught, and ends at once of TERM or INT.
"""
import os
import signal
import unittest

from sweep import SweepTest, alive, caught, comm, main, settle, stat, until

TERM_OF_OURS = {int(signal.SIGTERM), int(signal.SIGUSR1)}


class Bare(SweepTest):
    def started(self, *flags, runs=2, **environ):
        """(agent, PID of its trainer), the trainer being ready for a notice."""
        self.serve(runs=runs)
        agent = self.bare(*flags, **environ)
        return agent, self.trainer()

    def assert_preempted(self, code=138):
        self.assertEqual(self.server.posted(), ['preempting', code])
        self.assertEqual(self.server.run().states[:4],
                         ['pending', 'running', 'preempting', 'preempted'])

    def assert_next_run_is_started_here(self, runs):
        self.trainer(2)
        self.assertEqual(self.begun(), runs)

    def assert_orphan(self, trainer):
        settle()
        self.assertTrue(alive(trainer))
        self.assertEqual(self.got(), [])

    def test_what_the_processes_look_like(self):
        agent, trainer = self.started()
        self.assertEqual(comm(agent.pid), 'wandb')
        self.assertIn(int(signal.SIGINT), caught(agent.pid))
        self.assertFalse(caught(agent.pid) & TERM_OF_OURS)
        self.assertEqual(stat(trainer)[1:3], (agent.pid, trainer), 'a group of its own')
        cores = [pid for pid in self.left() if comm(pid) == 'wandb-core']
        self.assertEqual({stat(pid)[1] for pid in cores}, {agent.pid, trainer})
        for core in cores:
            self.assertEqual(stat(core)[3], core, 'a session of its own')
            self.assertLess(TERM_OF_OURS, caught(core))

    def test_what_forwarding_looks_like(self):
        agent, _ = self.started('--forward-signals')
        self.assertLess(TERM_OF_OURS, caught(agent.pid))

    def test_wandb_core_dies_of_term(self):
        _, trainer = self.started()
        core, = [pid for pid in self.left() if stat(pid)[1] == trainer]
        os.kill(core, signal.SIGTERM)
        until('the end of wandb-core', lambda: not alive(core))
        os.kill(trainer, signal.SIGUSR1)
        self.wait_for('got')
        until('the end of the trainer', lambda: not alive(trainer))
        self.assertEqual(self.server.posted(), [], 'neither the mark nor the exit code')

    def test_a_usr1_before_the_first_run_ends_a_forwarding_agent(self):
        self.serve(runs=0).sweep_state = 'PAUSED'
        agent = self.bare('--forward-signals')
        until('the first heartbeat', lambda: self.server.of('graphql', 'Heartbeat'), 60)
        agent.signal('USR1')
        self.assertEqual(self.ended(agent), -signal.SIGUSR1)

    def test_b_usr1_forwarded_the_preempted_run_is_started_again_here(self):
        agent, _ = self.started('--forward-signals')
        agent.signal('USR1')
        self.assert_next_run_is_started_here(['run1', 'run1'])
        self.assert_preempted()

    def test_c_usr1_forwarded_with_count_1(self):
        agent, _ = self.started('--forward-signals', '--count', '1')
        agent.signal('USR1')
        self.assertEqual(self.ended(agent), 0)
        self.assert_preempted()
        self.assertEqual(self.begun(), ['run1'])

    def test_d_usr1_orphans_the_trainer(self):
        agent, trainer = self.started()
        agent.signal('USR1')
        self.assertEqual(self.ended(agent), -signal.SIGUSR1)
        self.assert_orphan(trainer)

    def test_e_term_forwarded(self):
        agent, _ = self.started('--forward-signals', TRAINER_HANDLE='TERM')
        agent.signal('TERM')
        self.assertEqual(self.ended(agent), 0)
        self.assert_preempted(143)
        self.assertEqual(self.begun(), ['run1'])

    def test_f_term_orphans_the_trainer(self):
        agent, trainer = self.started()
        agent.signal('TERM')
        self.assertEqual(self.ended(agent), -signal.SIGTERM)
        self.assert_orphan(trainer)

    def test_g_term_interrupts_the_save_for_usr1(self):
        agent, _ = self.started('--forward-signals', TRAINER_HANDLE='USR1,TERM',
                                TRAINER_SAVE='1')
        agent.signal('USR1')
        self.wait_for('got')
        agent.signal('TERM')
        self.assertEqual(self.ended(agent), 0)
        self.assertEqual(self.got(), ['USR1', 'TERM'])
        self.assertEqual(len(self.notes('saved')), 1, 'the save for USR1 was cut')

    def test_h_in_the_background_of_a_script_int_is_ignored(self):
        command = ' '.join(self.agent_command('--forward-signals'))
        self.serve(runs=2)
        self.bare(command=['bash', '-c', command + ' & wait'], TRAINER_SAVE='2')
        agent = stat(self.trainer())[1]
        self.assertEqual(comm(agent), 'wandb')
        os.kill(agent, signal.SIGUSR1)
        self.wait_for('got')
        os.kill(agent, signal.SIGINT)
        self.trainer(2)  # the agent has gone on, as if there had been no INT
        self.assertEqual(self.notes('saved'), [], 'but the trainer was interrupted in its save')

    def test_i_usr1_forwarded_to_a_trainer_without_a_handler(self):
        agent, _ = self.started('--forward-signals', TRAINER_HANDLE='')
        agent.signal('USR1')
        self.assert_next_run_is_started_here(['run1', 'run2'])
        self.assertEqual(self.server.posted(), [])

    def test_j_kill_orphans_the_trainer(self):
        agent, trainer = self.started('--forward-signals')
        agent.signal('KILL')
        self.assertEqual(self.ended(agent), -signal.SIGKILL)
        self.assert_orphan(trainer)

    def test_k_the_agents_own_limit_kills_the_save(self):
        agent, trainer = self.started('--forward-signals', '--term-timeout', '1',
                                      TRAINER_HANDLE='TERM', TRAINER_SAVE='30')
        agent.signal('TERM')
        self.assertEqual(self.ended(agent), 0)
        until('the end of the trainer', lambda: not alive(trainer))
        self.assertEqual(self.notes('saved'), [])

    def test_l_int_to_the_agent_then_usr1_to_the_trainer(self):
        agent, trainer = self.started()
        agent.signal('INT')
        os.kill(trainer, signal.SIGUSR1)
        self.assertEqual(self.ended(agent), 0)
        self.assert_preempted()
        self.assertEqual(self.begun(), ['run1'])

    def test_m_int_forwarded_is_a_keyboard_interrupt(self):
        agent, _ = self.started('--forward-signals')
        agent.signal('INT')
        self.assertEqual(self.ended(agent), 0)
        self.assertEqual(self.server.posted(), [255])
        self.assertEqual(self.server.run().state, 'killed')

    def test_n_the_second_int_is_a_term_for_the_trainer(self):
        agent, _ = self.started(TRAINER_HANDLE='TERM', WANDB_SILENT='false')
        agent.signal('INT')
        until('the agent says that it waits', lambda: 'Waiting for runs to end' in agent.err)
        agent.signal('INT')
        self.assertEqual(self.ended(agent), 0)
        self.assertEqual(self.got(), ['TERM'])

    def test_o_usr1_to_the_trainer_alone(self):
        _, trainer = self.started()
        os.kill(trainer, signal.SIGUSR1)
        self.assert_next_run_is_started_here(['run1', 'run1'])
        self.assert_preempted()


if __name__ == '__main__':
    main()
