"""A wall clock that is an hour off: the notice counts all the same, from when it was seen."""
from clouds import SAVES, CloudTest, main, source
from wrapper import FAULTY_BINARY


class WrongClock(CloudTest):
    def test_an_hour_ahead_or_behind(self):
        rows = [
            # seconds, what the notice's time looks like
            ('3600', 'its time is past'),
            ('-3600', 'its time is further away than any notice of this cloud'),
        ]
        for ahead, why in rows:
            for cloud, usual in (('ec2', 120), ('azure', 30)):
                with self.subTest(cloud=cloud, ahead=ahead):
                    server, name = self.serve(cloud), cloud + ahead
                    wrapper, _ = self.begin(source(cloud, server), SAVES, log=name,
                                            binary=FAULTY_BINARY,
                                            env=self.environ(PW_TEST_CLOCK_AHEAD=ahead))
                    server.notice(after=20)
                    self.assertEqual(wrapper.wait(), 138, wrapper.err)
                    self.assertIn(why, wrapper.err)
                    left, = [line['left_ms'] for line in self.told('notice', name)]
                    self.assertGreater(left, (usual - 10) * 1000)
                    self.assertLessEqual(left, usual * 1000)


if __name__ == '__main__':
    main()
