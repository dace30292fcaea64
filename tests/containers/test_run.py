"""The life of a container on a real engine."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dockyard import pipeline, run, smoke
from dockyard.errors import EngineError, SettingsError, UnhealthyError
from dockyard.settings import key

if TYPE_CHECKING:
    from collections.abc import Callable

    from dockyard.pipeline import Project

CANARY = "canary-key-0123456789-0123456789-abcdef"


@pytest.fixture(autouse=True)
def _given_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY", CANARY)


def docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True).stdout


def left(project: Project) -> tuple[list[str], tuple[str, ...]]:
    """The containers and volumes of a project."""
    daemon = project.engine.daemon
    return sorted(each.name for each in daemon.containers(label=project.label)), daemon.volumes(project.label)


def test_production_is_healthy_and_confined(built: Project) -> None:
    """The production container becomes healthy as UID 1000, read-only, without capabilities, on loopback only."""
    started = pipeline.start_production(built)
    told = json.loads(docker("inspect", started.name))[0]
    assert started.url.startswith("http://127.0.0.1:")
    assert told["Config"]["User"] == "1000:1000"
    assert told["HostConfig"]["ReadonlyRootfs"] is True
    assert told["HostConfig"]["CapDrop"] == ["ALL"]
    assert "no-new-privileges" in told["HostConfig"]["SecurityOpt"]
    assert told["HostConfig"]["Memory"] == told["HostConfig"]["MemorySwap"] == 512 * 2**20
    assert told["HostConfig"]["PidsLimit"] == 128
    assert told["HostConfig"]["LogConfig"]["Config"] == {"max-file": "3", "max-size": "10m"}
    assert all(each["HostIp"] == "127.0.0.1" for each in told["NetworkSettings"]["Ports"]["8000/tcp"])


def test_the_key_is_nowhere_but_in_its_file(built: Project) -> None:
    """The key is in no inspect answer, process list, process environment, log or engine event; the service reads it."""
    started = pipeline.start_production(built)
    facts = pipeline.own(built)
    target = pipeline.target_of(built, facts)
    assert target.key == CANARY
    assert target.predict({"surface": 1}, key=CANARY).status == 200
    volumes = json.loads(docker("volume", "inspect", *built.engine.daemon.volumes(built.label)))
    seen = [
        docker("inspect", started.name),
        docker("top", started.name, "-eo", "pid,args"),
        docker("logs", started.name),
        docker("history", "--no-trunc", built.settings.reference),
        docker("events", "--since", "5m", "--until", "0s"),
        json.dumps(volumes),
    ]
    for process in Path("/proc").glob("[0-9]*"):
        try:
            seen.append((process / "cmdline").read_bytes().decode("utf-8", "replace"))
            if int(process.name) != os.getpid():
                seen.append((process / "environ").read_bytes().decode("utf-8", "replace"))
        except OSError:
            continue
    seen += [path.read_text("utf-8", "replace") for path in built.settings.state.rglob("*") if path.is_file()]
    assert not [text for text in seen if CANARY in text]


def test_the_key_file_is_readable_by_its_group_alone(built: Project) -> None:
    """The key's file belongs to root and the container's group, mode 0440, in a folder that cannot be written."""
    pipeline.start_production(built)
    code = "import os; s = os.stat('/run/secrets/api_key'); print(s.st_uid, s.st_gid, oct(s.st_mode & 0o777))"
    assert docker("exec", built.settings.run.name, "python3", "-c", code).split() == ["0", "1000", "0o440"]
    with pytest.raises(subprocess.CalledProcessError):
        docker("exec", built.settings.run.name, "python3", "-c", "open('/run/secrets/other', 'w')")


@pytest.mark.parametrize(
    ("mode", "told"),
    [("crash", ["code 1", "about to crash", "no model here"]), ("memory", ["killed for memory", "about to grow"])],
)
def test_a_container_that_dies_ends_the_wait_at_once(
    built: Project, changed: Callable[..., Project], mode: str, told: list[str]
) -> None:
    """A crash, or a kill for memory, is told with the last log lines long before the deadline; nothing is left."""
    project = changed(run__env={"MODE": mode}, run__wait=300, run__memory="64m")
    with pytest.raises(UnhealthyError) as caught:
        pipeline.start_production(project)
    assert caught.value.exit_code == 6
    assert all(text in str(caught.value) for text in told), str(caught.value)
    assert left(project) == ([], ())


def test_a_container_that_never_becomes_ready_shows_its_health_output(
    built: Project, changed: Callable[..., Project]
) -> None:
    """After the deadline the last health check's own words are shown, and nothing is left."""
    project = changed(run__env={"MODE": "unready"}, run__wait=3)
    with pytest.raises(UnhealthyError, match="did not become healthy") as caught:
        pipeline.start_production(project)
    assert "/ready answered 503" in caught.value.why
    assert left(project) == ([], ())


