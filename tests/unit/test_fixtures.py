from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dockyard.engines import process
from dockyard.engines.daemon import Daemon

TESTS = Path(__file__).parents[1]
SUITE = """
import os
import pytest

@pytest.fixture
def indirect(engine):
    return engine

def test_direct(engine):
    assert engine.daemon.server()

def test_indirect(indirect):
    assert indirect.daemon.server()

def test_apart():
    assert os.environ["DOCKER_HOST"] == "tcp://127.0.0.1:1"
"""


@pytest.fixture
def suite(tmp_path):
    """Run a suite of three tests, two of which ask for an engine, where there is none."""
    for name in ("conftest.py", "support.py"):
        shutil.copy(TESTS / name, tmp_path)
    (tmp_path / "test_suite.py").write_text(SUITE)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = engine: needs one\n")

    def suite(*arguments: str, **environment: str) -> str:
        command = [sys.executable, "-m", "pytest", "-ra", "--strict-markers", "-p", "no:cacheprovider", *arguments]
        nowhere = {"DOCKER_HOST": "tcp://127.0.0.1:2", "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(
            command,
            cwd=tmp_path,
            env={**os.environ, **nowhere, **environment},
            capture_output=True,
            text=True,
            check=False,
        ).stdout

    return suite


def test_skipped(suite):
    """Tests that ask for the engine are skipped where none answers, with the reason."""
    told = suite()

    assert "1 passed, 2 skipped" in told
    assert "The Docker engine does not answer. It was asked for its version." in told


def test_required(suite):
    """Where an engine is required those tests fail, with the reason."""
    told = suite(DOCKYARD_REQUIRE_ENGINE="1")

    assert "1 passed, 2 errors" in told
    assert "The Docker engine does not answer." in told


def test_marked(suite):
    """They are marked by the fixture that they use, directly or not."""
    assert "2 skipped, 1 deselected" in suite("-m", "engine")


def test_apart():
    """A test that is not marked reaches no engine, neither by the socket nor by the command."""
    assert not Daemon().reachable()
    assert not process.run(["docker", "version"]).ok


def test_personal(monkeypatch):
    """What its runner has set does not reach a test."""
    assert not [name for name in os.environ if name.startswith(("DOCKYARD_", "API_KEY", "GITHUB_", "GIT_"))]


def test_unique(unique):
    """A unique name can be an image, a container and a label."""
    assert unique.startswith("dockyard-test-")
    assert unique == unique.lower()
