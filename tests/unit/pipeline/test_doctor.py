from __future__ import annotations

import json

import pytest

from dockyard.engines.facts import HealthCheck, ServerFacts
from dockyard.errors import EngineError, UnhealthyError
from dockyard.pipeline.doctor import examine
from dockyard.report import doctor as reports
from dockyard.run.examined import require_sound
from dockyard.smoke import Answer, Target
from support import IMAGE, SECRET, FakeDaemon, container, sentences


class Server(FakeDaemon):
    """An engine that says its version."""

    def server(self) -> ServerFacts:
        return ServerFacts(version="26.1.5", containerd_store=True, architecture="x86_64", data_root="/d")


@pytest.fixture
def seen(opened, recorder, tmp_path, monkeypatch):
    """Examine an engine with some containers."""
    monkeypatch.setattr(Target, "ask", lambda *_, **__: Answer(status=200, body=f"fine {SECRET}"))

    def seen(*there, **changed):
        daemon = Server(recorder, *there, images=[f"{IMAGE}:prod"], fates=[])
        daemon.files = {"run/secrets/api_key": SECRET.encode()}
        return examine(opened(daemon=daemon), **changed)

    return seen


def states(examined):
    return {line.subject: line.state for line in examined.lines}


def test_sound(seen, tmp_path):
    """Of a service that is well nothing failed, what cannot be seen is unknown, and the key is nowhere."""
    facts = container(mounts={"/app/logs": str(tmp_path)}, checks=(HealthCheck(code=0, seconds=0.1, output="ok"),))

    examined = seen(facts)

    require_sound(examined)
    assert examined.diagnosis is None
    assert states(examined)["port"] == "unknown"
    assert states(examined)["/predict"] == "unknown"
    assert {"engine", "container", "restarts", "/health", "/ready", "health check"} <= {
        line.subject for line in examined.lines if line.state == "ok"
    }
    assert SECRET not in str(examined)


@pytest.mark.parametrize(
    ("changed", "subject"),
    [
        ({"status": "exited", "exit_code": 3}, "container"),
        ({"status": "paused"}, "container"),
        ({"oom_killed": True}, "restarts"),
        ({"ports": {}}, "port"),
        ({"health": "unhealthy"}, "health check"),
        ({"mounts": {}}, "logs folder"),
        ({"networks": ()}, "network"),
    ],
)
def test_broken(seen, changed, subject):
    """What is broken is named first, with exit code 6."""
    with pytest.raises(UnhealthyError) as caught:
        require_sound(seen(container(**changed)))
    assert sentences(caught.value)[0] == f"api-prod is broken: {subject} failed."
    assert caught.value.exit_code == 6


@pytest.mark.parametrize(
    ("limit", "state", "detail"),
    [(64, "failed", "60 of 64 MiB, 94%"), (128, "ok", "60 of 128 MiB, 47%"), (0, "ok", "60 MiB, without a limit")],
)
def test_memory(seen, monkeypatch, limit, state, detail):
    """Memory is held against the limit that the container was seen with; it is not looked at a second time."""
    sample = {"memory_stats": {"usage": 70 * 2**20, "stats": {"inactive_file": 10 * 2**20}}}
    monkeypatch.setattr(Server, "stats", lambda *_: sample, raising=False)

    (line,) = (each for each in seen(container(memory=limit * 2**20)).lines if each.subject == "memory")

    assert (line.state, line.detail) == (state, detail)


def test_another_image(seen):
    """That the name has another image than the one that runs is told; it need not be a newer one."""
    examined = seen(container(image_id="sha256:2"))

    assert examined.lines[1].state == "found"
    assert examined.lines[1].detail == f"{IMAGE}:prod sha256:1 is not what api-prod runs: sha256:2"


@pytest.mark.parametrize("there", [(), (container(labels={}, image="postgres:17"),)])
def test_none(seen, there):
    """Without a container of ours the task says so, and which command starts one."""
    examined = seen(*there)
    assert states(examined)["container"] == "failed"
    with pytest.raises(UnhealthyError) as caught:
        require_sound(examined)
    assert "`invoke run --prod`" in sentences(caught.value)[2]


def test_development(seen):
    """The development container is examined under its own name."""
    examined = seen(container(name="api-dev"), dev=True)
    assert examined.name == "api-dev"
    assert states(examined)["container"] == "ok"


def test_full(seen, tmp_path, monkeypatch):
    """A logs folder on a full disk is broken."""
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 2**20}))
    examined = seen(container(mounts={"/app/logs": str(tmp_path)}))
    assert ("logs folder", "failed", f"{tmp_path} is full: 1 MiB free") in [
        (each.subject, each.state, each.detail) for each in examined.lines
    ]


def test_no_engine(opened, recorder):
    """Without an engine there is nothing to examine, and the error is the engine's."""
    with pytest.raises(EngineError):
        examine(opened(daemon=FakeDaemon(recorder)))


def test_report(seen, opened, capsys):
    """Every line is shown to people; programs get the cause too."""
    examined = seen(container(status="exited", exit_code=139))
    console = opened().console

    reports.show(console, examined, as_json=False)
    shown = capsys.readouterr().out
    assert [line.subject for line in examined.lines if line.subject not in shown] == []
    reports.show(console, examined, as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert told["container"] == "api-prod"
    assert told["cause"] == "native code in it crashed (SIGSEGV)"
    assert [each["what"] for each in told["lines"]] == [line.subject for line in examined.lines]
