#!/usr/bin/env python3
"""Agents below preempt-wrap while somebody steers the sweep with `wandb sweep`, and several agents
at a time: on two nodes, and in one job."""
import subprocess

from sweep import SWEEP_PATH, SweepTest, alive, comm, main, settle, stat

PREEMPTED = 85


class Sweeps(SweepTest):
    def wrapped_agent(self, *flags, **how):
        return self.wrapped(*flags, options=['--exit-preempted', str(PREEMPTED)], **how)

    def steer(self, order):
        subprocess.run(self.wandb('sweep', order, SWEEP_PATH), env=self.agent_environ(), check=True,
                       cwd=self.dir, timeout=60, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    def test_cancel_kills_the_trainer_and_is_no_preemption(self):
        self.serve(runs=2)
        wrapper = self.wrapped_agent()
        self.trainer()
        self.steer('--cancel')
        self.assertEqual(self.ended(wrapper), 0)
        self.assertEqual((self.server.sweep_state, self.got()), ('CANCELED', []))
        self.assertEqual(self.server.posted(), [])
        self.assert_nothing_left()

    def test_stop_lets_the_run_finish(self):
        self.serve(runs=2)
        wrapper = self.wrapped_agent(TRAINER_HANDLE='USR1')
        trainer = self.trainer()
        self.steer('--stop')
        settle()
        self.assertTrue(alive(trainer))
        wrapper.signal('USR1')
        self.assertEqual(self.ended(wrapper), PREEMPTED)
        self.assertEqual(self.server.run().state, 'preempted')
        self.assertEqual(self.begun(), ['run1'])

    def test_pause_keeps_the_agent_waiting_and_a_notice_ends_it(self):
        self.serve(runs=2)
        wrapper = self.wrapped_agent()
        self.trainer()
        self.steer('--pause')
        wrapper.signal('USR1')
        self.assertEqual(self.ended(wrapper), PREEMPTED)
        self.assertEqual(self.server.queue, ['run1'])
        self.steer('--resume')
        self.bare()
        self.trainer(2)
        self.assertEqual(self.server.given()[-1][:2], ('run1', 'resume'))

    def test_two_agents_of_one_sweep(self):
        """As on two nodes that go away together: each run comes back once."""
        self.serve(runs=2)
        wrappers = [self.wrapped_agent('--forward-signals'), self.wrapped_agent()]
        self.trainer(2)
        for wrapper in wrappers:
            wrapper.signal('USR1')
        self.assertEqual([self.ended(wrapper) for wrapper in wrappers], [PREEMPTED, PREEMPTED])
        self.assertEqual(sorted(self.begun()), ['run1', 'run2'])
        self.assertEqual(sorted(self.server.queue), ['run1', 'run2'])
        self.bare()
        self.bare()
        self.trainer(4)
        self.assertEqual(sorted(given[:2] for given in self.server.given()[2:]),
                         [('run1', 'resume'), ('run2', 'resume')])

    def four_agents(self, *flags):
        """One job, `wandb agent &` four times and `wait`: bash ignores INT in all four."""
        self.serve(runs=8)
        line = ' '.join(self.agent_command(*flags)) + ' & '
        wrapper = self.wrapped(command=['bash', '-c', line * 4 + 'wait; echo after all saves'],
                               options=['--exit-preempted', str(PREEMPTED)], TRAINER_SAVE='0.5')
        self.trainer(4)
        agents = self.agent_pids()
        self.assertEqual([comm(stat(agent)[1]) for agent in agents], ['bash'] * 4)
        wrapper.signal('USR1')
        self.assertEqual(self.ended(wrapper), PREEMPTED, wrapper.err)
        self.assertEqual(self.got(), ['USR1'] * 4)
        self.assertEqual(len({note.pid for note in self.notes('saved')}), 4)
        self.assertEqual(sorted(self.begun()), ['run1', 'run2', 'run3', 'run4'])
        self.assertEqual(sorted(self.server.queue), ['run1', 'run2', 'run3', 'run4'])
        self.assertIn('after all saves', wrapper.out)
        self.assert_nothing_left()

    def test_four_agents_in_one_job(self):
        self.four_agents()

    def test_four_forwarding_agents_in_one_job(self):
        self.four_agents('--forward-signals')


if __name__ == '__main__':
    main()
