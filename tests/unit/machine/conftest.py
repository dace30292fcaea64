"""What the tests of `machine` share: a process door and an engine that record, and the sources of real machines."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from dockyard.engines import Engine, process
from dockyard.engines.facts import ImageFacts, ServerFacts
from dockyard.engines.process import Completed
from dockyard.errors import EngineError
from dockyard.machine import Wanted

if TYPE_CHECKING:
    from pathlib import Path

STARTED = 4242
OK = Completed(code=0, output="", error="")
DEBIAN_12 = """Types: deb
# a comment in the middle
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""
DEBIAN_11 = """# written by the installer
deb http://mirror.example/debian/ bullseye main contrib
deb-src http://mirror.example/debian/ bullseye main
deb http://mirror.example/debian/ bullseye-updates main # a comment
deb http://mirror.example/debian-security bullseye-security main
"""
UBUNTU_24 = """Types: deb
URIs: http://archive.example/ubuntu/
Suites: noble noble-updates noble-backports
Components: main restricted universe multiverse
Signed-By: /usr/share/keyrings/ubuntu-archive-keyring.gpg
"""


class Door:
    """The process door: commands are written down and answered, and those that move files are carried out.

    Attributes:
        finished: The commands that an interrupt would wait for.
        alive: The processes that run; the one that is started detached among them.
        on_start: Called with its log when one is started.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[str, ...]] = []
        self.finished: list[str] = []
        self.answers: dict[str, Completed | BaseException] = {}
        self.programs: dict[str, str] = {}
        self.started: list[tuple[tuple[str, ...], Path]] = []
        self.alive: set[int] = {STARTED}
        self.on_start = lambda log: None

    def answer(self, part: str, *, output: str = "", error: str = "", code: int = 0) -> None:
        """Lay out the answer to commands that contain some words; the latest that fits is given."""
        self.answers = {part: Completed(code=code, output=output, error=error), **self.answers}

    def run(self, command, *, finish: bool = False, **_) -> Completed:
        self.calls.append(tuple(command))
        said = " ".join(command)
        self.finished += [said] if finish else []
        for part, answer in self.answers.items():
            if part in said:
                if isinstance(answer, BaseException):
                    raise answer
                return answer
        for mover in ("install", "rm"):
            if mover in command and "apt-get" not in command:
                subprocess.run(command[command.index(mover) :], check=True)
        return OK

    def start_detached(self, command, *, log: Path) -> int:
        self.started.append((tuple(command), log))
        self.on_start(log)
        return STARTED

    def said(self, word: str) -> list[str]:
        """Return the commands that contain a word, without what makes them English."""
        prefix = "env LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "
        return [said.replace(prefix, "") for call in self.calls if word in (said := " ".join(call))]


@dataclass
class FakeDaemon:
    """An engine's socket.

    Attributes:
        refusals: What it says, one question after another, before it answers.
        registry: Reference to digest; an error stands for a registry that does not answer.
    """

    refusals: list[str] = field(default_factory=list)
    there: dict[str, ImageFacts] = field(default_factory=dict)
    registry: dict[str, str | EngineError] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def server(self) -> ServerFacts:
        if self.refusals:
            why = self.refusals[0] if len(self.refusals) == 1 else self.refusals.pop(0)
            if why != "answers":
                raise EngineError("The Docker engine does not answer.", why, "Run `invoke setup`.")
        return ServerFacts(version="26.1.5", containerd_store=True, architecture="x86_64", data_root="/var/lib/docker")

    def image(self, reference: str) -> ImageFacts | None:
        return self.there.get(reference)

    def published(self, reference: str) -> str | None:
        self.asked.append(reference)
        told = self.registry.get(reference)
        if isinstance(told, EngineError):
            raise told
        return told


@dataclass
class FakeBuildx:
    """The docker command line; what is pulled, loaded or tagged is there afterwards."""

    daemon: FakeDaemon
    calls: list[tuple[str, ...]] = field(default_factory=list)
    numbers: tuple[int, ...] | None = (0, 13, 1)
    loads: tuple[ImageFacts, ...] = ()
    told: str | BaseException = ""

    def version(self) -> tuple[int, ...] | None:
        return self.numbers

    def pull(self, reference: str) -> None:
        self.calls.append(("pull", reference))
        self.daemon.there[reference] = facts(reference)

    def load(self, path: Path) -> list[str]:
        self.calls.append(("load", path.name))
        self.daemon.there.update({each.tags[0]: each for each in self.loads})
        return [each.tags[0] for each in self.loads]

    def tag(self, image: str, reference: str) -> None:
        self.calls.append(("tag", image, reference))

    def remove_image(self, reference: str) -> None:
        self.calls.append(("remove", reference))

    def run(self, image: str, command=(), **options) -> str:
        self.calls.append(("run", image, *(f"{name}={value}" for name, value in sorted(options.items()))))
        if isinstance(self.told, BaseException):
            raise self.told
        return self.told


def facts(reference: str, **labels: str) -> ImageFacts:
    """Return an image with labels; underscores stand for points."""
    return ImageFacts(
        id="sha256:1",
        tags=(reference,),
        digests=(f"{reference.rpartition(':')[0]}@sha256:2",),
        labels={name.replace("_", "."): value for name, value in labels.items()},
        created="",
        size=1,
        architecture="amd64",
        env=(),
        user="",
    )


@pytest.fixture
def door(monkeypatch) -> Door:
    """The process door, replaced; we are root."""
    door = Door()
    monkeypatch.setattr(process, "run", door.run)
    monkeypatch.setattr(process, "find", door.programs.get)
    monkeypatch.setattr(process, "start_detached", door.start_detached)
    monkeypatch.setattr(process, "running", door.alive.__contains__)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    return door


@pytest.fixture
def daemon() -> FakeDaemon:
    """An engine that answers, and has no images."""
    return FakeDaemon()


@pytest.fixture
def doors(daemon) -> Engine:
    """Both doors to that engine."""
    return Engine(FakeBuildx(daemon), daemon)


@pytest.fixture
def root(tmp_path) -> Path:
    """The root folder of a Debian 12."""
    return system(tmp_path / "root", "debian", "bookworm", debian=DEBIAN_12)


def system(root: Path, name: str, codename: str, *, like: str = "", **sources: str) -> Path:
    """Lay out the files of a machine: its os-release and its package sources."""
    folder = root / "etc/apt/sources.list.d"
    folder.mkdir(parents=True)
    release = f'PRETTY_NAME="Some {name.title()}"\nID={name}\nVERSION_CODENAME={codename}\n# comment\n'
    (root / "etc/os-release").write_text(release + (f'ID_LIKE="{like}"\n' if like else ""), "utf-8")
    for file, text in sources.items():
        target = root / "etc/apt/sources.list" if file == "one_line" else folder / f"{file}.sources"
        target.write_text(text, "utf-8")
    return root


@pytest.fixture
def wanted(tmp_path) -> Wanted:
    """One Python, no mirror, no archives."""
    return Wanted(pythons=("3.12",), base="python:{python}-slim-bookworm", state=tmp_path / "state")
