"""Builds on a corporate network, on a real engine: private CA, index and proxy with passwords, mirror; and no trace."""

from __future__ import annotations

import base64
import gzip
import json
import os
import secrets
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections import deque
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import corporate
import pytest
from corporate import HOST, Authority, Index, Proxy, Server, authority, mirror, pinned, wheel
from engines import WITH_LOOPBACK, laid, socket_of
from serving import docker

from conftest import REPOSITORY
from dockyard import machine
from dockyard.engines import Engine
from dockyard.engines.buildx import Buildx
from dockyard.engines.daemon import Daemon
from dockyard.machine import engine as engine_room
from dockyard.pipeline import Project
from dockyard.pipeline.planned import planned
from dockyard.report.console import Console
from dockyard.settings import load
from support import PROJECT_LABEL, opened

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.engine

PYPROJECT = """
[project]
name = "{name}"
version = "1.0"
"""
TASKS = "from dockyard.tasks import namespace\n\n__all__ = ['namespace']\n"


@dataclass(frozen=True, kw_only=True)
class Corporation:
    """A project on such a network, what it is told of it, and what must be seen nowhere."""

    folder: Path
    index: Index
    proxy: Proxy
    environment: dict[str, str]
    bundle: Path
    secrets: tuple[str, str]

    def invoke(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Call a task as a person would; what it says must hold no secret, however it ends."""
        home = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH", "DOCKER_HOST") if name in os.environ}
        done = subprocess.run(
            [sys.executable, "-m", "invoke", *words],
            cwd=self.folder,
            env={**home, **self.environment, **variables},
            capture_output=True,
            text=True,
            check=False,
        )
        assert not self.found((done.stdout + done.stderr).encode())
        return done

    def found(self, content: bytes) -> list[str]:
        """The secrets in a text, plain or as a header of HTTP has them."""
        headers = [base64.b64encode(f"build:{each}".encode()).decode().rstrip("=") for each in self.secrets]
        return [each for each in (*self.secrets, *headers) if each.encode() in content]

    def traces(self, content: bytes) -> list[str]:
        """The same, and the network's own names and authority, of which an image must not know."""
        line = self.bundle.read_text("utf-8").splitlines()[2]
        return [*self.found(content), *(each for each in (HOST, "proxy.corp", line) if each.encode() in content)]


@pytest.fixture(scope="module")
def inside(engine: Engine) -> str:
    """The address at which a step of a build finds this machine; nothing else does."""
    return docker("network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}").strip()


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory, inside: str) -> Authority:
    """The corporation's authority, which no base image knows."""
    return authority(tmp_path_factory.mktemp("authority"), f"DNS:{HOST},IP:{inside}")


@pytest.fixture
def corporation(tmp_path: Path, unique: str, trusted: Authority, inside: str) -> Iterator[Corporation]:
    """A project that has the service's own way to its packages, on a network where only that leads to them."""
    folder = tmp_path / "project"
    (folder / "requirements").mkdir(parents=True)
    uv = wheel(tmp_path, "uv", Path(shutil.which("uv", path=Path(sys.executable).parent) or "uv"))
    probe = wheel(tmp_path, "probe")
    (folder / "pyproject.toml").write_text(PYPROJECT.format(name=unique), "utf-8")
    (folder / "tasks.py").write_text(TASKS, "utf-8")
    (folder / "requirements/build.txt").write_text(pinned(uv), "utf-8")
    (folder / "requirements/service.txt").write_text(pinned(probe), "utf-8")
    (folder / "Dockerfile").write_text(dockerfile(unique), "utf-8")
    words = secrets.token_hex(16), secrets.token_hex(16)
    index = Index(wheels=(uv, probe), credentials=f"build:{words[0]}")
    with trusted.secure(Server((inside, 0), index.handler())) as packages:
        proxy = Proxy(place=(inside, packages.port), credentials=f"build:{words[1]}")
        with Server((inside, 0), proxy.handler()) as forward:
            yield Corporation(
                folder=folder,
                index=index,
                proxy=proxy,
                environment={
                    "DOCKYARD_NETWORK_CA_BUNDLE": str(trusted.bundle),
                    "DOCKYARD_NETWORK_INDEX_URL": f"https://build:{words[0]}@{HOST}/simple",
                    "DOCKYARD_NETWORK_PROXY": f"http://build:{words[1]}@{inside}:{forward.port}",
                    "DOCKYARD_NETWORK_NO_PROXY": "proxy.corp",
                },
                bundle=trusted.bundle,
                secrets=words,
            )


