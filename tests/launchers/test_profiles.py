#!/usr/bin/env python3
"""The profiles that ship, each with the real launcher: that it is what its file says, and that the
settings of the profile are right for it. wandb-agent is in tests/examples, srun in tests/slurm.

    test_profiles.py [-k NAME]
"""
import glob
import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(_HERE, '..', 'e2e'))

from components import torchrun, venv
from launchers import accelerate, bash, mpirun, torchrun_of
from life import Life, LifeTest
from processes import until
from wrapper import main

# What submitit runs: in another process it is found by its module's name.
_SUBMITIT = '''import sys, time
from submitit.core import utils
class Work:
    def __call__(self):
        print("training", flush=True)
        while True: time.sleep(0.02)
    def checkpoint(self):
        print("saved", flush=True)
        return utils.DelayedSubmission(self)
Work.__module__ = "__main__"
submission = utils.DelayedSubmission(Work())
submission.set_timeout(60, max_num_timeout=3)
submission.dump(sys.argv[1])
'''


class Profiles(LifeTest):
    def setUp(self):
        self.life = Life()
        self.addCleanup(self.life.__exit__)

    def start(self, command, *options, ranks=1, **more):
        self.life.start(command, options, **more)
        if ranks:
            self.life.log.wait_for('ready', ranks, seconds=60)
        return self.life

    def wait_for_words(self, text):
        until(text, lambda: text in self.life.output() or not self.life.running(), 60)

    def assert_status(self, status):
        self.assertEqual(self.life.wait(), status, self.life.story())
        self.assertEqual(self.life.left(), [], self.life.story())

    def test_torchrun(self):
        """Ranks that save and exit 0 make torchrun exit 0."""
        self.need_components(torchrun)
        life = self.start(torchrun_of(2)(self.life, 'USR1=save:0.5:0'), ranks=2)
        life.send('USR1')
        self.assert_status(85)
        self.assertIn('profile torchrun: exit-preempted 85', life.output())

    def test_accelerate(self):
        """A trainer that knows TERM alone and exits 0 after its save, as transformers' does."""
        self.need_components(lambda: venv('accelerate'))
        life = self.start(accelerate(self.life, 'TERM=save:0.5:0'), '--hold', '300ms')
        life.send('USR1')
        self.assert_status(85)
        self.assert_told_once(life, 'TERM', 1)
        self.assertIn('profile accelerate: exit-preempted 85', life.output())

    def test_accelerate_with_a_trainer_that_handles_usr1(self):
        self.need_components(lambda: venv('accelerate'))
        life = self.start(accelerate(self.life, 'USR1=save:0.5:0', 'TERM=log'))
        life.send('USR1')
        self.assert_status(85)
        self.assert_told_once(life, 'USR1', 1)

    def test_mpirun(self):
        """Each rank gets the notice, and a save may take longer than the 1 s that mpirun gives."""
        for notice, status in (('USR1', 138), ('TERM', 143)):
            with self.subTest(notice), Life() as self.life:
                rule = f'{notice}=save:2.5:{status}'
                life = self.start(mpirun(self.life, rule), ranks=2)
                life.send(notice)
                self.assert_status(status)
                self.assert_told_once(life, notice, 2)
                self.assertIn('profile mpirun; each rank', life.output())

    def test_mpirun_by_itself(self):
        life = self.life.start(mpirun(self.life, 'TERM=save:10:143'))
        life.log.wait_for('ready', 2, seconds=60)
        life.send('TERM')
        life.wait()
        self.assertEqual(len(life.log.of('got')), 2, life.story())
        self.assertEqual(life.log.of('saved'), [], life.story())

    def test_bash(self):
        """Past the script to who handles it; its own trap where nobody does."""
        life = self.start(bash('trap "echo trapped" USR1\n{rank}\nexit 0\n')(
            self.life, 'USR1=save:0.5:0'))
        life.send('USR1')
        self.assert_status(0)
        self.assert_told_once(life, 'USR1', 1)
        self.assertNotIn('trapped', life.output())
        self.assertIn('profile bash; a notice', life.output())

    def test_bash_with_nobody_below_it(self):
        script = 'trap "echo trapped; exit 7" USR1\necho training\nwhile :; do sleep 0.1; done\n'
        life = self.start(self.life.script(script), '--hold', '300ms', ranks=0)
        self.wait_for_words('training')
        life.send('USR1')
        self.assert_status(7)
        self.assertIn('trapped', life.output())

    def test_lightning(self):
        """It saves and requeues on USR1 and trains on; it leaves at the TERM shortly before KILL."""
        self.need_components(lambda: venv('python'))
        asked = self.stand_in('scontrol')
        trainer = os.path.join(_HERE, 'lightning_trainer.py')
        job = {'SLURM_JOB_ID': '7', 'SLURM_NTASKS': '1', 'SLURM_JOB_NAME': 'train',
               'SLURM_PROCID': '0', 'SLURM_LOCALID': '0', 'SLURM_NODEID': '0',
               'SLURM_NODELIST': 'localhost'}
        # As the default ladder, but with the time that a busy machine takes to leave.
        life = self.start([venv('python'), trainer], '--profile', 'lightning',
                          '--ladder', 'relay@5s,TERM@40s,KILL', ranks=0,
                          PATH=f'{self.life.folder}/bin:{os.environ["PATH"]}', **job)
        self.wait_for_words('training')
        life.send('USR1')
        self.assert_status(85)
        with open(asked, encoding='utf-8') as file:
            self.assertEqual(file.read(), 'requeue 7\n')
        self.assertEqual(len(glob.glob(f'{life.folder}/hpc_ckpt_*')), 1)
        self.assertIn('the trainer exited 0', life.output())
        self.assertNotIn('finished', life.output())

    def submitit(self):
        """A task below submitit, at work."""
        self.need_components(lambda: venv('python'))
        python = venv('python')
        folder = self.life.folder
        job = {'SUBMITIT_EXECUTOR': 'local', 'SUBMITIT_LOCAL_JOB_ID': '7',
               'SUBMITIT_LOCAL_NTASKS': '1', 'SUBMITIT_LOCAL_GLOBALID': '0',
               'SUBMITIT_LOCAL_LOCALID': '0', 'SUBMITIT_LOCAL_NNODES': '1',
               'SUBMITIT_LOCAL_NODEID': '0'}
        with open(folder + '/make.py', 'w', encoding='ascii') as file:
            file.write(_SUBMITIT)
        self.assertEqual(os.spawnv(os.P_WAIT, python, [python, folder + '/make.py',
                                                       folder + '/7_submitted.pkl']), 0)
        return self.start([python, '-u', '-m', 'submitit.core._submit', folder], '-k', '4',
                          ranks=0, **job)

    def test_submitit(self):
        """It saves on USR2 and says by its status that it wants to be requeued."""
        life = self.submitit()
        self.wait_for_words('training')
        life.send('USR2')
        self.assert_status(144)
        self.assertIn('saved', life.output())
        self.assertIn('profile submitit; submitit saves on USR2', life.output())

    def test_submitit_ignores_term(self):
        life = self.submitit()
        self.wait_for_words('training')
        life.send('TERM')
        self.assert_status(137)
        self.assertNotIn('saved', life.output())

    def stand_in(self, name):
        """A program of that name which only notes its arguments; the file of the notes."""
        folder = self.life.folder + '/bin'
        os.mkdir(folder)
        with open(f'{folder}/{name}', 'w', encoding='ascii') as file:
            file.write(f'#!/bin/sh\necho "$*" >>{folder}/{name}.asked\n')
        os.chmod(f'{folder}/{name}', 0o755)
        return f'{folder}/{name}.asked'


if __name__ == '__main__':
    main()
