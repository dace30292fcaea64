from __future__ import annotations

import json
import socket
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest

from dockyard import smoke
from dockyard.engines import Engine
from dockyard.errors import UnhealthyError
from dockyard.settings import load
from dockyard.smoke import Result, Target, probes
from support import SECRET, FakeDaemon, container, sentences

REQUEST = {"rooms": 3}
EXPECTED = {"predicted_price": 250_000.5, "model": "v1"}
LOG_FILE = "app/logs/service.jsonl"
LINE = json.dumps({"ts": "2026-11-23T01:41:43Z", "level": "info", "event": "POST /predict"})
OLD_LINE = json.dumps({"ts": "2026-11-22T00:00:00Z", "level": "info", "event": "POST /predict"})


class Service(ThreadingHTTPServer):
    """A service that answers as a test lays out; by itself it answers as it should.

    Attributes:
        laid: What is asked to another status and body.
        prediction: The body of an accepted prediction.
        files: Its log files, by their path in the container.
        written: The lines that each request adds to them.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.laid: dict[str, tuple[int, str]] = {}
        self.prediction = json.dumps(EXPECTED)
        self.files = {LOG_FILE: f"{OLD_LINE}\n".encode()}
        self.written = [LINE]

    def write(self) -> None:
        for line in self.written:
            self.files[LOG_FILE] = self.files.get(LOG_FILE, b"") + line.encode("latin-1") + b"\n"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Service

    def do_GET(self) -> None:
        self._send(*self.server.laid.get(self.path, (200, "{}")))

    def do_POST(self) -> None:
        assert self.headers["Content-Type"] == "application/json"
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.write()
        key = self.headers.get("X-API-Key")
        if key is None:
            self._send(*self.server.laid.get("no key", (401, "{}")))
        elif key != SECRET:
            self._send(*self.server.laid.get("wrong key", (401, "{}")))
        elif body.startswith(b'{"not json'):
            self._send(*self.server.laid.get("malformed", (422, "{}")))
        else:
            assert json.loads(body) == REQUEST
            self._send(200, self.server.prediction)

    def _send(self, status: int, body: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def service():
    """A real HTTP server on a free port."""
    with Service() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def daemon(recorder, service):
    """An engine whose container logs as it should, to its output and to its folder."""
    fake = FakeDaemon(recorder, container(), log=[LINE, "", LINE])
    fake.files = service.files
    return fake


@pytest.fixture
def settings(project):
    """The settings of a project with a golden prediction."""
    (project / "golden.json").write_text(
        json.dumps({"cases": [{"name": "small flat", "request": REQUEST, "expected": EXPECTED}]})
    )
    return load({"smoke.golden": "golden.json"}, start=project, environment={}).settings


@pytest.fixture
def target(service, settings, recorder, daemon, monkeypatch):
    """The service, as a running container."""
    monkeypatch.setattr(probes, "LOG_SECONDS", 0)
    return Target(
        facts=container(), url=service.url, key=SECRET, settings=settings, engine=Engine(recorder.buildx, daemon)
    )


PROBES = [
    "health",
    "readiness",
    "no key is refused",
    "a wrong key is refused",
    "a malformed body is refused",
    "golden prediction: small flat",
    "logs are JSON lines",
    "logs land in the volume",
]


def failures(target: Target) -> dict[str, str]:
    """Run every probe, and return the evidence of those that failed."""
    return {each.probe: each.evidence for each in smoke.probe(target) if each.verdict == "fail"}


def test_all_pass(target):
    """A service that answers as it should passes every probe, each told as it ends."""
    told = []
    results = smoke.probe(target, told.append)

    assert [(each.probe, each.verdict) for each in results] == [(name, "pass") for name in PROBES]
    assert tuple(told) == results
    assert results[5].evidence == "predicted_price = 250000.5, model = v1"
    assert not [each for each in results if SECRET in each.evidence]
    smoke.require(results)


@pytest.mark.parametrize(
    ("lay", "status", "probe"),
    [
        ("/health", 500, "health"),
        ("/health", 404, "health"),
        ("/ready", 503, "readiness"),
        ("no key", 200, "no key is refused"),
        ("no key", 403, "no key is refused"),
        ("wrong key", 200, "a wrong key is refused"),
        ("malformed", 200, "a malformed body is refused"),
        ("malformed", 500, "a malformed body is refused"),
    ],
)
def test_wrong_status(target, service, lay, status, probe):
    """Each probe fails alone when the service answers it with another status, which is the evidence."""
    service.laid[lay] = (status, "because")

    assert failures(target) == {probe: f"{status}: because"}


def test_no_answer(target):
    """A service that does not answer fails every probe of it, and is no exception."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    failed = failures(replace(target, url=f"http://127.0.0.1:{port}"))

    assert list(failed) == [*PROBES[:6], "logs land in the volume"]
    assert all(failed[probe].startswith("no answer: ") for probe in PROBES[:6])


