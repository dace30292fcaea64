"""Fixtures of every test: a small project, a docker that records, and the real engine for those that ask for it."""

from __future__ import annotations

import gc
import json
import os
import secrets
import signal
import tarfile
from typing import TYPE_CHECKING

import pytest

from dockyard.engines import Engine
from dockyard.engines.buildx import Buildx
from dockyard.engines.daemon import Daemon
from dockyard.errors import EngineError
from dockyard.settings import Settings, load
from support import FakeDaemon, Recorder, remove_labelled

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PYPROJECT = """
[project]
name = "tiny-service"
version = "1.2.3"
"""
# What a developer or a CI runner may have set, and what would change the outcome of a test.
PERSONAL = ("API_KEY", "DOCKER_", "DOCKYARD_", "FORCE_COLOR", "GITHUB_", "GIT_", "INVOKE_", "NO_COLOR")
# Refused at once; of a socket that is not there, the SDK leaves half a connection behind, which warns.
NOWHERE = "tcp://127.0.0.1:1"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test that uses the real engine, directly or through another fixture."""
    for item in items:
        if "engine" in getattr(item, "fixturenames", ()):
            item.add_marker("engine")


@pytest.fixture(autouse=True)
def _apart(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep every test that is not marked `engine` away from the engine, and from its runner's own environment."""
    if request.node.get_closest_marker("engine"):
        return
    for name in os.environ:
        if name.startswith(PERSONAL):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DOCKER_HOST", NOWHERE)


@pytest.fixture(autouse=True, scope="session")
def _ctrl_c() -> None:
    """Let Ctrl-C work where the tests run in the background: shells switch it off there, for us and our children."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project's folder with a pyproject.toml that sets nothing of dockyard's."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(PYPROJECT, "utf-8")
    return folder.resolve()


@pytest.fixture
def settings(project: Path) -> Settings:
    """The settings of that project: the defaults."""
    return load(start=project, environment={}).settings


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    """A docker that records how it is called."""
    return Recorder(tmp_path / "recorder")


@pytest.fixture
def _collected() -> Iterator[None]:
    """Collect what a test leaves while its own filter of warnings holds."""
    yield
    gc.collect()


@pytest.fixture(scope="session")
def engine() -> Engine:
    """The real engine; without one the test is skipped, and fails where DOCKYARD_REQUIRE_ENGINE=1."""
    real = Engine(Buildx(), Daemon())
    try:
        real.daemon.server()
    except EngineError as error:
        give_up = pytest.fail if os.environ.get("DOCKYARD_REQUIRE_ENGINE") == "1" else pytest.skip
        give_up(f"{error.what} {error.why}")
    return real


@pytest.fixture
def unique(request: pytest.FixtureRequest) -> Iterator[str]:
    """A project name that nothing else has; what a test makes on the engine under its label is removed afterwards."""
    name = f"dockyard-test-{secrets.token_hex(4)}"
    real = request.getfixturevalue("engine") if request.node.get_closest_marker("engine") else None
    yield name
    if real:
        remove_labelled(real, name)


@pytest.fixture
def saved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """What the engine sends of an image: a layout whose one image has a digest, and when it was asked."""
    asked: list[str] = []

    def save(_: FakeDaemon, reference: str) -> Iterator[bytes]:
        asked.append(reference)
        index = tmp_path / "index.json"
        index.write_text(json.dumps({"manifests": [{"digest": "sha256:own"}]}))
        with tarfile.open(tmp_path / "saved.tar", "w") as archive:
            archive.add(index, "index.json")
        yield (tmp_path / "saved.tar").read_bytes()

    monkeypatch.setattr(FakeDaemon, "save", save)
    return asked
