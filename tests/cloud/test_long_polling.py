"""A day of polling: nothing grows, nobody else wakes up."""
import os
import re

from clouds import FAST_BINARY, CloudTest, main, source, until

FULL = os.environ.get('PW_FULL') == '1'
POLLS = 17_280 if FULL else 1_500  # 24 h at every 5 s; ec2 asks twice each time
SAVES = 'USR1=save:1:138'


def status(pid, *fields):
    with open(f'/proc/{pid}/status', encoding='ascii') as file:
        text = file.read()
    return [int(re.search(rf'^{field}:\s+(\d+)', text, re.M).group(1)) for field in fields]


def children(pid):
    with open(f'/proc/{pid}/task/{pid}/children', encoding='ascii') as file:
        return [int(child) for child in file.read().split()]


def descriptors(pid):
    return len(os.listdir(f'/proc/{pid}/fd'))


class LongPolling(CloudTest):
    def asker(self, wrapper, log):
        """The process that asks: the wrapper's child that is not the trainer."""
        found = [pid for pid in children(wrapper.pid) if pid != log.events()[0].pid]
        self.assertEqual(len(found), 1)
        return found[0]

    def test_a_day_of_polls_grows_nothing(self):
        server = self.serve('ec2')
        # The clock is 60 times faster: a poll every 10 ms.
        options = ['--cloud', source('ec2', server, poll='600ms')]  # a journal has a process, too
        wrapper, log = self.start_ready(options, SAVES, binary=FAST_BINARY)
        asker = self.asker(wrapper, log)

        def measured(polls):
            until(f'{polls} polls', lambda: len(server.requests) > 2 * polls, seconds=600)
            return {pid: (status(pid, 'VmRSS')[0], descriptors(pid))
                    for pid in (wrapper.pid, asker)}

        early = measured(POLLS // 10)
        late = measured(POLLS)
        for pid, (memory, open_files) in early.items():
            self.assertLessEqual(late[pid][0], memory + 64, f'kB of {pid} after {POLLS} polls')
            # Counted between two questions or in one.
            self.assertLessEqual(abs(late[pid][1] - open_files), 2)
        print(f'{POLLS} polls: {late[asker][0]} kB, {early[asker][0]} kB at a tenth')
        server.notice()
        self.assertEqual(wrapper.wait(), 138, wrapper.err)

    def test_between_two_polls_nobody_wakes_up(self):
        for cloud, poll in (('ec2', '300ms'), ('azure', '300ms'), ('gce', '1s')):
            with self.subTest(cloud):
                server = self.serve(cloud)
                wrapper, log = self.begin(source(cloud, server, poll=poll), SAVES, log=cloud)
                self.asks(server, cloud)
                wrapper.fence(log)
                before = status(wrapper.pid, 'voluntary_ctxt_switches')
                if cloud != 'gce':
                    self.asks(server, cloud, 5)
                self.assertEqual(status(wrapper.pid, 'voluntary_ctxt_switches'), before)
                server.notice()
                self.assertEqual(wrapper.wait(), 138, wrapper.err)


if __name__ == '__main__':
    main()
