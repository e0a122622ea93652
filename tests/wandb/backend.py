"""A stand-in for the W&B server, on loopback: as much of its API as `wandb agent`, `wandb sweep` and
wandb.init() ask for, the documented states of a run, and the queue of a sweep. It lives in the
test's own process, so that a test asserts what the server would show.

The states (docs.wandb.ai, "Signal handling in sweep runs"; wandb/wandb#2142): UpsertBucket is
"running"; `preempting` is "preempting"; `complete` with 0 is "finished", with another code
"preempted" after preempting, else "failed" (255, an uncaught KeyboardInterrupt: "killed"); silence
for longer than `stale` (5 min at W&B) is "preempted" after preempting, else "crashed". A preempted
run goes to the queue, and the next agent without a run gets it as `resume`.
"""
import collections
import gzip
import http.server
import json
import re
import sys
import threading
import time

ENTITY, PROJECT, SWEEP = 'e', 'p', 's1'

Request = collections.namedtuple('Request', 'at kind what details')


class Run:
    """What the server knows of one run."""

    def __init__(self, name):
        self.name = name
        self.states = ['pending']
        self.preempting = False
        self.exit_code = None
        self.heard = time.monotonic()
        self.given = []  # (agent, "run" or "resume"), in order

    @property
    def state(self):
        return self.states[-1]

    def become(self, state):
        if state != self.state:
            self.states.append(state)


class Backend:
    """`runs` are handed out, then each agent is told to exit; with `after`, the sweep is in that
    state then. `stale` is the silence in seconds after which a run has crashed."""

    def __init__(self, runs=1, after=None, stale=300.0, command=('python', '${program}'),
                 program='train.py'):
        self.runs = {}
        self.queue = []
        self.requests = []
        self.unknown = []
        self.sweep_state = 'RUNNING'
        self.agents = 0
        self._more = runs
        self._named = 0
        self._after = after
        self._stale = stale
        self._command = list(command)
        self._program = program
        self._lock = threading.Lock()
        self._server = _Server(('127.0.0.1', 0), _handler(self))
        self.url = f'http://127.0.0.1:{self._server.server_port}'
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def run(self, name='run1'):
        """What is known of a run, silence judged now."""
        with self._lock:
            self._judge_silence()
            return self._run(name)

    def of(self, kind, what=None):
        with self._lock:
            return [r for r in self.requests if r.kind == kind and what in (None, r.what)]

    def posted(self, name='run1'):
        """What the trainer's SDK has told of a run: "preempting", and its exit codes, in order."""
        return [word for r in self.of('file_stream', name) for word in r.details]

    def given(self):
        """[(run, "run" or "resume", agent)], in the order in which they were handed out."""
        return [r.details for r in self.of('command')]

    # What follows is called with the lock held.

    def _note(self, kind, what, details=None):
        self.requests.append(Request(time.monotonic(), kind, what, details))

    def _run(self, name):
        return self.runs.setdefault(name, Run(name))

    def _judge_silence(self):
        for run in self.runs.values():
            silent = time.monotonic() - run.heard > self._stale
            if run.state in ('running', 'preempting') and silent:
                self._settle(run, None)

    def _settle(self, run, code):
        run.exit_code = code
        if code == 0:
            run.become('finished')
        elif run.preempting:
            run.become('preempted')
            self.queue.append(run.name)
        elif code is None:
            run.become('crashed')
        else:
            run.become('killed' if code == 255 else 'failed')

    def file_stream(self, name, body):
        with self._lock:
            run = self._run(name)
            run.heard = time.monotonic()
            words = ['preempting'] if body.get('preempting') else []
            if body.get('preempting'):
                run.preempting = True
                run.become('preempting')
            if body.get('complete'):
                words.append(body.get('exitcode', 0))
                self._settle(run, body.get('exitcode', 0))
            self._note('file_stream', name, words)
            return {'exitcode': None, 'limits': {}}

    def graphql(self, operation, variables):
        with self._lock:
            self._judge_silence()
            self._note('graphql', operation, variables)
            answer = getattr(self, '_on_' + operation, None)
            if answer is None:
                self.unknown.append(operation)
                return {}
            return answer(variables)

    def put(self, path):
        with self._lock:
            self._note('put', path)

    def strange(self, method, path):
        with self._lock:
            self.unknown.append(f'{method} {path}')

    def _on_Heartbeat(self, variables):
        agent = variables.get('id')
        busy = json.loads(variables.get('runState') or '{}')
        return {'agentHeartbeat': {'agent': {'id': agent},
                                   'commands': json.dumps(self._commands(agent, busy))}}

    def _commands(self, agent, busy):
        if self.sweep_state == 'CANCELED':
            return [{'type': 'exit'}]
        if busy or self.sweep_state == 'PAUSED':
            return []
        if self.sweep_state == 'FINISHED' or not (self.queue or self._more):
            return [{'type': 'exit'}]
        if self.queue:
            kind, name = 'resume', self.queue.pop(0)
        else:
            self._more -= 1
            self._named += 1
            kind, name = 'run', f'run{self._named}'
            if self._more == 0 and self._after:
                self.sweep_state = self._after
        run = self._run(name)
        run.given.append((agent, kind))
        run.preempting = False
        self._note('command', name, (name, kind, agent))
        return [{'type': kind, 'run_id': name, 'program': self._program,
                 'args': {'lr': {'value': 0.1}}}]

    def _on_SweepWithRuns(self, _):
        config = json.dumps({'program': self._program, 'method': 'random', 'command': self._command,
                             'parameters': {'lr': {'values': [0.1]}}})  # JSON is YAML
        names = ('description createdAt heartbeatAt updatedAt bestLoss controller '
                 'scheduler').split()
        return {'project': {'sweep': {
            **dict.fromkeys(names), 'id': 'U3dlZXA6MQ==', 'name': SWEEP, 'method': 'random',
            'state': self.sweep_state, 'config': config, 'earlyStopJobRunning': False,
            'runs': {'edges': []}}}}

    _on_Sweep = _on_SweepWithRuns

    def _on_CreateAgent(self, _):
        self.agents += 1
        return {'createAgent': {'agent': {'id': f'agent{self.agents}'}}}

    def _on_UpsertSweep(self, variables):
        self.sweep_state = variables.get('state') or self.sweep_state
        return {'upsertSweep': {'sweep': {'name': SWEEP, 'project': _project()},
                                'configValidationWarnings': []}}

    def _on_UpsertBucket(self, variables):
        run = self._run(variables.get('name') or variables['id'])
        run.heard = time.monotonic()
        if run.state not in ('running', 'preempting'):
            run.become('running')
        return {'upsertBucket': {'inserted': True, 'bucket': {
            **_bucket(run.name), 'description': None, 'config': '{}', 'sweepName': SWEEP,
            'historyLineCount': 0, 'project': _project()}}}

    def _on_RunResumeStatus(self, variables):
        run = self.runs.get(variables.get('name'))
        bucket = None
        if run and len(run.given) > 1:
            bucket = {**_bucket(run.name), 'summaryMetrics': '{}', 'config': '{}', 'tags': [],
                      'historyTail': '[]', 'eventsTail': '[]', 'notes': '', 'logLineCount': 0,
                      'historyLineCount': 0, 'eventsLineCount': 0, 'wandbConfig': '{"t": 1}'}
        return {'model': {**_project(), 'bucket': bucket}}

    def _on_CreateRunFiles(self, variables):
        name = variables['run']
        return {'createRunFiles': {'runID': 'R:' + name, 'uploadHeaders': [], 'files': [
            {'name': file, 'uploadUrl': f'{self.url}/put/{name}/{i}'}
            for i, file in enumerate(variables['files'])]}}

    def _on_Viewer(self, _):
        return {'viewer': {'id': 'VXNlcjox', 'entity': ENTITY, 'username': ENTITY, 'admin': False,
                           'email': 't@example.invalid', 'flags': '{}',
                           'teams': {'edges': [{'node': {'name': ENTITY}}]}},
                **self._on_ServerFeaturesQuery(_)}

    def _on_ServerFeaturesQuery(self, _):
        return {'serverInfo': {'features': [], 'latestLocalVersionInfo': None,
                               'cliVersionInfo': {'max_cli_version': '99.0.0',
                                                  'min_cli_version': '0.0.1'}}}

    def _on_RunStoppedStatus(self, _):
        return {'project': {'run': {'stopped': False}}}