def test_an_unhealthy_successor_never_gets_the_place(built: Project, changed: Callable[..., Project]) -> None:
    """If the candidate fails, the old one goes on under its name, with its key and its requests answered."""
    pipeline.start_production(built)
    old = pipeline.own(built)
    with pytest.raises(UnhealthyError) as caught:
        pipeline.start_production(changed(run__env={"MODE": "crash"}))
    assert "The old container was not touched." in caught.value.todo
    now = pipeline.own(built)
    assert (now.id, now.health) == (old.id, "healthy")
    assert pipeline.target_of(built, now).predict({"surface": 1}, key=CANARY).status == 200
    assert len(left(built)[1]) == 1


def test_a_successor_takes_the_name_and_leaves_nothing_behind(built: Project) -> None:
    """A second start replaces the first container; the old one and its key volume are gone."""
    first = pipeline.start_production(built)
    old = pipeline.own(built)
    second = pipeline.start_production(built)
    assert (first.replaced, second.replaced) == (False, True)
    assert pipeline.own(built).id != old.id
    names, volumes = left(built)
    assert names == [built.settings.run.name]
    assert len(volumes) == 1


def test_a_foreign_container_of_that_name_is_not_touched(built: Project) -> None:
    """A container that someone else made of our image under our name is refused, and left exactly as it was."""
    name = built.settings.run.name
    docker("run", "-d", "--name", name, "--entrypoint", "sleep", built.settings.reference, "300")
    try:
        before = docker("inspect", name)
        with pytest.raises(EngineError, match="not ours"):
            pipeline.start_production(built)
        assert docker("inspect", name) == before
        assert list(pipeline.clean(built, images=False)) == []
    finally:
        docker("rm", "-f", name)


