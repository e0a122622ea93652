"""`preempt-wrap watch` and a machine that stays after all: what was withdrawn and is over concerns
nobody who comes later, and the next notice is heard."""
import os

from clouds import LIMIT, SAVES, CloudTest, main, source, until

# The end that is not to be, and the one that comes, later than that.
CLOUDS = (('ec2', {'action': 'stop', 'after': 4}, {'after': 100}),
          ('azure', {'action': 'Reboot', 'after': 4}, {'action': 'Terminate', 'after': 300}))


class WatchAgain(CloudTest):
    def watch(self, where, name):
        os.mkdir(self.path(name))
        watch = self.start('watch', '--cloud', where, '--run-dir', self.path(name), '--state-dir',
                           self.path(name + '.state'))
        until('the daemon', lambda: 'watching' in watch.err)
        return watch

    def register(self, folder, log):
        command = self.trainer(SAVES, 'TERM=log', log=log)
        process = self.start(*command[1:], binary=command[0])
        self.log(log).ready()
        new = self.write(f'{folder}/.{log}', f'{process.pid}\n')
        os.rename(new, self.path(f'{folder}/{log}.pid'))
        return process

    def test_what_was_withdrawn_and_is_over_concerns_nobody(self):
        for cloud, first, second in CLOUDS:
            with self.subTest(cloud=cloud):
                server = self.serve(cloud)
                watch = self.watch(source(cloud, server), cloud)
                early = self.register(cloud, cloud + '1')
                given = server.notice(**first)
                self.assertEqual(early.wait(), 138, watch.err)
                server.withdraw()
                until('its withdrawal', lambda: 'withdrawn' in watch.err)
                until('its end', lambda: server.asked()[-1].at > given + first['after'] + 1, LIMIT)
                late = self.register(cloud, cloud + '2')
                # The folder is looked at before what is asked later.
                self.asks(server, cloud, 5)
                self.assertTrue(late.running(), watch.err)
                self.assertEqual(self.log(cloud + '2').order(), [], watch.err)
                server.notice(**second)
                self.assertEqual(late.wait(), 138, watch.err)
                self.assertEqual(self.log(cloud + '2').order(), ['USR1'])


if __name__ == '__main__':
    main()
