"""A notice that the cloud takes back: what is left of it, for the trainer, the hooks and the others
that ask for the end."""
import json
import os
import time

from clouds import FAST_BINARY, CloudTest, main, until

IGNORES = 'all=log'


class Withdrawn(CloudTest):
    def setUp(self):
        super().setUp()
        self.notice = self.path('notice')

    def announce(self, seconds):
        at = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(time.time() + seconds))
        os.rename(self.write('new', json.dumps({'action': 'terminate', 'time': at})), self.notice)

    def take_back(self, wrapper, times=1):
        os.unlink(self.notice)
        until('the withdrawal', lambda: wrapper.err.count('has withdrawn') == times)

    def begin_here(self, *rules, options=(), **how):
        return self.begin('file:' + self.notice, *rules, options=options, **how)

    def test_a_hook_of_a_run_that_finishes_later_has_its_time_and_no_notice(self):
        """Seen: killed after 0.5 s, for an end that was long past and had been taken back."""
        hook = f'sleep 1; echo "cause=$PREEMPT_CAUSE end=$PREEMPT_DEADLINE" >{self.path("hook")}'
        wrapper, log = self.begin_here('USR1=log', 'end=12000:0', options=['--on-exit', hook])
        self.announce(10)
        log.wait_for('USR1')
        self.take_back(wrapper)
        self.assertEqual(wrapper.wait(), 0, wrapper.err)
        with open(self.path('hook'), encoding='ascii') as file:
            self.assertEqual(file.read(), 'cause= end=\n')

    def test_the_notice_file_goes_and_comes_again(self):
        file = self.path('notice.file')
        wrapper, log = self.begin_here(IGNORES, options=['--notice-file', file])
        for times in (1, 2):
            self.announce(600)
            until('the notice file', lambda: os.path.exists(file))
            log.wait_for('USR1', times)
            self.take_back(wrapper, times)
            until('its end', lambda: not os.path.exists(file))

    def test_what_another_asks_for_stays_with_its_own_clock(self):
        wrapper, log = self.begin_here(IGNORES, options=['--lead', '300s'])
        self.announce(30)
        log.wait_for('USR1')
        wrapper.signal('USR1')
        self.take_back(wrapper)
        until('the rest', lambda: "still to end, by another's word" in wrapper.err)
        self.assertRegex(wrapper.err, r"still to end, by another's word; SIGKILL in [45]m")
        self.assertEqual(log.order(), ['USR1'], 'told once')

    def test_a_term_that_it_had_covered_is_told(self):
        """Hooks and the notice file know it, and who had sent it, for what it is."""
        file = self.path('notice.file')
        hook = f'echo "$PREEMPT_CAUSE $PREEMPT_SIGNAL $PREEMPT_DEADLINE" >{self.path("hook")}'
        wrapper, log = self.begin_here('USR1=log', 'TERM=save:1:143', options=[
            '--notice-file', file, '--on-exit', hook])
        self.announce(600)
        log.wait_for('USR1')
        wrapper.signal('TERM')
        wrapper.signal('USR2')  # covered, too; when that is known the TERM is
        until('both', lambda: len(self.told('notice')) == 3)
        self.take_back(wrapper)
        self.assertEqual(wrapper.wait(), 143, wrapper.err)
        self.assertEqual(log.order(), ['USR1', 'TERM'])
        with open(self.path('hook'), encoding='ascii') as told:
            self.assertEqual(told.read(), 'signal TERM \n')
        with open(file, encoding='ascii') as told:
            notice = json.load(told)
        self.assertEqual((notice['cause'], notice['signal']), ('signal', 'TERM'))
        sender = self.told('notice')[-1]['sender']['pid']
        self.assertEqual(sender, os.getpid())

    def test_what_it_had_hurried_has_its_time_again(self):
        """Seen: killed 10 s after the USR1, with five minutes of grace."""
        wrapper, log = self.begin_here(IGNORES, binary=FAST_BINARY, options=['-k', '1h'])
        wrapper.signal('USR1')
        log.wait_for('USR1')
        self.announce(10)
        until('the nearer end', lambda: 'the end comes nearer' in wrapper.err)
        self.take_back(wrapper)
        until('the rest', lambda: "still to end, by another's word" in wrapper.err)
        wrapper.fence(log)
        self.assertTrue(wrapper.running(), wrapper.err)

    def test_nobody_was_told_nobody_was_preempted(self):
        wrapper, log = self.begin_here('end=3000:7', options=['--exit-preempted', '85'])
        self.announce(600)
        until('that it is held', lambda: 'held' in wrapper.err)
        self.take_back(wrapper)
        self.assertEqual(wrapper.wait(), 7)
        self.assertEqual(self.told('end')[0]['outcome'], 'failed', self.told('end'))
        self.assertEqual(log.order(), [])


if __name__ == '__main__':
    main()
