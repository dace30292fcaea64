from __future__ import annotations

import gc
import hashlib
import io
import json
import os
import re
import struct
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from dockyard.engines.daemon import Daemon
from dockyard.engines.facts import ContainerFacts, HealthCheck, ImageFacts, ServerFacts
from dockyard.errors import EngineError
from support import PROJECT_LABEL, SECRET, recorded, sentences

PROD = json.loads(recorded("engine/container-prod.json"))["Id"]
OURS = f"{PROJECT_LABEL}=dockyard-rec"


class Replay(ThreadingHTTPServer):
    """An engine's HTTP interface that gives recorded answers and writes down what it is asked.

    Attributes:
        answers: `METHOD path`, without the version, to status and body.
        asked: `METHOD path`, query and body of every request.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: dict[str, tuple[int, bytes]] = {}
        self.asked: list[tuple[str, dict[str, list[str]], bytes]] = []
        self.lay("GET /version", recorded("engine/version.json"))

    def lay(self, route: str, body: str | bytes | dict, status: int = 200) -> None:
        content = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
        self.answers[route] = (status, content)

    @property
    def routes(self) -> list[str]:
        """What was asked since the client knows the engine's version."""
        return [route for route, _, _ in self.asked if route != "GET /version"]


class _Handler(BaseHTTPRequestHandler):
    server: Replay

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        route = f"{self.command} {re.sub(r'^/v[0-9.]+', '', parts.path)}"
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        self.server.asked.append((route, parse_qs(parts.query), body))
        status, content = self.server.answers.get(route, (404, b'{"message": "No such thing"}'))
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        if "archive" in route:
            self.send_header("X-Docker-Container-Path-Stat", "e30=")
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815 - http.server wants these names

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def replay(monkeypatch):
    """An engine that replays; it is where DOCKER_HOST points."""
    with Replay() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{server.server_address[1]}")
        yield server
        server.shutdown()


@pytest.fixture
def daemon(replay):
    """The door, opened on it."""
    door = Daemon(timeout=5)
    yield door
    if "_client" in vars(door):
        door._client.close()


def lay_container(replay: Replay, name: str) -> str:
    """Lay out a recorded container, and return its id."""
    text = recorded(f"engine/container-{name}.json")
    number = json.loads(text)["Id"]
    for known in (number, f"rec-{name}"):
        replay.lay(f"GET /containers/{known}/json", text)
    return number


def test_server(replay, daemon):
    """The engine's own facts are read, the kind of its image store among them."""
    replay.lay("GET /info", recorded("engine/info.json"))

    assert daemon.server() == ServerFacts(
        version="26.1.5+dfsg1", containerd_store=True, architecture="x86_64", data_root="/var/lib/docker"
    )
    assert daemon.reachable()
    assert daemon._client.api.timeout == 5


@pytest.mark.parametrize(
    "status",
    [None, [], [["Backing Filesystem", "extfs"], ["Supports d_type", "true"]], [["odd"], ["driver-type", "overlay2"]]],
)
def test_classic_store(replay, daemon, status):
    """An engine that says nothing of containerd has the classic image store."""
    replay.lay("GET /info", {**json.loads(recorded("engine/info.json")), "DriverStatus": status})

    assert not daemon.server().containerd_store


def test_image(replay, daemon):
    """An image's facts are read; one that is not there is None."""
    replay.lay("GET /images/dockyard-rec:live/json", recorded("engine/image.json"))
    replay.lay("GET /images/nope/json", '{"message": "No such image: nope"}', 404)
    told = json.loads(recorded("engine/image.json"))

    facts = daemon.image("dockyard-rec:live")

    assert facts == ImageFacts(
        id=told["Id"],
        tags=("dockyard-rec:live",),
        digests=(f"dockyard-rec@{told['Id']}",),
        labels=told["Config"]["Labels"],
        created="2026-11-02T12:55:59Z",
        size=told["Size"],
        architecture="amd64",
        env=tuple(told["Config"]["Env"]),
        user="1000:1000",
        command=("python", "-m", "http.server", "8000"),
    )
    assert facts.labels[PROJECT_LABEL] == "dockyard-rec"
    assert daemon.image("nope") is None


def test_bare_image(replay, daemon):
    """An image without configuration, tags or labels has empty ones."""
    replay.lay("GET /images/bare/json", {"Id": "sha256:1", "RepoTags": None, "RepoDigests": None, "Config": None})

    assert daemon.image("bare") == ImageFacts(
        id="sha256:1", tags=(), digests=(), labels={}, created="", size=0, architecture="", env=(), user=""
    )