def test_a_taken_port_is_refused_with_its_holder(built: Project, changed: Callable[..., Project]) -> None:
    """A port held by a process of this host is refused before anything starts, and the process is named."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(EngineError, match=f"Port {port} is taken") as caught:
            pipeline.start_production(changed(run__port=port))
    assert f"(pid {os.getpid()})" in caught.value.why
    assert left(built) == ([], ())


def test_a_port_taken_by_a_container_names_it(built: Project, changed: Callable[..., Project], unique: str) -> None:
    """A port held by another container is refused, and that container is named."""
    pipeline.start_production(built)
    _, port = pipeline.own(built).ports["8000/tcp"]
    with pytest.raises(EngineError) as caught:
        pipeline.start_production(changed(run__port=port, run__name=f"{unique}-other"))
    assert f"the container {unique}" in caught.value.why


def test_no_image_is_said(tiny: Project) -> None:
    """Without a built image the start is refused with the command that builds it."""
    with pytest.raises(EngineError, match="There is no image") as caught:
        pipeline.start_production(tiny)
    assert "invoke build" in caught.value.todo


@pytest.mark.parametrize(("value", "told"), [("", "empty"), ("short", "too short")])
def test_an_empty_or_short_key_is_refused(
    built: Project, monkeypatch: pytest.MonkeyPatch, value: str, told: str
) -> None:
    """A key that production would not accept is refused before anything starts."""
    monkeypatch.setenv("API_KEY", value)
    with pytest.raises(SettingsError, match=told):
        pipeline.start_production(built)
    assert left(built) == ([], ())


@pytest.mark.parametrize(("owner", "mode"), [(0, 0o755), (1234, 0o700), (1000, 0o755)])
def test_the_logs_folder_is_writable_whoever_owns_it(built: Project, owner: int, mode: int) -> None:
    """The service logs into the mounted folder whoever owns it, and the owner stays."""
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    folder = built.settings.root / "logs"
    folder.mkdir()
    os.chown(folder, owner, owner)
    folder.chmod(mode)
    pipeline.start_production(built)
    assert "serving" in (folder / "tiny.log").read_text()
    assert folder.stat().st_uid == owner


def test_a_logs_folder_that_cannot_be_written_is_refused(built: Project, changed: Callable[..., Project]) -> None:
    """A logs folder on a file system that nobody can write is refused, and nothing is left."""
    with pytest.raises(EngineError, match="cannot be written by the container"):
        pipeline.start_production(changed(run__logs="/proc/dockyard"))
    assert left(built) == ([], ())


def test_ctrl_c_while_waiting_leaves_nothing(built: Project) -> None:
    """SIGINT while the container starts ends with 130 and removes the container and its key volume."""
    root = built.settings.root
    (root / "tasks.py").write_text("from dockyard.tasks import namespace\n")
    (root / "pyproject.toml").write_text(
        (root / "pyproject.toml").read_text().replace("wait = 30", 'wait = 300\nenv = { MODE = "unready" }')
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "invoke", "run", "--prod"],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if "starting" in line:
            break
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=30)
    assert process.returncode == 130, rest
    assert "Nothing is left" in rest or "nothing is left" in rest
    assert left(built) == ([], ())


def test_development_serves_with_its_public_key(built: Project) -> None:
    """`invoke run` without --prod starts a container that accepts the development key."""
    pipeline.start_development(built)
    facts = pipeline.own(built, dev=True)
    target = pipeline.target_of(built, facts)
    assert target.key == "development-key-not-for-production"
    assert target.predict({"surface": 1}, key=target.key).status == 200


def test_smoke_passes_and_removes_its_throwaway(built: Project) -> None:
    """Every probe passes on a good service, SIGTERM included, and nothing of the try is left."""
    results = pipeline.smoke_image(built, built.settings.reference, lambda _: None)
    assert {each.verdict for each in results} == {"pass"}, results
    assert any("SIGTERM" in each.probe for each in results)
    assert left(built) == ([], ())
    assert not any((built.settings.state / "tries").glob("*"))


def test_smoke_names_the_golden_prediction_that_differs(built: Project) -> None:
    """A wrong golden prediction fails with the value and the expectation, exit code 6."""
    golden = built.settings.root / "golden.json"
    golden.write_text(golden.read_text().replace("42", "43"))
    results = pipeline.smoke_image(built, built.settings.reference, lambda _: None)
    with pytest.raises(UnhealthyError, match="1 of") as caught:
        smoke.require(results)
    assert "predicted_price is 42, expected 43" in caught.value.why


def test_stop_is_graceful_and_clean_removes_only_ours(built: Project, unique: str) -> None:
    """`stop` ends with code 0 and keeps the container; `clean` removes it and nothing of others."""
    pipeline.start_production(built)
    facts = pipeline.own(built)
    assert run.stop(facts, seconds=10, engine=built.engine) == 0
    other = f"{unique}-other"
    docker("volume", "create", other)
    try:
        list(pipeline.clean(built, images=False))
        assert left(built) == ([], ())
        assert other in docker("volume", "ls", "-q").split()
    finally:
        docker("volume", "rm", other)


def test_the_kept_key_is_private(tiny: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key that `up` makes is kept with mode 0600, is long enough, and is made once."""
    monkeypatch.delenv("API_KEY")
    pipeline.keep_key(tiny)
    path = tiny.settings.state / key.STORED
    first = path.read_text()
    pipeline.keep_key(tiny)
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(first.strip()) >= tiny.settings.run.key_length
    assert path.read_text() == first
