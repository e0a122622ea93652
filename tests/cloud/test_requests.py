"""What `run --cloud` asks a metadata service, how often, and what it never does."""
import os
import re
import statistics

import ec2
import gce
from clouds import EVENTS, SAVES, CloudTest, Trap, main, source, until, warnings

CLOUDS = ('ec2', 'gce', 'azure')
TOKEN_PATH = '/latest/api/token'


class Requests(CloudTest):
    def end(self, server, wrapper):
        server.notice()
        self.assertEqual(wrapper.wait(), 138, wrapper.err)

    def test_ec2_only_version_2_and_a_token_in_each_question(self):
        server = self.serve('ec2')
        wrapper, _ = self.begin(source('ec2', server), SAVES)
        self.asks(server, 'ec2', 5)
        self.end(server, wrapper)
        first, *others = server.asked()
        self.assertEqual((first.method, first.path, first.of(ec2.TTL)),
                         ('PUT', TOKEN_PATH, ['21600']))
        self.assertEqual({r.method for r in others}, {'GET'}, 'one token is enough')
        self.assertEqual({r.path for r in others}, {ec2.ACTION, ec2.REBALANCE})
        for request in others:
            self.assertEqual(len(request.of(ec2.TOKEN)), 1)
            self.assertIn(request.of(ec2.TOKEN)[0], server.cloud.tokens)
        self.assertNotIn(401, [r.status for r in server.asked()])

    def test_ec2_a_refused_token_is_replaced_once_and_its_header_not_added(self):
        server = self.serve('ec2')
        wrapper, _ = self.begin(source('ec2', server), SAVES)
        self.asks(server, 'ec2', 2)
        server.cloud.forget_tokens()
        self.asks(server, 'ec2', 3)
        self.end(server, wrapper)
        self.assertEqual(len(server.asked(method='PUT')), 2)
        refused = [i for i, r in enumerate(server.requests) if r.status == 401]
        self.assertEqual(len(refused), 1)
        old, put, again = server.requests[refused[0]:refused[0] + 3]
        self.assertEqual((put.method, again.path), ('PUT', old.path))
        self.assertEqual(len(again.of(ec2.TOKEN)), 1)
        self.assertNotEqual(again.of(ec2.TOKEN), old.of(ec2.TOKEN))
        self.assertEqual(warnings(wrapper), [])

    def test_ec2_a_service_that_refuses_every_token_gets_one_more_a_question(self):
        server = self.serve('ec2', '401:path=meta-data')
        wrapper, log = self.begin(source('ec2', server), SAVES)
        self.asks(server, 'ec2', 6)
        gets, puts = len(server.asked(method='GET')), len(server.asked(method='PUT'))
        self.assertLessEqual(puts, gets + 1)
        wrapper.fence(log)
        self.assertEqual(log.order(), [])
        server.clear()
        self.end(server, wrapper)

    def test_ec2_a_token_is_renewed_at_80_percent_of_the_life_that_the_reply_says(self):
        server = self.serve('ec2', max_ttl=2)
        wrapper, _ = self.begin(source('ec2', server), SAVES)
        puts = until('four tokens', lambda: (found := server.asked(method='PUT')) and
                     len(found) >= 4 and found)
        self.end(server, wrapper)
        gaps = [b.at - a.at for a, b in zip(puts, puts[1:])]
        self.assertGreater(min(gaps), 1.55)
        self.assertLess(min(gaps), 1.95)
        # A machine that sleeps for 0.4 s may be too late now and then.
        self.assertLessEqual([r.status for r in server.asked()].count(401), 1)

    def test_gce_plainly_first_then_waiting_with_the_etag(self):
        server = self.serve('gce')
        wrapper, _ = self.begin(source('gce', server), SAVES)
        until('two that wait', lambda: len(server.asked('wait_for_change')) == 2)
        self.end(server, wrapper)
        for key in (gce.PREEMPTED, gce.MAINTENANCE):
            plain, waits = server.asked(key)[:2]
            self.assertEqual(plain.path, key)
            self.assertRegex(waits.path, r'[?&]wait_for_change=true(&|$)')
            self.assertRegex(waits.path, r'[?&]timeout_sec=(1|20)(&|$)')
            self.assertRegex(waits.path, r'[?&]last_etag=[0-9a-f]{16}(&|$)')
        self.assertEqual({tuple(r.of('Metadata-Flavor')) for r in server.asked()}, {('Google',)})
        self.assertEqual(server.most_at_once, 2)

    def test_gce_after_a_failure_it_asks_plainly_again(self):
        """What has changed meanwhile would be lost to a request that waits."""
        server = self.serve('gce', '503:path=wait_for_change:times=2')
        wrapper, _ = self.begin(source('gce', server), SAVES)
        until('two that wait again', lambda: len(server.asked('wait_for_change')) == 4)
        self.end(server, wrapper)
        for key in (gce.PREEMPTED, gce.MAINTENANCE):
            kinds = ['wait' if 'wait_for_change' in r.path else 'plain' for r in server.asked(key)]
            self.assertEqual(kinds[:4], ['plain', 'wait', 'plain', 'wait'])

    def test_gce_what_comes_while_it_fails_is_heard(self):
        server = self.serve('gce')
        wrapper, log = self.begin(source('gce', server), SAVES)
        until('two that wait', lambda: len(server.asked('wait_for_change')) == 2)
        server.fault('503')
        server.notice(action='migrate')
        until('a failure', lambda: server.hits >= 2)
        server.notice()
        wrapper.fence(log)
        server.clear()
        self.assertEqual(wrapper.wait(), 138)

    def test_azure_asks_its_name_once(self):
        server = self.serve('azure')
        wrapper, _ = self.begin(source('azure', server), SAVES)
        self.asks(server, 'azure', 4)
        self.end(server, wrapper)
        first, *others = server.asked()
        self.assertEqual(first.path, '/metadata/instance/compute/name?api-version=2021-02-01&format=text')
        self.assertEqual({r.path for r in others}, {EVENTS + '?api-version=2020-07-01'})
        self.assertEqual({(r.method, *r.of('Metadata')) for r in server.asked()},
                         {('GET', 'true')})

    def test_no_proxy_is_asked(self):
        trap = Trap()
        self.addCleanup(trap.close)
        for cloud in CLOUDS:
            with self.subTest(cloud=cloud):
                server = self.serve(cloud)
                env = self.environ(**trap.environment())
                wrapper, _ = self.begin(source(cloud, server), SAVES, log=cloud, env=env)
                self.end(server, wrapper)
                # A proxy would be asked for http://HOST/PATH.
                self.assertTrue(all(r.path.startswith('/') for r in server.asked()))
                self.assertEqual(trap.connections(), 0)

    def test_the_training_keeps_its_proxy(self):
        trap = Trap()
        self.addCleanup(trap.close)
        server = self.serve('ec2')
        done = self.call('--cloud', source('ec2', server), '--', 'sh', '-c', 'echo $http_proxy',
                         env=self.environ(**trap.environment()))
        self.assertEqual(done.out, trap.url + '\n')

    def test_one_connection_at_a_time(self):
        for cloud, most in (('ec2', 1), ('azure', 1), ('gce', 2)):
            for faults in ((), ('hang:times=1',), ('slow:times=1',), ('503:times=4',)):
                # Those of GCE from the begin: a request that waits may take a minute.
                faults = [fault + (':after=3' if cloud != 'gce' else '') for fault in faults]
                log_name = f'{cloud}{"".join(faults)}'
                with self.subTest(cloud=cloud, faults=faults):
                    server = self.serve(cloud, *faults)
                    wrapper, _ = self.begin(source(cloud, server), SAVES, log=log_name)
                    if faults:
                        wanted = server.faults[0].times
                        until('the faults', lambda: server.hits >= wanted)
                    until('questions', lambda: len(server.asked()) >= 3)
                    self.end(server, wrapper)
                    self.assertLessEqual(server.most_at_once, most)

    def test_questions_come_as_often_as_was_said(self):
        """Also while the service fails, longer than a growing pause would take: an outage may
        hide the notice."""
        for cloud, path in (('ec2', ec2.ACTION), ('azure', EVENTS)):
            for fault in (f'503:path={path}', f'cut:path={path}', ''):
                log_name = re.sub(r'\W', '', cloud + fault)
                with self.subTest(cloud=cloud, fault=fault):
                    server = self.serve(cloud, *[fault] * bool(fault))
                    wrapper, log = self.begin(source(cloud, server, poll='250ms'), SAVES,
                                              log=log_name)
                    asked = until('seven questions', lambda: (found := server.asked(path)) and
                                  len(found) >= 7 and found)
                    gaps = [b.at - a.at for a, b in zip(asked, asked[1:])]
                    self.assertLess(statistics.median(gaps), 0.3)
                    self.assertLess(max(gaps), 1.5)
                    self.assertGreater(statistics.median(gaps), 0.2)
                    wrapper.fence(log)
                    os.kill(log.ready(), 9)
                    wrapper.wait()

    def test_a_question_has_two_seconds_however_slowly_it_is_answered(self):
        runs = []
        for fault in ('hang', 'slow'):
            server = self.serve('ec2', f'{fault}:path={ec2.ACTION}')
            runs.append((server, *self.begin(source('ec2', server), SAVES, log=fault)))
        for server, wrapper, log in runs:
            asked = until('three questions', lambda: (found := server.asked(ec2.ACTION)) and
                          len(found) >= 3 and found)
            gaps = [b.at - a.at for a, b in zip(asked, asked[1:])]
            self.assertGreater(min(gaps), 1.9)
            self.assertLess(min(gaps), 2.4)
            wrapper.fence(log)
            self.assertEqual(log.order(), [])
            os.kill(log.ready(), 9)
            wrapper.wait()

    def test_the_pause_after_failures_grows_up_to_the_poll_interval(self):
        server = self.serve('ec2', f'503:path={ec2.ACTION}')
        wrapper, log = self.begin(source('ec2', server, poll='1500ms'), SAVES)
        asked = until('five questions', lambda: (found := server.asked(ec2.ACTION)) and
                      len(found) >= 5 and found)
        gaps = [b.at - a.at for a, b in zip(asked, asked[1:])]
        usual = statistics.median(gaps[1:])
        self.assertGreater(usual, 1.4)
        self.assertLess(gaps[0], usual)
        self.assertEqual(len(warnings(wrapper)), 1)
        os.kill(log.ready(), 9)
        wrapper.wait()

    def test_trouble_that_comes_and_goes_is_told_each_time(self):
        server = self.serve('ec2')
        wrapper, _ = self.begin(source('ec2', server), SAVES)
        for times in (1, 2):
            self.asks(server, 'ec2')
            server.fault('503:path=meta-data')
            until('a warning', lambda: len(warnings(wrapper)) == times)
            self.asks(server, 'ec2', 3)
            self.assertEqual(len(warnings(wrapper)), times)
            server.clear()
            until('the line', lambda: wrapper.err.count('answers again') == times)
        self.end(server, wrapper)


if __name__ == '__main__':
    main()
