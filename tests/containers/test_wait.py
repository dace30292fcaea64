"""The one wait, for real containers that fail in every way that has a name: early, and with the cause in words."""

from __future__ import annotations

import subprocess
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from dockyard.errors import UnhealthyError
from dockyard.run.throwaway import throwaway
from dockyard.run.wait import until_healthy

if TYPE_CHECKING:
    from collections.abc import Callable

    from dockyard.pipeline import Project
    from dockyard.plan import RunPlan

DEADLINE = 120.0
# Even on a machine that is busy with other things.
EARLY = 40.0
CHECK = ("--health-interval=0.5s", "--health-start-period=1s", "--health-start-interval=0.5s", "--health-retries=2")
# A busy machine is no reason for a check to be killed.
CHECK += ("--health-timeout=30s",)
SERVE = "import http.server as h; h.ThreadingHTTPServer(('{host}', {port}), h.SimpleHTTPRequestHandler).serve_forever()"
PASSES = ("--health-cmd=true",)
KEY = "canary-key-0123456789-0123456789-abcdef"


@pytest.fixture
def begin(built: Project) -> Callable[..., str]:
    """Start a container of the tiny image with other options and another command; return its name."""

    def begin(*options: str, script: str = "", command: tuple[str, ...] = ()) -> str:
        name, label = built.settings.run.name, built.label
        words = ("python3", "-c", script) if script else command
        call = ["docker", "run", "--detach", "--name", name, "--label", label, "--publish", "127.0.0.1::8000"]
        subprocess.run([*call, *CHECK, *options, built.settings.reference, *words], capture_output=True, check=False)
        return name

    return begin


@pytest.fixture
def failure(built: Project) -> Callable[..., UnhealthyError]:
    """Wait for a container in vain, and return the error; it must come long before the deadline."""

    def failure(name: str, **others: object) -> UnhealthyError:
        begun = time.monotonic()
        with pytest.raises(UnhealthyError) as caught:
            until_healthy(name, daemon=built.engine.daemon, seconds=DEADLINE, **others)
        assert time.monotonic() - begun < EARLY
        assert caught.value.what.startswith(f"{name} did not become healthy: ")
        return caught.value

    return failure


HOG = "kept = []\nwhile True: kept.append(bytearray(10**6))"
KEYED = "import os; open(os.environ['API_KEY_FILE'])"
BROKEN = ["--health-cmd=/usr/bin/nothing-here --ready"]

FAILURES: dict[str, tuple[list[str], str, tuple[str, ...], str, str]] = {
    "ends": ([], "raise SystemExit('odd')", (), "with exit code 1", "No known cause"),
    "import": ([], "import nothing_like_it", (), "with exit code 1", "crashed on import of nothing_like_it"),
    "memory": (["--memory=24m", "--memory-swap=24m"], HOG, (), "killed for memory", "its limit is 24 MiB"),
    "loop": (["--restart=on-failure:9"], "raise SystemExit('odd')", (), "it ends and is started again", "odd"),
    "key": ([], "raise KeyError('API_KEY')", (), "exit code 1", "the variable API_KEY is not set"),
    "key file": (
        ["-e", "API_KEY_FILE=/run/secrets/api_key"],
        KEYED,
        (),
        "exit code 1",
        "key file /run/secrets/api_key",
    ),
    "model": ([], "open('/app/model.onnx')", (), "exit code 1", "the model /app/model.onnx is missing"),
    "read-only": (["--read-only"], "open('/tmp/a', 'w')", (), "exit code 1", "read-only file system: /tmp/a"),
    "logs": (["--tmpfs=/app/logs:mode=755"], "open('/app/logs/a', 'w')", (), "exit code 1", "denied: /app/logs/a"),
    "command": ([], "", ("gunicorn",), "could not start it", "gunicorn is not in the image"),
    "check": (
        BROKEN,
        "import time; time.sleep(600)",
        (),
        "check cannot pass",
        "nothing-here cannot be run in the image",
    ),
    "not bound": ([], "import time; time.sleep(600)", (), "failed too often", "port 8000 is not bound"),
    "loopback": (
        [*PASSES],
        SERVE.format(host="127.0.0.1", port=8000),
        (),
        "nobody outside reaches it",
        "port 8000 is bound to 127.0.0.1 inside the container",
    ),
    "other port": (
        [*PASSES],
        SERVE.format(host="", port=9000),
        (),
        "nobody outside reaches it",
        "it listens on another port, 9000; 8000 is published",
    ),
}