@pytest.mark.parametrize(
    "said", [b"", b"not HTTP at all\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf"]
)
def test_broken_answer(target, said):
    """An answer that is none, or that is cut off, is a failure and no exception."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            client, _ = server.accept()
            with client:
                client.recv(1000)
                client.sendall(said)

        thread = threading.Thread(target=answer)
        thread.start()
        given = replace(target, url=f"http://127.0.0.1:{server.getsockname()[1]}").ask("GET", "/health")
        thread.join()

    assert given.status == 0
    assert given.body


@pytest.mark.parametrize(
    ("prediction", "evidence"),
    [
        ("[1]", "200: [1]"),
        ("not JSON", "200: not JSON"),
        ('{"predicted_price": 250001, "model": "v1"}', None),
        ('{"predicted_price": 250026, "model": "v1"}', "predicted_price is 250026, expected 250000.5"),
        ('{"predicted_price": "250000.5", "model": "v1"}', "predicted_price is '250000.5', expected 250000.5"),
        ('{"predicted_price": NaN, "model": "v1"}', "predicted_price is nan, expected 250000.5"),
        ('{"predicted_price": 250000.5, "model": "v2"}', "model is 'v2', expected 'v1'"),
        ('{"predicted_price": 250000.5}', "model is None, expected 'v1'"),
        ('{"predicted_price": 250000.5, "model": "v1", "more": 1}', None),
    ],
)
def test_golden(target, service, prediction, evidence):
    """A prediction must hold the golden fields, numbers within the tolerance and all else as it is."""
    service.prediction = prediction

    assert failures(target) == ({"golden prediction: small flat": evidence} if evidence else {})


def test_no_golden(target, project):
    """Without golden predictions that probe is not run, which is no pass."""
    settings = load({}, start=project, environment={}).settings
    service_takes_all = replace(target, settings=settings)
    (result,) = [each for each in smoke.probe(service_takes_all) if each.probe == "golden prediction"]

    assert result.verdict == "not-run"
    assert "`golden`" in result.evidence


def test_no_keyed_route(target, service, daemon, project):
    """Of a service without a keyed route nothing is asked that it does not have; plain log lines may be admitted."""
    with (project / "pyproject.toml").open("a") as stream:
        stream.write('\n[tool.dockyard.smoke]\npredict = ""\nlog_fields = []\n')
    plain = replace(target, settings=load({}, start=project, environment={}).settings)
    daemon._log[:] = ["Listening"]
    told = {each.probe: each.verdict for each in smoke.probe(plain)}

    assert told == {
        "health": "pass",
        "readiness": "pass",
        "the keyed route": "not-run",
        "logs": "pass",
        "logs land in the volume": "not-run",
    }
    assert service.files[LOG_FILE].decode() == f"{OLD_LINE}\n"
    daemon._log.append(f"key {SECRET}")
    assert failures(plain) == {"logs": "a line holds the API key"}


@pytest.mark.parametrize(
    ("line", "evidence"),
    [
        ("Traceback (most recent call last):", "no JSON object: Traceback (most recent call last):"),
        ('{"ts": 1, "level": "info"}', 'lacks event: {"ts": 1, "level": "info"}'),
        ('["ts", "level", "event"]', 'no JSON object: ["ts", "level", "event"]'),
        ('"ts level event"', 'no JSON object: "ts level event"'),
        ("5", "no JSON object: 5"),
        ("null", "no JSON object: null"),
        (json.dumps({"ts": 1, "level": "info", "event": f"key {SECRET}"}), "a line holds the API key"),
        (f"not JSON {SECRET}", "a line holds the API key"),
    ],
)
@pytest.mark.parametrize("place", ["output", "folder"])
def test_log_lines(target, service, daemon, line, evidence, place):
    """A line that is no JSON object with the agreed fields fails, and so does one with the key, which is not shown."""
    (daemon._log if place == "output" else service.written).insert(1, line)

    assert failures(target) == {PROBES[6] if place == "output" else PROBES[7]: evidence}


def test_no_logs(target, daemon):
    """A container that logs nothing fails: there is nothing to read when it matters."""
    daemon._log.clear()

    assert failures(target) == {"logs are JSON lines": "0 lines"}


def test_no_log_file(target, service):
    """Logs that do not arrive in the mounted folder fail, after some time for them to be written; old ones are none."""
    service.written = [json.dumps({"ts": 1, "level": "info", "event": "another request"})]

    assert failures(target) == {"logs land in the volume": "no line of these requests in /app/logs"}


def test_first_log_file(target, service):
    """A folder that is empty before the first request will do."""
    service.files.clear()

    assert failures(target) == {}


def test_old_log_lines(target, service):
    """Lines that were in the folder before are nobody's business now."""
    service.files[LOG_FILE] = f"an older version's line {SECRET}\n".encode()

    assert failures(target) == {}