def test_container(replay, daemon):
    """Everything that dockyard asks of a running container is read from what the engine tells."""
    number = lay_container(replay, "prod")
    facts = daemon.container("rec-prod")

    assert facts == ContainerFacts(
        id=number,
        name="rec-prod",
        image="dockyard-rec:live",
        image_id=json.loads(recorded("engine/image.json"))["Id"],
        labels=facts.labels,
        status="running",
        health="healthy",
        health_output="200 ready",
        exit_code=0,
        oom_killed=False,
        restarts=0,
        started="2026-11-23T01:41:43.597828589Z",
        error="",
        memory=64 * 2**20,
        ports={"8000/tcp": ("127.0.0.1", 32768)},
        mounts={"/run/secrets": "rec-key", "/app/logs": "/tmp/rec/logs"},
        pid=31885,
        finished="0001-01-01T00:00:00Z",
        checks=facts.checks,
        command=("python", "-m", "http.server", "8000"),
    )
    assert facts.checks[0] == HealthCheck(code=0, seconds=pytest.approx(0.066, abs=0.001), output="200 ready")
    assert facts.labels[PROJECT_LABEL] == "dockyard-rec"


@pytest.mark.parametrize(
    ("name", "status", "health", "code", "oom"),
    [
        ("exit", "exited", "", 3, False),
        ("oom", "exited", "unhealthy", 137, True),
        ("created", "created", "", 0, False),
    ],
)
def test_container_states(replay, daemon, name, status, health, code, oom):
    """How a container ended is read; one without a health check has none."""
    facts = daemon.container(lay_container(replay, name))

    assert (facts.status, facts.health, facts.exit_code, facts.oom_killed) == (status, health, code, oom)
    assert facts.ports == {}
    assert facts.mounts == {}


def test_stopped_ports(replay, daemon):
    """A stopped container still tells the ports that it was started with; one chosen by the engine is 0."""
    told = json.loads(recorded("engine/container-prod.json"))
    told["NetworkSettings"]["Ports"] = {}
    told["State"]["Running"] = False
    replay.lay("GET /containers/rec-prod/json", told)

    assert daemon.container("rec-prod").ports == {"8000/tcp": ("127.0.0.1", 0)}


def test_cut_off_ports(replay, daemon):
    """A running container that was cut off from its network is reached by no port, whatever it was started with."""
    told = json.loads(recorded("engine/container-prod.json"))
    told["NetworkSettings"]["Ports"] = {}
    replay.lay("GET /containers/rec-prod/json", told)

    assert daemon.container("rec-prod").ports == {}


def test_no_container(daemon):
    """A container that is not there is None."""
    assert daemon.container("nope") is None


@pytest.mark.parametrize(
    ("question", "query"),
    [
        ({"label": OURS}, {"all": ["1"], "filters": {"label": [OURS]}}),
        ({"publishing": 8000}, {"all": ["0"], "filters": {"publish": ["8000"]}}),
    ],
    ids=["label", "publishing"],
)
def test_containers(replay, daemon, question, query):
    """Containers are asked for by label, stopped ones too, or by port; one that vanishes meanwhile is left out."""
    replay.lay("GET /containers/json", recorded("engine/containers.json"))
    for name in ("prod", "exit", "oom"):
        lay_container(replay, name)

    assert sorted(each.name for each in daemon.containers(**question)) == ["rec-exit", "rec-oom", "rec-prod"]
    asked = next(asked for route, asked, _ in replay.asked if route == "GET /containers/json")
    assert asked["all"] == query["all"]
    assert json.loads(asked["filters"][0]) == query["filters"]


def test_images_and_volumes(replay, daemon):
    """Images are listed by reference, those without one by id, and volumes by name."""
    images = json.loads(recorded("engine/images.json"))
    replay.lay("GET /images/json", json.dumps([*images, {"Id": "sha256:2", "RepoTags": None}]))
    replay.lay("GET /volumes", recorded("engine/volumes.json"))

    assert daemon.images(OURS) == ("dockyard-rec:x", "dockyard-rec:live", "sha256:2")
    assert daemon.volumes(OURS) == ("rec-key",)
    for _, query, _ in replay.asked[-2:]:
        assert json.loads(query["filters"][0]) == {"label": [OURS]}

    replay.lay("GET /volumes", {"Volumes": None, "Warnings": None})
    assert daemon.volumes(OURS) == ()


def frames(*chunks: bytes) -> bytes:
    """Write chunks of a log as the engine does: each with its stream and length."""
    return b"".join(struct.pack(">BxxxL", 1, len(chunk)) + chunk for chunk in chunks)


def test_logs(replay, daemon):
    """A log comes line by line, wherever the engine cut it, with bytes that are not UTF-8 replaced."""
    lay_container(replay, "prod")
    replay.lay("GET /containers/rec-prod/logs", frames(b"one\r\ntw", b"o\n\xff\n", b"caf\xc3", b"\xa9"))

    assert list(daemon.logs("rec-prod", lines=7)) == ["one", "two", "�", "café"]
    asked = next(asked for route, asked, _ in replay.asked if route.endswith("/logs"))
    assert (asked["tail"], asked["follow"]) == (["7"], ["0"])


