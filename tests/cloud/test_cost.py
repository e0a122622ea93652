"""What asking a cloud costs a run: nothing grows where it does not answer (test_long_polling.py: where
it does), nobody wakes up between two questions, and the training inherits nothing."""
import os
import re
import time

from clouds import FAST_BINARY, SAVES, CloudTest, main, source, until
from processes import children

QUESTIONS = 1000
BEGIN = 200
GROWTH_KB = 256


def status(pid, name):
    with open(f'/proc/{pid}/status', encoding='ascii') as file:
        return int(re.search(rf'^{name}:\s+(\d+)', file.read(), re.M)[1])


class Cost(CloudTest):
    def ours(self, wrapper, log):
        """The wrapper and those who ask for it."""
        trainer = log.ready()
        return [wrapper.pid, *(pid for pid in children(wrapper.pid) if pid != trainer)]

    @staticmethod
    def holdings(pids):
        return {pid: (status(pid, 'VmRSS'), len(os.listdir(f'/proc/{pid}/fd'))) for pid in pids}

    def test_failing_answers_grow_nothing(self):
        for cloud in ('ec2', 'azure'):
            for fault in ('503:after=20', 'cut:after=20', 'garbage:after=20'):
                with self.subTest(cloud=cloud, fault=fault):
                    server = self.serve(cloud, fault)
                    wrapper, log = self.begin(source(cloud, server), SAVES, log=cloud + fault[:3],
                                              binary=FAST_BINARY)
                    self.asked(server, BEGIN)
                    before = self.holdings(self.ours(wrapper, log))
                    self.asked(server, QUESTIONS)
                    after = self.holdings(self.ours(wrapper, log))
                    self.assertEqual(before.keys(), after.keys())
                    for pid, (memory, descriptors) in after.items():
                        self.assertLessEqual(memory - before[pid][0], GROWTH_KB)
                        # A question that is open has some.
                        self.assertLessEqual(descriptors - before[pid][1], 8)
                    server.clear()
                    server.notice()
                    self.assertEqual(wrapper.wait(), 138)

    @staticmethod
    def asked(server, count):
        until(f'{count} questions', lambda: len(server.requests) >= count, 600)

    def test_nobody_wakes_up_between_two_questions(self):
        for cloud in ('ec2', 'gce', 'azure'):
            with self.subTest(cloud=cloud):
                server = self.serve(cloud)
                wrapper, log = self.begin(source(cloud, server, poll='10m'), SAVES, log=cloud)
                # Of gce's two keys each is asked plainly, waits for 1 s, and then for long.
                until('the answers', lambda: len(server.asked()) >= {'gce': 6, 'ec2': 3}.get(
                    cloud, 2) and (cloud == 'gce' or server.at_once == 0))
                pids = self.ours(wrapper, log)
                # The last answer is being dealt with: quiet once it was quiet for half a second.
                until('quiet', lambda: self.quiet(pids), 20)
                before = self.switches(pids)
                time.sleep(2)  # the time that is measured
                self.assertEqual(self.switches(pids), before)
                os.kill(log.ready(), 9)
                wrapper.wait()

    @staticmethod
    def switches(pids):
        return [status(pid, 'voluntary_ctxt_switches') for pid in pids]

    def quiet(self, pids):
        before = self.switches(pids)
        time.sleep(0.5)
        return before == self.switches(pids)

    def test_the_training_inherits_nothing(self):
        for cloud in ('ec2', 'gce', 'azure'):
            with self.subTest(cloud=cloud):
                server = self.serve(cloud)
                wrapper, log = self.begin(source(cloud, server), SAVES, log=cloud)
                self.asked(server, 3)
                folder = f'/proc/{log.ready()}/fd'
                held = [os.readlink(f'{folder}/{fd}') for fd in os.listdir(folder)]
                self.assertEqual([name for name in held if not name.startswith('/')], [])
                server.notice()
                self.assertEqual(wrapper.wait(), 138)


if __name__ == '__main__':
    main()