def test_late_log_file(target, service, monkeypatch):
    """Lines that are written a moment later are waited for."""
    lines, service.written = service.written, []

    def sleep(_: float) -> None:
        service.written = lines
        service.write()

    monkeypatch.setattr(probes, "LOG_SECONDS", 60)
    monkeypatch.setattr(probes, "time", SimpleNamespace(monotonic=lambda: 0, sleep=sleep))

    assert failures(target) == {}


def test_undecodable_log_file(target, service):
    """A log file with bytes that are not UTF-8 is read all the same."""
    service.written.append('{"ts": 1, "level": "info", "event": "caf\xe9"}')

    assert failures(target) == {}


def test_nothing_mounted(target):
    """A container without the logs folder fails, and is not searched."""
    bare = replace(target, facts=container(mounts={}))

    assert failures(bare) == {"logs land in the volume": "nothing is mounted at /app/logs"}


@pytest.mark.parametrize(
    ("code", "seconds", "verdict", "evidence"),
    [
        (0, 0.5, "pass", "exit code 0 after 0.5 s"),
        (137, 10.1, "fail", "exit code 137 after 10.1 s"),
        (0, 10.0, "fail", "exit code 0 after 10.0 s"),
        (143, 0.5, "fail", "exit code 143 after 0.5 s"),
    ],
)
def test_stop(target, recorder, monkeypatch, code, seconds, verdict, evidence):
    """SIGTERM must end the process by itself, within the grace, and with code 0."""
    ended = FakeDaemon(recorder, container(exit_code=code))
    clock = iter([100.0, 100.0 + seconds])
    monkeypatch.setattr(probes, "time", SimpleNamespace(monotonic=lambda: next(clock)))

    result = smoke.stop_gracefully(replace(target, engine=Engine(recorder.buildx, ended)))

    assert (result.verdict, result.evidence) == (verdict, evidence)
    assert recorder.calls == [["container", "stop", "--time", "10", "old-1"]]


def test_stop_gone(target, recorder):
    """A container that is gone when it should have stopped is a failure."""
    result = smoke.stop_gracefully(replace(target, engine=Engine(recorder.buildx, FakeDaemon(recorder))))

    assert result.verdict == "fail"


def test_require():
    """What failed is told, each with its evidence; what was not run is not counted as failed."""
    results = (
        Result(probe="a", verdict="pass", evidence="fine"),
        Result(probe="b", verdict="fail", evidence="500"),
        Result(probe="c", verdict="not-run", evidence="none"),
        Result(probe="d", verdict="fail", evidence="no answer"),
    )

    with pytest.raises(UnhealthyError) as caught:
        smoke.require(results)

    what, why, _ = sentences(caught.value)
    assert what == "2 of 4 probes failed."
    assert why.splitlines() == ["b: 500", "d: no answer"]
    assert smoke.require(results[:1]) is None