def dockerfile(unique: str) -> str:
    """The service's Dockerfile up to its packages, as it stands in this repository, and a runner that has them."""
    builder, mark, _ = (REPOSITORY / "Dockerfile").read_text("utf-8").partition("\n# Bytecode of the modules")
    assert mark
    begin, end = builder.split("WORKDIR /build\n")
    runner = "FROM ${BASE_IMAGE}\nCOPY --from=builder /opt/venv /opt/venv\n"
    return f"{begin}RUN echo {unique} > /unique\nWORKDIR /build\n{end}\n{runner}"


def test_build_leaves_no_trace(corporation: Corporation, engine: Engine, unique: str, tmp_path: Path) -> None:
    """The service's own steps get their packages by all four settings; image, provenance and records know of none."""
    done = corporation.invoke("build", "--progress", "plain")
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(corporation.index.served) == {each.name for each in corporation.index.wheels}
    assert set(corporation.proxy.passed) == {f"{HOST}:443"}
    assert docker("run", "--rm", f"{unique}:prod", "/opt/venv/bin/python", "-c", "import probe_probe") == ""

    told = docker("image", "inspect", f"{unique}:prod") + docker("history", "--no-trunc", f"{unique}:prod")
    assert "with-network" not in told
    assert corporation.traces(told.encode()) == []

    attested = archived(corporation, engine, tmp_path / "image.tar")
    assert any(b"https://slsa.dev/provenance" in each and b"with-network" in each for each in attested)
    assert [found for each in attested for found in corporation.traces(each)] == []

    for words in (["explain"], ["explain", "--format", "json"], ["setup", "--check"], ["settings"]):
        assert corporation.invoke(*words).returncode == 0, words
    kept = [path for path in (corporation.folder / ".dockyard").rglob("*") if path.is_file()]
    assert kept
    assert [path for path in kept if corporation.found(unpacked(path.read_bytes()))] == []


def archived(corporation: Corporation, engine: Engine, target: Path) -> list[bytes]:
    """Every blob of the image as the project's own build makes it, written with all the provenance that there is."""
    project = Project(load(start=corporation.folder, environment=corporation.environment), engine, Console(quiet=True))
    with planned(project) as asked:
        options = {**asked.options(), "load": False, "provenance": {"mode": "max"}, "tags": []}
        options["output"] = {"type": "oci", "dest": str(target)}
        with closing(engine.buildx.build(asked.context, **options)) as messages:
            deque(messages, maxlen=0)
    with tarfile.open(target) as archive:
        files = [archive.extractfile(each) for each in archive]
        return [unpacked(each.read()) for each in files if each]


def unpacked(content: bytes) -> bytes:
    return gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content


