from __future__ import annotations

import pytest

from dockyard.engines import Engine
from dockyard.engines.containers import Container
from dockyard.errors import EngineError
from dockyard.run import remains
from dockyard.state import State
from support import SECRET, FakeDaemon, container

TOLD = {
    "Name": "/api-prod-candidate",
    "State": {"Health": {"Log": [{"Start": "noon", "ExitCode": 1, "Output": f"/ready 503 {SECRET}\n"}]}},
}


@pytest.fixture
def daemon(recorder, monkeypatch):
    """An engine with a container that failed, and says its key wherever it can."""
    monkeypatch.setattr(Container, "inspect", lambda _: {**TOLD, "Env": [f"LEAK={SECRET}"]})
    fake = FakeDaemon(recorder, container(), log=["about to crash", f"my key is {SECRET}"])
    fake.files = {"run/secrets/api_key": f"{SECRET}\nsecond-key".encode()}
    fake.files |= {"app/logs/deep/one.log": b"second-key \xff\n"}
    return fake


@pytest.fixture
def keep(daemon, recorder, tmp_path):
    """Keep what the container says."""

    def keep():
        state = State(tmp_path / ".dockyard")
        return remains.keep(
            "old-1", why="It lies.", logs="/app/logs", engine=Engine(recorder.buildx, daemon), state=state
        )

    return keep


def test_kept(keep):
    """Cause, log, log files, health output and inspection are kept for their owner alone, every key masked."""
    folder = keep()
    files = {path.name: path.read_text() for path in folder.rglob("*") if path.is_file()}

    assert folder.name.endswith("-api-prod-candidate")
    assert set(files) == {"why.txt", "inspect.json", "health.txt", "container.log", "app-logs-deep-one.log"}
    assert files["health.txt"] == "noon exit code 1: /ready 503 [REDACTED]\n"
    assert files["container.log"] == "about to crash\nmy key is [REDACTED]\n"
    assert not [name for name, text in files.items() if SECRET in text or "second-key" in text]
    assert {path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_file()} == {0o600}


def test_newest(keep, monkeypatch):
    """Only the newest are kept."""
    monkeypatch.setattr(remains, "KEPT", 2)
    kept = [keep() for _ in range(3)]

    assert [path.exists() for path in kept] == [False, True, True]


def test_gone(keep, monkeypatch):
    """A container that is gone tells nothing, and that is no error of its own."""

    def gone(_):
        raise EngineError("It was asked.", "gone", "Look.")

    monkeypatch.setattr(Container, "inspect", gone)

    assert keep() is None
