"""A container's state, drift and log on a real engine."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from dockyard import pipeline, plan
from dockyard.engines.logs import LogLine
from dockyard.observe.follow import Follower, Question, Turn
from dockyard.observe.line import Wanted
from dockyard.observe.since import parse_since
from dockyard.pipeline import observe
from dockyard.report import status as reports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dockyard.pipeline import Project

KEY = "canary-key-0123456789-0123456789-abcdef"
DEADLINE = 30
LINES = [
    '{"level": "info", "event": "one", "request_id": "abc-1"}',
    '{"level": "warning", "event": "two", "request_id": "abc-2"}',
    "no JSON",
    '{"level": "error", "event": "three"}',
    "x" * 40_000,
]


@pytest.fixture(autouse=True)
def _given_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY", KEY)


def docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True).stdout.strip()


def until(holds: Callable[[], object]) -> None:
    """Wait for something that must come."""
    deadline = time.monotonic() + DEADLINE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def as_ours(project: Project, script: str, *options: str) -> str:
    """Start a container of ours that runs a script, under the name of production; return its id."""
    name, image = project.settings.run.name, project.settings.image
    labels = ("--label", f"{plan.PROJECT}={image}", "--label", f"{plan.ROLE}=prod")
    reference = project.settings.reference
    return docker(
        "run",
        "-d",
        "--no-healthcheck",
        "--name",
        name,
        *labels,
        *options,
        "--entrypoint",
        "python3",
        reference,
        "-c",
        script,
    )


def drift(project: Project, *, dev: bool = False) -> dict[str, tuple[str, str]]:
    """What differs, by its name."""
    return {each.what: (each.running, each.configured) for each in observe.status(project, dev=dev).drift}


SETTINGS: list[dict[str, object]] = [
    {},
    {"run__env": {"EXTRA": "1", "GREETING": "hi there", "URL": "http://a=b"}, "run__memory": "96m", "run__cpus": 0.75},
    {"run__restart": "unless-stopped", "run__log_size": "1m", "run__stop_timeout": 3, "run__pids": 50},
    {"run__restart": "no", "run__address": "0.0.0.0", "run__logs": "my logs", "run__user": "1001:1000"},
]


def test_a_fresh_container_has_no_drift(built: Project, changed: Callable[..., Project]) -> None:
    """A container that was just started by its settings differs from them in nothing, stopped or not."""
    for settings in SETTINGS:
        project = changed(**settings)
        pipeline.start_production(project)
        assert drift(project) == {}, settings
    docker("stop", built.settings.run.name)
    assert drift(project) == {}


def test_a_fresh_development_container_has_no_drift(built: Project, changed: Callable[..., Project]) -> None:
    """Mounts, command and variables of the development container are what was asked for, too."""
    (built.settings.root / "src").mkdir()
    project = changed(
        dev__mounts={"src": "/app/src"}, dev__env={"MORE": "1"}, dev__command=("python3", "/app/service.py")
    )
    pipeline.start_development(project)
    assert drift(project, dev=True) == {}
    assert set(drift(built, dev=True)) == {"mount /app/src", "env MORE"}


def test_drift_is_seen(built: Project, changed: Callable[..., Project]) -> None:
    """Settings that were changed after the start, and what was changed by hand, are told with both values."""
    pipeline.start_production(built)
    later = changed(run__env={"EXTRA": "1"}, run__memory="64m", run__cpus=1.5, run__logs="other", run__restart="no")
    root = built.settings.root
    assert drift(later) == {
        "env EXTRA": ("none", "1"),
        "memory": ("512m", "64m"),
        "cpus": ("1", "1.5"),
        "mount /app/logs": (f"{root}/logs, rw", f"{root}/other, rw"),
        "restart": ("on-failure:5", "no"),
    }
    docker("update", "--pids-limit", "99", built.settings.run.name)
    assert drift(built) == {"pids": ("99", "128")}
    pipeline.start_production(later)
    assert drift(later) == {}


def test_a_moved_tag_is_drift(built: Project, changed: Callable[..., Project]) -> None:
    """An image that was built anew is seen by its digest, until it is run."""
    pipeline.start_production(built)
    old = pipeline.own(built).image_id
    pipeline.build_image(changed(build__args={"GREETING": built.settings.image}), progress="quiet")
    found = drift(built)
    assert found.keys() == {"image"}
    assert found["image"][0] == old
    pipeline.start_production(built)
    assert drift(built) == {}


def test_status_tells_what_an_operator_asks(built: Project) -> None:
    """The status names state, health, address, version, time, use beside limits, and the folder of the logs."""
    pipeline.start_production(built)
    state = observe.status(built)
    assert (state.facts.status, state.facts.health, state.version) == ("running", "healthy", "1.0")
    assert state.url.startswith("http://127.0.0.1:")
    assert state.usage is not None
    assert (state.usage.memory_limit, state.usage.cpus, state.usage.pids_limit) == (512 * 2**20, 1.0, 128)
    assert state.usage.pids > 0
    assert 0 < (state.uptime or 0) < DEADLINE
    assert state.logs is not None
    assert state.logs.bytes > 0
    assert (state.prediction, state.ended) == (None, None)
    assert json.dumps(reports.document(state))


def test_the_last_end_is_told(built: Project) -> None:
    """How a container ended last is known when it is stopped, and when it runs again."""
    name = built.settings.run.name
    as_ours(built, "import time; time.sleep(60)")
    docker("kill", name)
    stopped = observe.status(built)
    docker("start", name)
    again = observe.status(built)
    assert stopped.ended is not None
    assert stopped.ended.exit_code == 137
    assert again.ended is not None
    assert again.ended.exit_code == 137
    assert again.facts.status == "running"


def collected(lines: Iterator[LogLine | Turn], into: list[LogLine | Turn]) -> threading.Thread:
    """Read a followed log in a thread of its own."""
    reader = threading.Thread(target=lambda: into.extend(lines), daemon=True)
    reader.start()
    return reader


def test_follow_goes_on_across_a_replace(built: Project) -> None:
    """Every line of both containers comes once and in order, with one word in between, and an end when none follows."""
    pipeline.start_production(built)
    facts = pipeline.own(built)
    follower = Follower(facts.name, built.settings.image, daemon=built.engine.daemon, patience=4)
    seen: list[LogLine | Turn] = []
    reader = collected(follower.follow(facts, Question()), seen)

    def ask(count: int) -> None:
        target = pipeline.target_of(built, pipeline.own(built))
        for _ in range(count):
            target.predict({"surface": 1}, key=KEY)

    ask(3)
    pipeline.start_production(built)
    ask(4)
    docker("stop", facts.name)
    reader.join(DEADLINE)
    assert not reader.is_alive()

    texts = [each.text.decode() for each in seen if isinstance(each, LogLine)]
    assert texts == (built.settings.root / "logs" / "tiny.log").read_text().splitlines()
    assert len(texts) == len(set(texts)) == 2 + 3 + 4
    turns = [each.text for each in seen if isinstance(each, Turn)]
    assert [turn.split(": ")[0].split(" has")[0] for turn in turns] == [facts.name, facts.name]
    assert "another container has its place" in turns[0]
    assert turns[1].endswith("exit code 0, and none took its place within 4 s.")


def test_follow_survives_a_restart_and_a_removal(built: Project) -> None:
    """A container that is started again goes on without a line twice; one that is removed has ended."""
    script = "import os, time; print(os.times().elapsed, flush=True); time.sleep(60)"
    as_ours(built, script, "--stop-signal", "KILL")
    facts = pipeline.own(built)
    follower = Follower(facts.name, built.settings.image, daemon=built.engine.daemon, patience=2)
    seen: list[LogLine | Turn] = []
    reader = collected(follower.follow(facts, Question()), seen)
    until(lambda: len(seen) == 1)
    docker("restart", facts.name)
    until(lambda: len(seen) == 3)
    docker("rm", "-f", facts.name)
    reader.join(DEADLINE)
    texts = [each.text if isinstance(each, Turn) else each.text.decode() for each in seen]
    assert texts[1] == f"{facts.name} was started again."
    assert texts[3] == f"{facts.name} was removed, and none took its place within 2 s."
    assert float(texts[0]) < float(texts[2])
    assert len(texts) == 4


def test_filters(built: Project) -> None:
    """Level, request, time and number of lines choose what they say; a line that the engine cuts stays whole."""
    script = f"import time\nfor line in {LINES!r}:\n    print(line, flush=True)\n    time.sleep(0.02)"
    docker("wait", as_ours(built, script))
    names = built.settings.logs

    def told(question: Question) -> list[str]:
        return [each.text.decode() for each in observe.log(built, question) if isinstance(each, LogLine)]

    def takes(**wanted: str) -> Callable[[bytes], bool]:
        return lambda text: Wanted(**wanted).takes(text, names)

    assert told(Question()) == LINES
    assert told(Question(lines=2)) == LINES[3:]
    assert told(Question(takes=takes(level="warning"))) == LINES[1:]
    assert told(Question(takes=takes(level="warning"), lines=1)) == LINES[4:]
    assert told(Question(takes=takes(request_id="abc"))) == LINES[:2]
    stamped = [each for each in observe.log(built, Question()) if isinstance(each, LogLine)]
    assert told(Question(since=stamped[2].time)) == LINES[2:]
    assert told(Question(since=f"{stamped[2].time[:-2]}9Z")) in (LINES[2:], LINES[3:])
    now = parse_since("0s", now=datetime.now(UTC))
    assert told(Question(since=now)) == []


@pytest.mark.parametrize("raw", [False, True])
def test_a_terminal_gets_no_control_characters(built: Project, raw: bool) -> None:
    """What a container prints neither moves the cursor nor sets a title; Ctrl-C leaves with code 0."""
    root = built.settings.root
    (root / "tasks.py").write_text("from dockyard.tasks import namespace\n")
    as_ours(built, r"print('\x1b]0;title\x07\x1b[2Jred', flush=True); import time; time.sleep(60)")
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "invoke", "logs", "--follow", *(["--raw"] if raw else [])]
    with os.fdopen(follower, "wb") as stream:
        shown = subprocess.Popen(command, cwd=root, stdout=stream, stderr=stream, start_new_session=True)
    said = b""
    while b"red" not in said:
        said += os.read(leader, 4096)
    shown.send_signal(signal.SIGINT)
    assert shown.wait(DEADLINE) == 0
    os.close(leader)
    assert b"\\x1b]0;title\\x07\\x1b[2Jred" in said
    assert [part for part in (b"\x1b]", b"\x07", b"\x1b[2J") if part in said] == []


def test_stats_go_on(built: Project) -> None:
    """The first sample knows no CPU yet; the next does, with what the container may use beside it."""
    pipeline.start_production(built)
    samples = observe.usages(built)
    _, first = next(samples)
    _, second = next(samples)
    assert first is not None
    assert second is not None
    assert (first.cpu, first.memory_limit) == (None, 512 * 2**20)
    assert second.cpu is not None
    assert second.memory > 2**20
    _, alone = observe.usage(built)
    assert alone is not None
    assert alone.cpu is not None


def test_clean_leaves_volumes(built: Project, unique: str) -> None:
    """Volumes stay, those without a name too, until they are named to go; the key's goes with its container."""
    data = docker("volume", "create", "--label", built.label, f"{unique}-data")
    pipeline.start_production(built)
    docker("rm", "-f", built.settings.run.name)
    as_ours(built, "pass", "--volume", "/data", "--volume", f"{data}:/named")
    nameless = pipeline.own(built).mounts["/data"]
    there = pipeline.kept_volumes(built)
    assert there == {data: "", nameless: f" ({built.settings.run.name} has it at /data)"}

    told = list(pipeline.clean(built, images=False))
    assert told[0] == f"container {built.settings.run.name}"
    assert not [line for line in told if line.startswith("volume")]
    assert {data, nameless} <= set(docker("volume", "ls", "-q").split())
    assert built.engine.daemon.volumes(built.label) == (data,)

    assert set(pipeline.clean(built, images=False, volumes=there)) == {f"volume {name}" for name in there}
    assert not {data, nameless} & set(docker("volume", "ls", "-q").split())