def test_no_proxy(corporation: Corporation, inside: str) -> None:
    """A host that is excepted is reached without the proxy."""
    name, port = corporation.proxy.place
    url = f"https://{corporation.index.credentials}@{name}:{port}/simple"
    done = corporation.invoke(
        "build", "--progress", "plain", DOCKYARD_NETWORK_INDEX_URL=url, DOCKYARD_NETWORK_NO_PROXY=f"other.corp,{inside}"
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert len(set(corporation.index.served)) == 2
    assert corporation.proxy.passed == []


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"DOCKYARD_NETWORK_CA_BUNDLE": "/etc/ssl/certs/ca-certificates.crt"}, "CERTIFICATE_VERIFY_FAILED"),
        ({"index": "INDEX_URL"}, "401"),
        ({"index": "PROXY"}, "407"),
    ],
    ids=["authority", "index", "proxy"],
)
def test_refused(corporation: Corporation, wrong: dict[str, str], reason: str) -> None:
    """A build that is refused says by whom, ends with exit code 4, and says no password, not even a wrong one."""
    variables = dict(wrong)
    if "index" in variables:
        name = f"DOCKYARD_NETWORK_{variables.pop('index')}"
        variables[name] = corporation.environment[name].replace("build:", "build:mistyped-")
    done = corporation.invoke("build", "--progress", "plain", **variables)

    assert done.returncode == 4
    assert reason in done.stdout + done.stderr
    assert "mistyped-" not in done.stdout + done.stderr
    assert corporation.index.served == []


@pytest.mark.parametrize("hidden", ["", "library/"], ids=["plain", "library"])
def test_mirror(engine: Engine, unique: str, tmp_path: Path, hidden: str) -> None:
    """A base comes from the mirror of the settings, gets its plain name, and is not asked for again."""
    (tmp_path / "pyproject.toml").write_text(PYPROJECT.format(name=unique), "utf-8")
    architecture = docker("version", "--format", "{{.Server.Arch}}").strip()
    registry = mirror(f"hub/{hidden}{unique}", {PROJECT_LABEL: unique}, architecture)
    with Server(("127.0.0.1", 0), registry.handler()) as server:
        place = f"127.0.0.1:{server.port}/hub"
        project = opened(tmp_path, engine, {"build.base": f"{unique}:{{python}}", "network.mirror": place})
        (first,) = [
            each for each in machine.prepare(project.wanted, engine, pytest.fail) if each.subject == "base 3.12"
        ]
        asked = len(registry.asked)
        again = machine.base_for("3.12", project.wanted, engine)

    assert (first.state, first.detail) == ("done", f"{unique}:3.12 (pulled from 127.0.0.1:{server.port})")
    assert (again.reference, again.official) == (f"{unique}:3.12", True)
    assert asked == len(registry.asked) > 0


@pytest.fixture(params=["containerd", "classic"])
def mirrored(request: pytest.FixtureRequest, unique: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[machine.Wanted]:
    """What is wanted of an engine whose own settings name a mirror, on either image store; it reaches nothing else."""
    features = {"containerd-snapshotter": request.param == "containerd"}
    settings = {"registry-mirrors": ["http://127.0.0.1:5000"], "features": features}
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="dy-") as name:
        short = Path(name)
        monkeypatch.setenv("DOCKER_HOST", socket_of(short))
        with laid(short, settings=json.dumps(settings), start=WITH_LOOPBACK) as place:
            done = engine_room.prepare(place, Daemon(), lambda _: None)
            assert done.state == "done", done.detail
            pid = (place.root / "run/docker.pid").read_text()
            script = [sys.executable, corporate.__file__, f"library/{unique}", os.uname().machine]
            with subprocess.Popen(["nsenter", "--target", pid, "--net", *script], stdout=subprocess.PIPE) as served:
                assert served.stdout
                assert served.stdout.readline() == b"serves\n"
                yield machine.Wanted(pythons=("3.12",), base=f"{unique}:{{python}}", state=short / "state")
                served.terminate()


def test_mirror_of_the_engine(mirrored: machine.Wanted, unique: str) -> None:
    """Where the engine's own settings name a mirror, a base with the official form of name comes through it."""
    lines = machine.prepare(mirrored, Engine(Buildx(), Daemon()), pytest.fail)

    (base,) = [each for each in lines if each.subject == "base 3.12"]
    assert (base.state, base.detail) == ("done", f"{unique}:3.12 (pulled from the public registry)")
