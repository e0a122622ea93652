"""As the first process of a PID namespace, as in a container: signals come from outside (sender
0), a signal with the default action cannot end it, every orphan is its own."""
import signal

from processes import children, until, zombies_of
from terminal import CTRL_C, Terminal
from wrapper import BINARY, WrapperTest, main, probe

INTO_CONTAINER = ['unshare', '--fork', '--pid', '--mount-proc', '--kill-child']


class FirstProcess(WrapperTest):
    def setUp(self):
        super().setUp()
        self.need_root()

    def start_first(self, *args):
        """The wrapper as PID 1; its `pid` is the one that we see from outside."""
        wrapper = self.start(*args, prefix=INTO_CONTAINER)
        wrapper.pid, = until('PID 1', lambda: list(children(wrapper.pid)))
        self.log().ready()
        return wrapper

    def test_exit_status(self):
        for code in (0, 3, 127):
            with self.subTest(code=code):
                wrapper = self.call('sh', '-c', f'exit {code}', prefix=INTO_CONTAINER)
                self.assertEqual(wrapper.status, code, wrapper.err)

    def test_a_notice_from_outside(self):
        for name in ('USR1', 'TERM', 'INT'):
            with self.subTest(name):
                until('a clean start', lambda: not self.left())
                self.write('trainer.log', '')
                wrapper = self.start_first(*self.trainer(f'{name}=save:100:6'))
                wrapper.signal(name)
                self.assertEqual(wrapper.wait(), 6)
                self.assertEqual(self.log().order(), [name])

    def test_a_notice_that_kills_the_trainer(self):
        wrapper = self.start_first(*self.trainer())
        wrapper.signal('TERM')
        self.assertEqual(wrapper.wait(), 143)

    def test_ctrl_c(self):
        # It cannot die of a signal itself; the status says it.
        terminal = Terminal([*INTO_CONTAINER, BINARY, '-q', '--', *self.trainer()],
                            self.environ())
        self.addCleanup(terminal.close)
        self.log().ready()
        terminal.type(CTRL_C)
        self.assertIn(terminal.wait(), (130, -signal.SIGINT))

    def test_grace_over(self):
        wrapper = self.start_first('--grace', '300ms', '--', *self.trainer('all=log'))
        wrapper.signal('USR1')
        self.assertEqual(wrapper.wait(), 137)
        self.assert_nothing_left()

    def test_orphans_are_reaped_and_ended(self):
        script = ('(true &); (setsid "$0" "$1/left.log" 15=exit:0 &); '
                  'exec "$0" "$1/trainer.log" 10=exit:4')
        wrapper = self.start_first('--', 'bash', '-c', script, probe('trainer'), self.dir)
        self.log('left').ready()
        until('no zombie', lambda: not zombies_of(wrapper.pid))
        wrapper.signal('USR1')
        self.assertEqual(wrapper.wait(), 4)
        self.assertEqual(self.log('left').order(), ['TERM'])
        self.assert_nothing_left()


if __name__ == '__main__':
    main()
