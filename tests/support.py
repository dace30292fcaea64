"""What tests share: a docker that records, facts that replay, and short ways to say both."""

from __future__ import annotations

import json
import os
import pty
import sys
import threading
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dockyard.engines.buildx import Buildx
from dockyard.engines.daemon import Daemon
from dockyard.engines.facts import ContainerFacts, ImageFacts
from dockyard.pipeline import Project
from dockyard.plan import BuildPlan
from dockyard.report.console import Console
from dockyard.settings import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from dockyard.engines import Engine
    from dockyard.errors import DockyardError

DATA = Path(__file__).parent / "data"
PROJECT_LABEL = "dev.dockyard.project"
IMAGE = "tiny-service"
BASE = "python:3.12-slim-bookworm"
SECRET = "hunter2-hunter2-hunter2-hunter2-hunter2"
KEY_VOLUME = "api-prod-key-0000"

# -I and -S: no site packages, so that one call costs 15 ms.
RECORDER = f"""#!{sys.executable} -IS
import json, os, pathlib, signal, sys, time

folder = pathlib.Path(__file__).parent
call = sys.argv[1:]
answers = json.loads((folder / "answers.json").read_text())
answer = next(each for each in answers if call[: len(each["command"])] == each["command"])
made = ""
if call[0] == "create" and not answer["code"]:
    made = f"new-{{(folder / 'calls').read_text().count('&created') if (folder / 'calls').exists() else 0}}"
    answer["output"] = made.encode().hex()
with open(folder / "calls", "a") as calls:
    told = {{"call": call, "code": answer["code"], "environment": sorted(os.environ), "made": made}}
    print(json.dumps(told), "&created" if made else "", file=calls)
if answer["metadata"]:
    pathlib.Path(call[call.index("--metadata-file") + 1]).write_text(answer["metadata"])
def stop(*_):
    (folder / "interrupted").touch()
    sys.exit(130)
signal.signal(signal.SIGINT, stop)
sys.stdout.buffer.write(bytes.fromhex(answer["output"]))
sys.stdout.flush()
sys.stderr.buffer.write(bytes.fromhex(answer["error"]))
sys.stderr.flush()
if answer["presses"]:
    os.kill(os.getppid(), signal.SIGINT)
if answer["hangs"]:
    time.sleep(60)
sys.exit(answer["code"])
"""


