"""A notice is relayed in a Slurm job as fast as outside of one, though there slurmctld is asked about
the end: that comes after the relay. Runs of both kinds take turns; their medians are compared."""
import os
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'e2e'))
from processes import children  # noqa: E402
from stand_in_job import JobTest  # noqa: E402
from wrapper import main  # noqa: E402

PAIRS = 40
TRIES = 3
ALLOWED = 1.15
SHELL = '"$0" "$@"; exit $?'


class Question(JobTest):
    def relay(self, env, name, *options):
        """Microseconds from kill() to the trainer's handler."""
        shell = self.start('-q', *options, '--', *self.trainer('USR1=save:30:0', log=name), env=env,
                           prefix=[self.stepd, '-c', SHELL])
        trainer = self.log(name).ready()
        wrapper = next(pid for pid in children(shell.pid) if trainer in children(pid))
        begin = time.monotonic_ns()
        os.kill(wrapper, 10)
        shell.wait()
        return (self.log(name).got('USR1')[0].at - begin) / 1e3

    def medians(self, attempt):
        asked, unasked = [], []
        for pair in range(PAIRS):
            name = f'{attempt}.{pair}'
            asked.append(self.relay(self.job_environ(), f'{name}.asked', '--lead', 'auto'))
            unasked.append(self.relay(self.environ(), f'{name}.unasked'))
        return statistics.median(asked), statistics.median(unasked)

    def test_a_question_costs_the_relay_nothing(self):
        for attempt in range(TRIES):
            asked, unasked = self.medians(attempt)
            print(f'relay: {asked:.0f} us in a job, whose end is asked for, {unasked:.0f} us '
                  f'without: {asked / unasked:.2f} x, allowed {ALLOWED}')
            if asked <= ALLOWED * unasked:
                break
        self.assertGreaterEqual(len(self.calls('show')), PAIRS)
        self.assertLessEqual(asked, ALLOWED * unasked)


if __name__ == '__main__':
    main()