def test_whole_log(replay, daemon):
    """Without a number of lines the whole log is asked for, and an empty one gives nothing."""
    lay_container(replay, "prod")
    replay.lay("GET /containers/rec-prod/logs", b"")

    assert list(daemon.logs("rec-prod", follow=True)) == []
    asked = next(asked for route, asked, _ in replay.asked if route.endswith("/logs"))
    assert (asked["tail"], asked["follow"]) == (["all"], ["1"])


def test_stats(replay, daemon):
    """One sample of a container's use is passed on as it is."""
    replay.lay("GET /containers/rec-prod/stats", recorded("engine/stats.json"))

    assert daemon.stats("rec-prod") == json.loads(recorded("engine/stats.json"))


def packed(**files: bytes) -> bytes:
    """Return a tar of a folder `logs` with files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        folder = tarfile.TarInfo("logs")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        for name, content in files.items():
            entry = tarfile.TarInfo(f"logs/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def test_read_folder(replay, daemon):
    """The files of a folder come by their path; a folder that is not there gives none."""
    replay.lay("GET /containers/rec-prod/archive", packed(service=b"line\n", other=b""))

    assert daemon.read_folder("rec-prod", "/app/logs") == {"logs/service": b"line\n", "logs/other": b""}
    assert replay.asked[-1][1] == {"path": ["/app/logs"]}
    assert daemon.read_folder("gone", "/app/logs") == {}


def lay_volume(replay: Replay, put: int = 200) -> None:
    """Lay out the answers to the writing of a volume."""
    replay.lay("POST /volumes/create", recorded("engine/volumes.json"), 201)
    replay.lay("POST /containers/create", {"Id": "carrier", "Warnings": []}, 201)
    replay.lay("PUT /containers/carrier/archive", b"" if put == 200 else '{"message": "no space left"}', put)
    replay.lay("DELETE /containers/carrier", b"", 204)


WRITING = [
    "POST /volumes/create",
    "POST /containers/create",
    "PUT /containers/carrier/archive",
    "DELETE /containers/carrier",
]


def test_write_volume(replay, daemon):
    """A secret travels in an archive alone, readable by root and one group; its carrier never starts and is removed."""
    lay_volume(replay)

    labels = {PROJECT_LABEL: "dockyard-rec"}
    daemon.write_volume("rec-key", image="a:b", name="api_key", content=SECRET.encode(), group=1000, labels=labels)

    assert replay.routes == WRITING
    volume, carrier, archive = (body for route, _, body in replay.asked if route.startswith(("POST", "PUT")))
    assert {"Name": "rec-key", "Labels": labels}.items() <= json.loads(volume).items()
    created = json.loads(carrier)
    assert created["Image"] == "a:b"
    assert created["Labels"] == labels
    assert created["HostConfig"]["Binds"] == ["rec-key:/carried"]
    assert created["HostConfig"]["NetworkMode"] == "none"
    assert SECRET.encode() not in volume + carrier
    assert replay.asked[-1][1] == {"v": ["True"], "link": ["False"], "force": ["True"]}
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        (member,) = tar.getmembers()
        assert (member.name, member.mode, member.uid, member.gid) == ("api_key", 0o440, 0, 1000)
        assert tar.extractfile(member).read() == SECRET.encode()


def test_write_volume_fails(replay, daemon):
    """The carrier is removed when the secret could not be written, too, and the secret is in no error."""
    lay_volume(replay, put=500)

    with pytest.raises(EngineError) as caught:
        daemon.write_volume("rec-key", image="a:b", name="api_key", content=SECRET.encode(), group=1000, labels={})

    assert replay.routes == WRITING
    assert sentences(caught.value)[:2] == (
        "The file api_key was to be written into the volume rec-key.",
        "no space left",
    )
    assert SECRET not in str(caught.value)


QUESTIONS = {
    "server": lambda daemon: daemon.server(),
    "image": lambda daemon: daemon.image("a:b"),
    "images": lambda daemon: daemon.images(OURS),
    "container": lambda daemon: daemon.container("one"),
    "containers": lambda daemon: daemon.containers(label=OURS),
    "logs": lambda daemon: list(daemon.logs("one")),
    "stats": lambda daemon: daemon.stats("one"),
    "volumes": lambda daemon: daemon.volumes(OURS),
    "networks": lambda daemon: daemon.networks(OURS),
    "save": lambda daemon: list(daemon.save("a:b")),
    "read_folder": lambda daemon: daemon.read_folder("one", "/app"),
    "write_volume": lambda daemon: daemon.write_volume("v", image="i", name="n", content=b"", group=1, labels={}),
    "published": lambda daemon: daemon.published("a:b"),
}


def test_all_questions():
    """The tables below ask every question that the door has."""
    assert set(QUESTIONS) == {name for name in vars(Daemon) if not name.startswith("_")} - {"api", "reachable"}


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_no_engine(question):
    """Every question says that no engine answers, with the innermost reason, and how to start one."""
    with pytest.raises(EngineError) as caught:
        question(Daemon())

    what, why, todo = sentences(caught.value)
    assert what == "The Docker engine does not answer."
    assert "Connection refused" in why
    assert "invoke setup" in todo


# The SDK leaves half a connection behind.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("host", "reason"),
    [("unix:///nowhere/docker.sock", "No such file or directory"), ("tcp://", "tcp://")],
    ids=["socket", "nonsense"],
)
def test_no_such_host(monkeypatch, host, reason):
    """An address at which there is nothing, or that is none, is an engine that does not answer."""
    monkeypatch.setenv("DOCKER_HOST", host)

    with pytest.raises(EngineError) as caught:
        Daemon().server()

    assert sentences(caught.value)[0] == "The Docker engine does not answer."
    assert reason in caught.value.why
    del caught
    gc.collect()


def test_unreachable():
    """Without an engine none is reachable; asking is no error."""
    assert not Daemon().reachable()


@pytest.mark.parametrize(
    ("route", "question"),
    [
        ("GET /info", QUESTIONS["server"]),
        ("GET /images/a:b/json", QUESTIONS["image"]),
        ("GET /containers/one/json", QUESTIONS["container"]),
        ("GET /volumes", QUESTIONS["volumes"]),
        ("GET /containers/one/stats", QUESTIONS["stats"]),
    ],
    ids=["server", "image", "container", "volumes", "stats"],
)
def test_engine_refuses(replay, daemon, route, question):
    """An engine that answers with an error is quoted."""
    replay.lay(route, '{"message": "the disk is full"}', 500)

    with pytest.raises(EngineError) as caught:
        question(daemon)

    assert sentences(caught.value)[1] == "the disk is full"


def test_engine_stops(replay, daemon):
    """An engine that goes away between two questions is said to be gone, and found again when it is back."""
    replay.lay("GET /info", recorded("engine/info.json"))
    assert daemon.reachable()

    replay.RequestHandlerClass = type("Silent", (_Handler,), {"do_GET": lambda self: self.connection.close()})
    assert not daemon.reachable()

    replay.RequestHandlerClass = _Handler
    assert daemon.reachable()


@pytest.fixture
def context(replay, monkeypatch, tmp_path):
    """Make a docker context `mine` that leads to the engine; no DOCKER_HOST leads elsewhere."""
    folder = tmp_path / "config"
    meta = folder / "contexts" / "meta" / hashlib.sha256(b"mine").hexdigest()
    meta.mkdir(parents=True)
    host = os.environ["DOCKER_HOST"]
    endpoints = {"docker": {"Host": host, "SkipTLSVerify": False}}
    (meta / "meta.json").write_text(json.dumps({"Name": "mine", "Metadata": {}, "Endpoints": endpoints}))
    (folder / "config.json").write_text("{}")
    monkeypatch.setenv("DOCKER_CONFIG", str(folder))
    monkeypatch.delenv("DOCKER_HOST")
    replay.lay("GET /info", recorded("engine/info.json"))
    return folder


@pytest.mark.parametrize("how", ["current", "variable"])
def test_context(context, daemon, monkeypatch, how):
    """The engine is that of the docker context, current or named, as it is for the docker command."""
    if how == "current":
        (context / "config.json").write_text('{"currentContext": "mine"}')
    else:
        monkeypatch.setenv("DOCKER_CONTEXT", "mine")

    assert daemon.server().version == "26.1.5+dfsg1"


def test_no_context(context, daemon, monkeypatch):
    """A context that is not there is named."""
    monkeypatch.setenv("DOCKER_CONTEXT", "other")

    with pytest.raises(EngineError) as caught:
        daemon.server()

    assert sentences(caught.value)[0] == "There is no docker context other."


def test_registry_silent(daemon, monkeypatch):
    """A registry that does not answer in time is told from an engine that does not."""

    def wait(*_: object, **__: object) -> None:
        raise requests.ReadTimeout

    monkeypatch.setattr("docker.models.images.ImageCollection.get_registry_data", wait)

    with pytest.raises(EngineError) as caught:
        daemon.published("a:b", seconds=7)

    assert sentences(caught.value)[:2] == ("The registry was asked for a:b.", "It did not answer within 7 s.")


def test_published(replay, daemon):
    """A registry's digest of a reference comes through the engine; None where the registry has it not."""
    replay.lay("GET /distribution/a:b/json", {"Descriptor": {"digest": "sha256:1"}, "Platforms": []})

    assert daemon.published("a:b") == "sha256:1"
    assert daemon.published("nope:b") is None
