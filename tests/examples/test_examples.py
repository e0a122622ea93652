#!/usr/bin/env python3
"""Each trainer of examples/ below preempt-wrap: a notice, the checkpoint, the exit status, and the
next start goes on where this one stopped. Their sbatch files: tests/slurm/test_examples.py."""
import json
import os
import re
import subprocess
import sys

_TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(_TESTS, 'e2e'))
sys.path.insert(0, os.path.join(_TESTS, 'wandb'))

import environment  # noqa: E402
from backend import ENTITY, PROJECT, SWEEP, Backend  # noqa: E402
from processes import pids, stat, until  # noqa: E402
from sweep import LIMIT, SweepTest  # noqa: E402
from wrapper import WrapperTest, main  # noqa: E402

EXAMPLES = os.path.join(os.path.dirname(_TESTS), 'examples')
PYTHON = '/usr/bin/python3'  # Debian's own: it has PyTorch


class Example(WrapperTest):
    def example(self, *command, steps, options=(), **environ):
        """Starts one, with so many steps to do in all, and waits until it trains."""
        wrapper = self.start(*options, '--', *command, cwd=self.dir,
                             env=self.environ(STEPS=str(steps), OMP_NUM_THREADS='1', **environ))
        until(f'the first step; {wrapper.err}',
              lambda: 'from step' in wrapper.out or not wrapper.running(), LIMIT)
        return wrapper

    def begun_at(self, wrapper):
        """The step that it went on from."""
        return int(re.search(r'from step (\d+)', wrapper.out)[1])

    def preempted(self, wrapper, *, status, notice='USR1'):
        wrapper.signal(notice)
        self.assertEqual(wrapper.wait(LIMIT), status, wrapper.err)
        self.assert_nothing_left()

    def goes_on(self, *command, step, **how):
        """The next start does the few steps that are left."""
        wrapper = self.example(*command, steps=step + 2, **how)
        self.assertEqual(wrapper.wait(LIMIT), 0, wrapper.err)
        self.assertEqual(self.begun_at(wrapper), step)
        return wrapper

    def python(self, name):
        return [PYTHON, os.path.join(EXAMPLES, name)]


class Plain(Example):
    def test_train_py(self):
        command = [*self.python('train.py'), '--save-time', '0']
        for notice, status in (('USR1', 138), ('TERM', 143)):
            wrapper = self.example(*command, steps=0)
            self.preempted(wrapper, status=status, notice=notice)
        with open(self.path('checkpoint.json'), encoding='utf-8') as file:
            step = json.load(file)['step']
        self.goes_on(*command, '--steps', str(step + 1), step=step)

    def test_train_c(self):
        program = self.path('train')
        subprocess.run(['cc', '-O2', '-Wall', '-Wextra', '-Werror', '-o', program,
                        os.path.join(EXAMPLES, 'train.c')], check=True)
        wrapper = self.example(program, steps=1000)
        self.preempted(wrapper, status=138)
        with open(self.path('checkpoint'), encoding='ascii') as file:
            step = int(file.read())
        self.assertIn(f'saved step {step}', wrapper.out)
        self.goes_on(program, step=step)

    def test_poll_notice_file_py(self):
        for notice in ('USR1', 'TERM'):
            with self.subTest(notice):
                command = self.python('poll_notice_file.py')
                options = ['--notice-file', self.path('notice-%j.json')]
                wrapper = self.example(*command, steps=1000, options=options)
                self.preempted(wrapper, status=75, notice=notice)
                with open(self.path('results.json'), encoding='utf-8') as file:
                    outcome = json.load(file)
                self.assertEqual(outcome['status'], 'interrupted')
                self.assertEqual(outcome['results'],
                                 [n * n for n in range(len(outcome['results']))])
                self.assertTrue(os.path.exists(self.path('notice-0.json')))
                self.goes_on(*command, step=len(outcome['results']), options=options)
                with open(self.path('results.json'), encoding='utf-8') as file:
                    self.assertEqual(json.load(file)['status'], 'complete')
                os.remove(self.path('results.json'))

    def test_poll_notice_file_py_without_us(self):
        done = subprocess.run(self.python('poll_notice_file.py'), cwd=self.dir, check=False,
                              env=self.environ(STEPS='2'), timeout=LIMIT)
        self.assertEqual(done.returncode, 0)


