"""A Slurm job of the test's own making: the slurmstepd above and the scontrol are stand-ins, and what
they say is the test's. tests/slurm has the real ones."""
import os
import shutil
import time

from processes import children, until
from wrapper import BINARY, WrapperTest

STEP = {'SLURM_STEP_ID': '0', 'SLURM_PROCID': '0'}
TWO_RANKS = {**STEP, 'SLURM_STEP_NUM_TASKS': '2', 'SLURM_NODEID': '0', 'SLURM_GTIDS': '0,1',
             'SLURM_STEP_TASKS_PER_NODE': '2'}
SCONTROL = '''#!/bin/sh
echo "$(date +%s.%N) $*" >>{folder}/calls
[ ! -e {folder}/fails ] || exit 1
case $1 in
  show) exec cat {folder}/answer ;;
  write) exec cat {folder}/script ;;
esac
'''


class JobTest(WrapperTest):
    def setUp(self):
        super().setUp()
        self.stepd = self.path('slurmstepd')
        shutil.copy('/bin/sh', self.stepd)
        self.write_scontrol()
        self.write('script', '#!/bin/sh\n#SBATCH --signal=USR1@90 --open-mode=append\n')
        self.write('slurm.conf', 'KillWait=30\nPartitionName=main Nodes=ALL\n')
        self.says('RUNNING', end=90)

    def write_scontrol(self):
        self.write('bin/scontrol', SCONTROL.format(folder=self.dir), 0o755)

    def says(self, state, end, **more):
        """The answer from now on; `end` is in seconds from now."""
        fields = {'JobState': state, 'Reason': 'None', 'Requeue': 1, 'Restarts': 0,
                  'EndTime': int(time.time()) + end, 'PreemptTime': 'None', **more}
        text = ' '.join(f'{name}={value}' for name, value in fields.items())
        self.write('answer.new', f'JobId=4711 JobName=a UserId=b(1) {text}\n')
        os.rename(self.path('answer.new'), self.path('answer'))

    def calls(self, verb):
        if not os.path.exists(self.path('calls')):
            return []
        with open(self.path('calls'), encoding='ascii') as file:
            lines = [line.split() for line in file if line.endswith('\n')]
        return [float(words[0]) for words in lines if words[1] == verb]

    def job_environ(self):
        """By its slurm.conf KillWait is 30 s, GraceTime 0."""
        return self.environ(SLURM_JOB_ID='4711', SLURM_CONF=self.path('slurm.conf'),
                            SLURM_JOB_PARTITION='main', SLURM_CLUSTER_NAME='test',
                            PATH=f'{self.path("bin")}:{os.environ["PATH"]}')

    def run_in_job(self, options, *rules, script='"$0" "$@"; exit $?', binary=BINARY, env=None):
        """A wrapped trainer, child of the stand-in of slurmstepd: (its shell, the wrapper's PID)."""
        env = {**self.job_environ(), **(env or {})}
        shell = self.start('--journal', self.path('journal'), *options, '--', *self.trainer(*rules),
                           binary=binary, env=env, prefix=[self.stepd, '-c', script])
        self.log().ready()
        trainer = self.log().of('ready')[0].pid
        return shell, next(pid for pid in children(shell.pid) if trainer in children(pid))

    def told(self, event, count=1):
        return until(f'{count} x {event} in the journal', lambda: len(
            lines := [line for line in self.journal() if line['event'] == event]) >= count and lines)

    def outcome(self):
        return self.journal()[-1]['outcome']
