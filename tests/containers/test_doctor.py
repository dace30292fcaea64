"""`invoke doctor` on real services: one that is well, and some that are broken."""

from __future__ import annotations

import json
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from dockyard import pipeline
from dockyard.errors import UnhealthyError
from dockyard.pipeline.doctor import examine
from dockyard.run.examined import require_sound

if TYPE_CHECKING:
    from dockyard.pipeline import Project
    from dockyard.run.examined import Examined, Line

KEY = "canary-key-0123456789-0123456789-abcdef"
SERVE = (
    "import http.server as h; h.ThreadingHTTPServer(('127.0.0.1', 8000), h.SimpleHTTPRequestHandler).serve_forever()"
)


@pytest.fixture(autouse=True)
def _given_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY", KEY)


def docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True).stdout


def states(examined: Examined) -> dict[str, str]:
    return {line.subject: line.state for line in examined.lines}


def port(examined: Examined) -> Line:
    return next(line for line in examined.lines if line.subject == "port")


def test_doctor(built: Project) -> None:
    """A good service is ok in every line and unchanged; paused, stopped, gone or without logs each is told as such."""
    pipeline.start_production(built)
    name = built.settings.run.name
    before = json.loads(docker("inspect", name))[0]
    well = examine(built)
    after = json.loads(docker("inspect", name))[0]
    require_sound(well)
    assert set(states(well).values()) == {"ok"}, well.lines
    assert {"engine", "image", "container", "port", "/ready", "/predict", "logs folder", "memory"} <= set(states(well))
    assert KEY not in str(well)
    assert (before["State"]["StartedAt"], before["Config"]) == (after["State"]["StartedAt"], after["Config"])

    docker("pause", name)
    paused = examine(built)
    docker("unpause", name)
    assert paused.diagnosis
    assert paused.diagnosis.cause == "it is paused"

    docker("stop", name)
    stopped = examine(built)
    assert states(stopped)["container"] == "failed"
    with pytest.raises(UnhealthyError, match="container failed") as caught:
        require_sound(stopped)
    assert caught.value.exit_code == 6

    docker("rm", name)
    assert states(examine(built))["container"] == "failed"


def test_loopback(built: Project) -> None:
    """A service that is healthy to itself alone is broken at its port, and the cause is named."""
    name, labels = built.settings.run.name, ["--label", built.label, "--label", "dev.dockyard.role=prod"]
    options = ["--publish", "127.0.0.1::8000", "--no-healthcheck"]
    docker("run", "--detach", "--name", name, *labels, *options, built.settings.reference, "python3", "-c", SERVE)

    deadline = time.monotonic() + 60
    while "127.0.0.1:8000;" not in port(examine(built)).detail and time.monotonic() < deadline:
        pass
    assert port(examine(built)).state == "failed"
    with pytest.raises(UnhealthyError) as caught:
        require_sound(examine(built))
    assert "bound to 127.0.0.1 inside the container" in caught.value.why
