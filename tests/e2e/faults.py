"""What the tests of our own trouble ask each time: does a notice come through, does the KILL?"""
import os
import time

from wrapper import WrapperTest, probe


class Faults(WrapperTest):
    def notice_comes_through(self, *options, **how):
        """The relay works, and a save of some length is waited for; returns the wrapper."""
        log = f'saves{len(os.listdir(self.dir))}'
        wrapper = self.start(*options, '--', *self.trainer('USR1=save:200:6', log=log), **how)
        self.log(log).ready()
        wrapper.signal('USR1')
        self.log(log).wait_for('USR1', seconds=5)
        self.assertEqual(wrapper.wait(), 6)
        self.assertEqual(self.log(log).order(), ['USR1'])
        return wrapper

    def kill_comes_in_time(self, *options, seconds=5, **how):
        """A trainer that ignores everything is killed, with the child in its group."""
        log = f'hangs{len(os.listdir(self.dir))}'
        script = '"$0" "$1.child.log" all=log & exec "$0" "$1.log" all=log'
        wrapper = self.start('--grace', '400ms', *options, '--', 'bash', '-c', script,
                             probe('trainer'), self.path(log), **how)
        self.log(log + '.child').ready()
        self.log(log).ready()
        begin = time.monotonic()
        wrapper.signal('USR1')
        self.assertEqual(wrapper.wait(), 137)
        self.assertLess(time.monotonic() - begin, seconds)
        self.assertGreaterEqual(time.monotonic() - begin, 0.35)
        self.assert_nothing_left()
        return wrapper

    def both(self, *options, said=None, **how):
        for wrapper in (self.notice_comes_through(*options, **how),
                        self.kill_comes_in_time(*options, **how)):
            if said:
                self.assertRegex(wrapper.err, said)