class Recorder:
    """A `docker` that writes down how it is called, and answers what a test lays out for it.

    Attributes:
        program: Its path.
        buildx: The command line door, opened on it.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        self._answers: list[dict[str, Any]] = []
        self.program = folder / "docker"
        self.program.write_text(RECORDER, "utf-8")
        self.program.chmod(0o755)
        self.buildx = Buildx([str(self.program)])
        self.answer("")
        self.answer("create")
        # python-on-whales inspects what it has just made.
        self.answer("container inspect", output=f"[{recorded('engine/container-prod.json')}]")
        self.answer("image inspect", output=f"[{recorded('engine/image.json')}]")
        self.lay_builder("docker")
        self.answer("buildx version", output="github.com/docker/buildx 0.13.1 0.13.1+ds1-1\n")

    def answer(
        self,
        command: str,
        *,
        output: str | bytes = "",
        error: str | bytes = "",
        code: int = 0,
        metadata: str = "",
        hangs: bool = False,
        presses: bool = False,
    ) -> None:
        """Lay out the answer to every call that begins so; the latest that fits is given.

        Args:
            command: The words that a call begins with.
            output: What it prints.
            error: What it prints on standard error.
            code: Its exit code.
            metadata: What it writes to the file of --metadata-file.
            hangs: It goes on until it is interrupted.
            presses: It sends us Ctrl-C, and then goes on until it is interrupted.
        """
        laid = {"command": command.split(), "code": code, "metadata": metadata}
        laid |= {"hangs": hangs or presses, "presses": presses}
        for name, said in (("output", output), ("error", error)):
            laid[name] = (said if isinstance(said, bytes) else said.encode()).hex()
        self._answers.insert(0, laid)
        (self._folder / "answers.json").write_text(json.dumps(self._answers), "utf-8")

    def lay_builder(self, driver: str) -> None:
        """Lay out the builder that every build uses."""
        self.answer("buildx inspect", output=f"Name:          one\nDriver:        {driver}\n\nNodes:\nName:   one0\n")

    def note(self, *call: str) -> None:
        """Write down something that happened between the calls."""
        with (self._folder / "calls").open("a", encoding="utf-8") as calls:
            calls.write(json.dumps({"call": call, "code": 0, "environment": [], "made": ""}) + "\n")

    @property
    def told(self) -> list[dict[str, Any]]:
        """Everything that is known of the calls so far."""
        calls = self._folder / "calls"
        lines = calls.read_text("utf-8").splitlines() if calls.is_file() else []
        return [json.JSONDecoder().raw_decode(line)[0] for line in lines]

    @property
    def builds(self) -> list[list[str]]:
        """The builds that docker was asked for."""
        return [call for call in self.calls if call[:2] == ["buildx", "build"]]

    @property
    def calls(self) -> list[list[str]]:
        """The argument lists so far, without those that only look."""
        return [each["call"] for each in self.told if not {"inspect", "ls", "version"} & set(each["call"][:2])]

    @property
    def interrupted(self) -> bool:
        """Whether a call that hung got Ctrl-C."""
        return (self._folder / "interrupted").exists()


class FakeDaemon(Daemon):
    """Facts of an engine, replayed; what the recorder was told to do with its containers happens to them.

    Args:
        recorder: Whose calls are obeyed.
        containers: Those that are there.
        images: References and ids that are there.
        fates: What one question after another sees of a container that was started; the last stays so. An exception
            is raised instead.
        log: What every container logged.
        answers: Whether the engine answers at all.
    """

    def __init__(
        self,
        recorder: Recorder,
        *containers: ContainerFacts,
        images: Iterable[str] = (f"{IMAGE}:prod",),
        fates: Sequence[Mapping[str, Any] | BaseException] = ({"health": "healthy"},),
        log: Sequence[str] = (),
        answers: bool = True,
    ) -> None:
        super().__init__()
        self._recorder = recorder
        self._obeyed = 0
        self._there = {each.id: each for each in containers}
        self._images = set(images)
        self._fates = {each.id: list[Any]() for each in containers}
        self._fate = list(fates)
        self._log = list(log)
        self.answers = answers
        self.files: dict[str, bytes] = {}
        self.written: tuple[str, bytes, dict[str, str]] = ("", b"", {})
        self.kept = {volume for each in containers for volume in [each.mounts.get("/run/secrets")] if volume}

    def reachable(self) -> bool:
        return self.answers

    def image(self, reference: str) -> ImageFacts | None:
        return image(tags=(reference,)) if reference in self._images else None

    def container(self, name: str) -> ContainerFacts | None:
        self._obey()
        found = self._there.get(name) or next((each for each in self._there.values() if each.name == name), None)
        if found is None or not self._fates[found.id]:
            return found
        fates = self._fates[found.id]
        fate = fates.pop(0) if len(fates) > 1 else fates[0]
        if isinstance(fate, BaseException):
            fates[:] = [{}]
            raise fate
        self._there[found.id] = replace(found, **fate)
        return self._there[found.id]

    def containers(self, *, label: str | None = None, publishing: int | None = None) -> tuple[ContainerFacts, ...]:
        self._obey()
        wanted = tuple((label or "").split("="))
        return tuple(
            each
            for each in self._there.values()
            if wanted in each.labels.items() or publishing in [port for _, port in each.ports.values()]
        )

    def images(self, label: str) -> tuple[str, ...]:
        return tuple(sorted(each for each in self._images if each.startswith(f"{label.partition('=')[2]}:")))

    def logs(self, container: str, *, lines: int | None = None, follow: bool = False) -> Iterator[str]:
        yield from self._log[-(lines or 0) :]

    def volumes(self, label: str) -> tuple[str, ...]:
        self._obey()
        return tuple(sorted(self.kept))

    def networks(self, label: str) -> tuple[str, ...]:
        return ()

    def read_folder(self, container: str, path: str) -> dict[str, bytes]:
        return {name: content for name, content in self.files.items() if f"{name}/".startswith(f"{path[1:]}/")}

    def write_volume(
        self, volume: str, *, image: str, name: str, content: bytes, group: int, labels: Mapping[str, str]
    ) -> None:
        self._recorder.note("write_volume", volume, name, str(group))
        self.kept.add(volume)
        self.written = (volume, content, dict(labels))
        self.files.setdefault(f"run/secrets/{name}", content)

    def _obey(self) -> None:
        """Let every call that the recorder saw since the last time, and did not refuse, have its effect."""
        told = self._recorder.told
        for each in told[self._obeyed :]:
            self._apply(each["call"], each["made"]) if each["code"] == 0 else None
        self._obeyed = len(told)

    def _apply(self, call: list[str], made: str) -> None:  # noqa: C901 - one case for each command
        match call:
            case ["create", *rest]:
                volume = next(each.split(":")[0] for each in rest if ":/run/secrets:" in each)
                name = rest[rest.index("--name") + 1]
                self._there[made] = container(
                    id=made, name=name, status="created", health="", mounts={"/run/secrets": volume}
                )
                self._fates[made] = []
            case ["container", "rename", known, name]:
                self._there[known] = replace(self._there[known], name=name)
            case ["container", "stop", *_, known] if known in self._there:
                self._there[known] = replace(self._there[known], status="exited")
            case ["container", "start", known]:
                self._there[known] = replace(self._there[known], status="running", started="2026-11-23T08:00:00Z")
                if known.startswith("new-"):
                    self._fates[known] = list(self._fate)
            case ["image", "tag", _, name]:
                self._images.add(name)
            case ["image", "rm", *_, name]:
                self._images.discard(name)
            case ["container", "rm", *_, known]:
                del self._there[known]
            case ["volume", "remove", name]:
                self.kept.remove(name)

    def names(self) -> dict[str, str]:
        """Return the containers that are there now: name to status."""
        self._obey()
        return {each.name: each.status for each in self._there.values()}


def container(**changed: Any) -> ContainerFacts:
    """Return a healthy production container of ours, with changes."""
    facts = ContainerFacts(
        id="old-1",
        name="api-prod",
        image=f"{IMAGE}:prod",
        image_id="sha256:1",
        labels={PROJECT_LABEL: IMAGE, "dev.dockyard.role": "prod"},
        status="running",
        health="healthy",
        health_output="",
        exit_code=0,
        oom_killed=False,
        restarts=0,
        started="2026-11-23T01:41:43Z",
        error="",
        memory=64 * 2**20,
        ports={"8000/tcp": ("127.0.0.1", 8000)},
        mounts={"/run/secrets": KEY_VOLUME, "/app/logs": "/srv/logs"},
        networks=("dockyard",),
    )
    return replace(facts, **changed)


def image(**changed: Any) -> ImageFacts:
    """Return an image of ours, with changes."""
    facts = ImageFacts(
        id="sha256:1",
        tags=(f"{IMAGE}:prod",),
        digests=(),
        labels={PROJECT_LABEL: IMAGE},
        created="2026-11-02T12:55:59Z",
        size=1,
        architecture="amd64",
        env=(),
        user="1000:1000",
    )
    return replace(facts, **changed)


def leaves_stream(test: Callable[..., None]) -> Callable[..., None]:
    """Mark a test that leaves a stream of docker's half read.

    python-on-whales gives nobody the means to wait for its process, of whose end Python then warns when it collects it.
    """
    ignored = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
    return pytest.mark.usefixtures("_collected")(ignored(test))


@contextmanager
def terminal(monkeypatch: pytest.MonkeyPatch, *names: str) -> Iterator[bytearray]:
    """Make standard streams a terminal of 70 columns; yield what they said, complete once the block has ended."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "70")
    leader, follower = pty.openpty()
    said = bytearray()

    def listen() -> None:
        # Reading fails once nobody can write any more.
        with suppress(OSError):
            while chunk := os.read(leader, 4096):
                said.extend(chunk)

    listener = threading.Thread(target=listen)
    listener.start()
    with os.fdopen(follower, "w", encoding="utf-8") as stream, monkeypatch.context() as patch:
        for name in names:
            patch.setattr(sys, name, stream)
        yield said
    listener.join()
    os.close(leader)


