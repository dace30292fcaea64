"""What probes read of answers, without an engine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dockyard.audit.evidence import NAMES
from dockyard.audit.probes import GROUPS, PROBES
from dockyard.audit.probes import session as sessions
from dockyard.audit.probes.health import timing
from dockyard.audit.probes.logged import _is_forged
from dockyard.audit.probes.session import Session, Varied, mounted, varied
from dockyard.audit.probes.surface import documented, with_numbers
from dockyard.audit.probes.within import health_command
from dockyard.engines import Engine
from dockyard.errors import EngineError, Interrupted
from dockyard.plan import throwaway_plan
from support import FakeDaemon


@pytest.fixture
def planned(settings, tmp_path):
    """The plan of a throwaway."""
    return throwaway_plan(settings, image="a", logs=tmp_path, token="0")


@pytest.fixture
def session(settings, recorder):
    """A session on an engine that is not there."""
    return Session(settings=settings, engine=Engine(recorder.buildx, FakeDaemon(recorder)), image="a")


@pytest.mark.parametrize(
    "document", [{}, {"paths": None}, {"paths": {"/a": None}}, {"paths": {"/a": {"summary": "b"}}}]
)
def test_no_operation(document):
    """A document without operations has no routes, whatever else is in it."""
    assert list(documented(document)) == []


def test_operations():
    """Every method of every path is a route, what describes a path is not."""
    paths = {"/a": {"get": {}, "post": {}, "parameters": []}, "/b/{id}": {"delete": {}}}
    assert list(documented({"paths": paths})) == [("GET", "/a"), ("POST", "/a"), ("DELETE", "/b/{id}")]


def test_numbers():
    """Every number of a request is replaced; texts, names and truth values stay."""
    request = json.dumps({"a": 1, "b": [2.5, "3"], "c": True, "4": None})
    assert with_numbers(request, "1e999") == b'{"a": 1e999, "b": [1e999, "3"], "c": true, "4": null}'


@pytest.mark.parametrize(
    ("health", "expected"),
    [
        ({"Interval": 10_000_000_000, "Timeout": 5_000_000_000, "Retries": 2}, (10, 5, 2)),
        ({}, (30, 30, 3)),
        ({"Interval": None, "Timeout": 0, "Retries": 0}, (30, 30, 3)),
    ],
)
def test_timing(health, expected):
    """Where the image says nothing the engine's own values hold."""
    assert timing(health) == expected


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        (["CMD", "python", "-m", "check"], ("python", "-m", "check")),
        (["CMD-SHELL", "true || false"], ("/bin/sh", "-c", "true || false")),
        (["NONE"], ()),
        ([], ()),
        (None, ()),
    ],
)
def test_health_command(test, expected):
    """The health check is run as the engine runs it."""
    assert health_command({"Config": {"Healthcheck": {"Test": test}}}) == expected
    assert health_command({"Config": {"Healthcheck": None}}) == ()


@pytest.mark.parametrize(
    ("line", "forged"),
    [
        ('{"event": "mark"}', True),
        ("mark and more", True),
        ('{"event": "request", "path": "mark"}', False),
        ('{"event": "request", "path": "\\r\\nmark"}', False),
        ("[]", False),
    ],
)
def test_forged(line, forged):
    """A line is forged where the mark is its event or its beginning, not where it is quoted."""
    assert _is_forged(line, "mark") is forged


def test_varied(planned):
    """Options take the place of the plan's own, None takes one away, and changes add up."""
    changed = varied(varied(planned, read_only=None), memory="1g")
    expected = {name: value for name, value in planned.options().items() if name != "read_only"} | {"memory": "1g"}
    assert isinstance(changed, Varied)
    assert changed.options() == expected


def test_mounted(planned):
    """Other mounts replace the logs folder and nothing else: the key stays, no folder of the host is prepared."""
    changed = mounted(planned, ("volume", "/app/logs", "rw"))
    assert changed.options()["volumes"] == [(planned.key_volume, "/run/secrets", "ro"), ("volume", "/app/logs", "rw")]
    assert changed.writable_folders() == ()


def test_released(session):
    """A session that was released waits no longer."""
    assert session.until(lambda: None, 0) is None
    assert session.until(lambda: 0, 0) == 0
    session.release()
    with pytest.raises(Interrupted):
        session.pause(60)
    with pytest.raises(Interrupted):
        session.until(lambda: None, 60)


def test_no_golden(session):
    """Where no prediction is stored the probes that need one say so."""
    with pytest.raises(EngineError, match="no prediction") as caught:
        session.golden()
    assert "`golden` is not set" in caught.value.why


def test_groups():
    """The groups give each piece of evidence of containers, and each once."""
    given = [name for group in GROUPS for name in group.names]
    builds = {"canary_build", "cache_trial", "secret_trial", "rebuild"}
    assert len(given) == len(set(given))
    assert set(given) <= set(NAMES)
    assert not builds & set(given)
    assert {"inspect", "stop", "hang", "keys", "limits", "readiness", "log_failures", "volumes"} <= set(given)
    assert list(PROBES)[-1] == "stop"


def test_nothing_of_the_house():
    """No module of the probes names the service of this repository."""
    folder = Path(sessions.__file__).parent
    assert [path.name for path in folder.glob("*.py") if "house" in path.read_text("utf-8")] == []
