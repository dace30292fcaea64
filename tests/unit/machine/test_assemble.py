from __future__ import annotations

import json
import platform
import tarfile

import pytest

from dockyard.errors import EngineError
from dockyard.machine import archive, assemble, cpython, debian
from dockyard.machine.interpreters import Interpreter
from support import sentences
from unit.machine.conftest import FakeBuildx

INTERPRETER = Interpreter(prefix=None, version="3.12.1", kind="pyenv")
BASE = "python:3.12-slim-bookworm"
NAME = f"dockyard.local/{BASE}"
TRIAL = f"{NAME}-unproved"


@pytest.mark.parametrize(
    ("wanted", "suite"),
    [
        (BASE, "bookworm"),
        ("python:3.13-trixie", "trixie"),
        (f"registry.example/hub/{BASE}@sha256:abc", "bookworm"),
        ("python:3.12-slim-buster", None),
        ("python:3.12-alpine", None),
        ("python:3.12", None),
        ("node:20-bookworm", None),
    ],
)
def test_suite(wanted, suite, monkeypatch):
    """The Debian suite is read from the name; what is no Python on a Debian that is known is refused."""
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    if suite:
        assert assemble.suite_of(wanted) == suite
        return
    with pytest.raises(EngineError) as caught:
        assemble.suite_of(wanted)
    assert wanted in sentences(caught.value)[0]


def test_architecture(monkeypatch):
    """On a processor of which nothing is known, nothing is assembled."""
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")

    with pytest.raises(EngineError):
        assemble.suite_of(BASE)


@pytest.fixture
def system(tmp_path, monkeypatch) -> debian.Debian:
    """A Debian part, and a CPython that is one file."""
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(cpython, "write", lambda interpreter, writer, work: writer.file("python", b""))
    with archive.write_layer(tmp_path / "debian", "") as (writer, blob):
        writer.file("debian", b"")
    return debian.Debian(suite="bookworm", layer=blob.layer, created="2026-11-02T12:55:59Z")


@pytest.fixture
def buildx(daemon, monkeypatch) -> FakeBuildx:
    """A docker whose container says the right version."""
    fake = FakeBuildx(daemon, told="3.12.1\n")
    monkeypatch.setattr(assemble, "Buildx", lambda: fake)
    return fake


def test_proved_before_named(buildx, system, tmp_path):
    """The image runs as UID 1000 without a network before it gets its name, and its first name goes."""
    assert assemble.assemble(INTERPRETER, BASE, system, tmp_path) == NAME
    assert buildx.calls == [
        ("load", "image.tar"),
        ("run", TRIAL, "networks=['none']", "remove=True", "user=1000:1000"),
        ("tag", TRIAL, NAME),
        ("remove", TRIAL),
    ]


@pytest.mark.parametrize(
    ("told", "raised"),
    [
        pytest.param(EngineError("It failed.", "version `GLIBC_2.38' not found", "Look."), EngineError, id="libc"),
        pytest.param("3.12.2\n", EngineError, id="another-python"),
        pytest.param(KeyboardInterrupt(), KeyboardInterrupt, id="ctrl-c"),
    ],
)
def test_unproved(buildx, system, tmp_path, told, raised):
    """An image that does not work, or is interrupted, never gets the name, and is removed."""
    buildx.told = told

    with pytest.raises(raised) as caught:
        assemble.assemble(INTERPRETER, BASE, system, tmp_path)

    assert [call[0] for call in buildx.calls] == ["load", "run", "remove"]
    if isinstance(told, EngineError):
        assert told.why == sentences(caught.value)[1]


def test_image(buildx, system, tmp_path, monkeypatch):
    """The image is configured as the official one is, and says everywhere that it is not that one."""
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    assemble.assemble(INTERPRETER, BASE, system, tmp_path)

    (path,) = tmp_path.glob("*/image.tar")
    with tarfile.open(path) as tar:
        (named,) = json.load(tar.extractfile("manifest.json"))
        told = json.load(tar.extractfile(named["Config"]))
    assert named["RepoTags"] == [TRIAL]
    assert told["architecture"] == "arm64"
    assert told["config"]["Cmd"] == ["python3"]
    assert told["config"]["Env"][0].startswith("PATH=/usr/local/bin:")
    assert told["config"]["Env"][1:] == ["LANG=C.UTF-8", "PYTHON_VERSION=3.12.1"]
    assert told["config"]["Labels"] == {
        "dev.dockyard.base": "assembled",
        "dev.dockyard.base.debian": "bookworm",
        "dev.dockyard.base.python": "3.12.1",
        "dev.dockyard.base.source": "Debian packages; CPython of the machine (pyenv)",
        "org.opencontainers.image.title": "Python 3.12.1 on Debian bookworm, assembled by dockyard",
        "org.opencontainers.image.description": "Not the official Python image.",
        "org.opencontainers.image.created": "2026-11-02T12:55:59Z",
    }


@pytest.mark.parametrize("error", [None, EngineError("a", "b", "c"), KeyboardInterrupt()])
def test_workshop(monkeypatch, root, error):
    """What was made on the way is gone after success, failure and Ctrl-C alike."""
    seen = []
    monkeypatch.setattr(debian, "make", lambda suite, work, root: seen.append(work) or (work / "file").touch())
    try:
        with assemble.workshop("bookworm", root):
            assert seen[0].stat().st_mode & 0o777 == 0o755, "apt fetches as another user"
            if error:
                raise error
    except type(error or EngineError):
        assert error
    assert not seen[0].exists()