def recorded(name: str) -> str:
    """Return a recorded answer of a real engine."""
    return (DATA / name).read_text("utf-8")


def chain(error: BaseException) -> str:
    """Return everything that an error and the errors behind it, shown or not, could print of themselves."""
    told = []
    at: BaseException | None = error
    while at is not None:
        told.append(f"{at} {at!r} {vars(at)}")
        at = at.__cause__ or at.__context__
    return "\n".join(told)


def sentences(error: DockyardError) -> tuple[str, str, str]:
    """Return what happened, why, and what to do; each must say something."""
    assert error.what
    assert error.why
    assert error.todo
    assert str(error) == f"{error.what}\n{error.why}\n{error.todo}"
    return error.what, error.why, error.todo


def bare_plan(folder: Path, **given: Any) -> BuildPlan:
    """Return the build of a folder's Dockerfile with nothing that is not given."""
    nothing = {"python": "3.12", "base": "base", "tags": (), "args": {}, "labels": {}, "secrets": {}}
    return BuildPlan(**{"context": folder, "dockerfile": folder / "Dockerfile", **nothing, **given})


def opened(folder: Path, engine: Engine, arguments: dict[str, object] | None = None) -> Project:
    """Open a project on the real engine, with settings given as dotted keys."""
    return Project(load(arguments, start=folder, environment={}), engine, Console(quiet=True))


def remove_labelled(engine: Engine, project: str) -> None:
    """Remove every container, volume and image that a test made under the label of its project."""
    label = f"{PROJECT_LABEL}={project}"
    for facts in engine.daemon.containers(label=label):
        engine.buildx.remove(facts.id)
    for volume in engine.daemon.volumes(label):
        engine.buildx.remove_volume(volume)
    for network in engine.daemon.networks(label):
        engine.buildx.remove_network(network)
    for reference in engine.daemon.images(label):
        # Two references of one image: the second may be gone with the first.
        if engine.daemon.image(reference):
            engine.buildx.remove_image(reference)