def _project():
    return {'id': 'P1', 'name': PROJECT, 'entity': {'id': 'E1', 'name': ENTITY}}


def _bucket(name):
    return {'id': 'R:' + name, 'name': name, 'displayName': name}


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A client that was killed is what these tests are about."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def _handler(backend):
    class Handler(http.server.BaseHTTPRequestHandler):
        """One connection; wandb-core keeps it open."""
        protocol_version = 'HTTP/1.1'

        def log_message(self, *_):
            pass

        def _body(self):
            body = self.rfile.read(int(self.headers.get('Content-Length') or 0))
            gzipped = self.headers.get('Content-Encoding') == 'gzip'
            return gzip.decompress(body) if gzipped else body

        def _answer(self, content):
            body = json.dumps(content).encode()
            self.send_response(200)
            self.send_header('Content-Type', 'application/json')
            self.send_header('Content-Length', str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self):
            backend.strange('GET', self.path)
            self._answer({})

        def do_PUT(self):
            self._body()
            backend.put(self.path)
            self._answer({})

        def do_POST(self):
            body = json.loads(self._body() or b'{}')
            path = self.path.partition('?')[0]
            stream = re.fullmatch(r'/files/[^/]+/[^/]+/([^/]+)/file_stream', path)
            if stream:
                self._answer(backend.file_stream(stream[1], body))
            elif path == '/graphql':
                named = re.search(r'(?:query|mutation)\s+(\w+)', body.get('query', ''))
                operation = body.get('operationName') or (named[1] if named else '?')
                data = backend.graphql(operation, body.get('variables') or {})
                self._answer({'data': data})
            else:
                backend.strange('POST', path)
                self._answer({})
    return Handler