@pytest.mark.parametrize(("options", "script", "command", "state", "cause"), FAILURES.values(), ids=FAILURES)
def test_failure(begin, failure, options, script, command, state, cause) -> None:
    """The wait ends early, says in what state, and names the cause that was seen."""
    error = failure(begin(*options, script=script, command=command))

    assert state in error.what
    assert cause in error.why, error.why


def test_gone(begin, failure) -> None:
    """A container that somebody removes while it is waited for ends the wait."""
    name = begin(script="import time; time.sleep(600)")
    told: list[str] = []

    def remove(phase: str) -> None:
        told.append(phase)
        if len(told) == 1:
            remover.start()

    remover = threading.Thread(target=subprocess.run, args=(["docker", "rm", "-f", name],), kwargs={"check": True})
    error = failure(name, announce=remove)
    remover.join()
    assert error.what.endswith("it is gone.")


def test_image_gone(built: Project, failure) -> None:
    """A container whose image is removed while it is waited for ends the wait, with the command that brings it back."""
    name, reference = built.settings.run.name, f"{built.settings.image}:lost"
    subprocess.run(["docker", "tag", built.settings.reference, reference], check=True)
    subprocess.run(["docker", "create", "--name", name, "--label", built.label, reference], check=True)
    subprocess.run(["docker", "rmi", reference], check=True)

    error = failure(name)

    assert error.what.endswith(f"its image {reference} is gone.")
    assert error.todo == "Run `invoke build`."


def test_slow_start(begin, built: Project) -> None:
    """A slow service is waited for, each phase is told with its time, and nothing is said twice."""
    told: list[str] = []
    slow = f"import time; time.sleep(2); {SERVE.format(host='', port=8000)}"
    check = "--health-cmd=python3 -c \"import urllib.request as u; u.urlopen('http://127.0.0.1:8000/')\""
    name = begin("--health-start-period=60s", check, script=slow)

    seconds = until_healthy(name, daemon=built.engine.daemon, seconds=DEADLINE, announce=told.append, routes=("/", "/"))

    assert 1.5 < seconds < EARLY
    names = [each.partition(" after ")[0] for each in told if not each.startswith("still waiting")]
    assert names == ["starting", "process up", "port bound", "live", "ready"]


def test_deadline_is_kept(begin, built: Project) -> None:
    """A service that is never ready is waited for until the deadline and no longer, and said to be too slow."""
    name = begin("--health-start-period=60s", "--health-cmd=false", script=SERVE.format(host="", port=8000))
    begun = time.monotonic()
    with pytest.raises(UnhealthyError, match="it was still starting after 3 s"):
        until_healthy(name, daemon=built.engine.daemon, seconds=3)
    assert 3 <= time.monotonic() - begun < 3 + EARLY / 4


def test_the_key_is_not_told(built: Project, failure) -> None:
    """A key that a service logs before it dies is not in the error that shows its log."""

    def telling(planned: RunPlan) -> RunPlan:
        script = "import os; print(open(os.environ['API_KEY_FILE']).read()); raise SystemExit(3)"
        return replace(planned, command=("python3", "-c", script))

    reference = built.settings.reference
    with throwaway(built.settings, reference, engine=built.engine, change=telling, value=SecretStr(KEY)) as facts:
        error = failure(facts.name)
    assert "[REDACTED]" in error.why
    assert KEY not in str(error)