class Torch(Example):
    def setUp(self):
        super().setUp()
        found = subprocess.run([PYTHON, '-c', 'import torch'], check=False, capture_output=True)
        self.need(found.returncode == 0, f'{PYTHON} has no PyTorch (apt install python3-torch)')

    def workers(self, wrapper):
        """The trainer and its DataLoader workers."""
        trainer, = [pid for pid in self.left() if (s := stat(pid)) and s[1] == wrapper.pid]
        return trainer, [pid for pid in pids() if (s := stat(pid)) and s[1] == trainer]

    def test_torch_train_py(self):
        command = self.python('torch_train.py')
        wrapper = self.example(*command, steps=1000)
        trainer, workers = until('two workers', lambda: self._two(wrapper), LIMIT)
        # Who signals every process of the job, as Slurm may, disturbs no worker.
        for pid in workers:
            until('a deaf worker', lambda pid=pid: ignores_usr1(pid), LIMIT)
            os.kill(pid, 10)
        self.preempted(wrapper, status=138)
        step = int(re.search(r'saved step (\d+)', wrapper.out)[1])
        self.assertNotIn('Traceback', wrapper.err)
        self.goes_on(*command, step=step)

    def _two(self, wrapper):
        trainer, workers = self.workers(wrapper)
        return len(workers) == 2 and (trainer, workers)


def ignores_usr1(pid):
    with open(f'/proc/{pid}/status', encoding='ascii') as file:
        mask = next(int(line.split()[1], 16) for line in file if line.startswith('SigIgn'))
    return bool(mask >> 9 & 1)


class Wandb(SweepTest):
    """With the real wandb, against the stand-in server of tests/wandb."""

    def setUp(self):
        super().setUp()
        try:
            SweepTest.bin = environment.prepare()
        except environment.Missing as missing:
            self.need(False, f'wandb cannot be installed from PyPI: {missing}')

    def serve(self, **how):
        self.server = Backend(program=os.path.join(EXAMPLES, 'wandb_train.py'), **how)
        self.addCleanup(self.server.close)
        return self.server

    def example(self, *command, steps=1000, options=()):
        wrapper = self.start(*options, '--', *command, cwd=self.dir,
                             env=self.agent_environ(STEPS=str(steps)))
        until('the first step', lambda: 'from step' in wrapper.out or not wrapper.running(), LIMIT)
        return wrapper

    def python(self, name):
        return [os.path.join(self.bin, 'python'), os.path.join(EXAMPLES, name)]

    def steps_saved(self):
        name, = [name for name in os.listdir(self.dir) if re.fullmatch('checkpoint-.*json', name)]
        with open(self.path(name), encoding='utf-8') as file:
            return json.load(file)['step']

    def assert_preempted(self, wrapper, status, notice='USR1', code=138, run='run1'):
        wrapper.signal(notice)
        self.assertEqual(self.ended(wrapper), status, wrapper.err)
        self.assertEqual(self.server.posted(run), ['preempting', code])
        self.assertEqual(self.server.run(run).state, 'preempted')
        self.assert_nothing_left()
        return self.steps_saved()

    def test_wandb_train_py(self):
        self.serve()
        wrapper = self.start('--', *self.python('wandb_train.py'), cwd=self.dir,
                             env=self.agent_environ(STEPS='1000', SLURM_JOB_ID='812'))
        until('the first step', lambda: 'from step' in wrapper.out, LIMIT)
        step = self.assert_preempted(wrapper, 143, notice='TERM', code=143, run='812')
        wrapper = self.start('--', *self.python('wandb_train.py'), cwd=self.dir,
                             env=self.agent_environ(STEPS=str(step + 1), SLURM_JOB_ID='812'))
        self.assertEqual(self.ended(wrapper), 0, wrapper.err)
        self.assertIn(f'run 812 from step {step}', wrapper.out)
        self.assertEqual(self.server.run('812').state, 'finished')

    def test_wandb_train_py_below_the_agent(self):
        self.serve(runs=1)
        wrapper = self.example(*self.agent_command())
        # The agent itself ends with 0; its profile does not let that pass for finished.
        step = self.assert_preempted(wrapper, 85)
        self.assertIn('profile wandb-agent', wrapper.err)
        wrapper = self.example(*self.agent_command('--count', '1'), steps=step + 1)
        self.assertEqual(self.ended(wrapper), 0, wrapper.err)
        self.assertIn(f'run run1 from step {step}', wrapper.out)
        self.assertEqual(self.server.given()[-1][:2], ('run1', 'resume'))
        self.assertEqual(self.server.run().state, 'finished')

    def test_wandb_function_py(self):
        self.serve(runs=1)
        command = [*self.python('wandb_function.py'), f'{ENTITY}/{PROJECT}/{SWEEP}']
        step = self.assert_preempted(self.example(*command), 138)
        wrapper = self.example(*command, steps=step + 1)
        self.assertEqual(self.ended(wrapper), 0, wrapper.err)
        self.assertIn(f'run run1 from step {step}', wrapper.out)
        self.assertEqual(self.server.run().state, 'finished')


if __name__ == '__main__':
    main()
