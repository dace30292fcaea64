"""What `invoke setup` does, on a real engine: bases that are assembled, and an engine that is started."""

from __future__ import annotations

import json
import os
import signal
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from engines import end, laid, socket_of

from dockyard import machine
from dockyard.engines.buildx import Buildx
from dockyard.engines.daemon import Daemon
from dockyard.errors import EngineError
from dockyard.machine import Wanted, assemble, interpreters, names, sources
from dockyard.machine import engine as engine_room

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.engines import Engine
    from dockyard.machine.debian import Debian
    from dockyard.machine.interpreters import Interpreter

pytestmark = pytest.mark.engine

ROOT = Path("/")
PYTHONS = ("3.12", "3.13", "3.11")
LOOKED_AT = """
import json, os, pathlib, shutil, subprocess, sys, sysconfig
library = pathlib.Path(sysconfig.get_path("stdlib"))
print(json.dumps({
    "prefix": sys.prefix,
    "sources": [each.read_text() for each in pathlib.Path("/etc/apt/sources.list.d").iterdir()],
    "tests": (library / "test").exists(),
    "caches": [str(each) for each in library.rglob("__pycache__")],
    "packages": sorted(each.name for each in (library / "site-packages").iterdir()),
    "tools": [name for name in ("gcc", "make", "curl", "wget") if shutil.which(name)],
    "pip": subprocess.run(["pip", "--version"], capture_output=True, text=True).stdout,
    "python": subprocess.run(["python", "--version"], capture_output=True, text=True).stdout,
    "venv": subprocess.run([sys.executable, "-m", "venv", "/tmp/venv"]).returncode,
    "missing": [
        name for name in (each.name.partition(".")[0] for each in (library / "lib-dynload").iterdir())
        if subprocess.run([sys.executable, "-c", f"import {name}"]).returncode
    ],
    "environment": dict(os.environ),
}))
"""


@pytest.fixture(scope="module")
def interpreter() -> Interpreter:
    """A CPython of this machine that can go into a base."""
    found = (interpreters.find(python, Path.home(), dict(os.environ)) for python in PYTHONS)
    first = next((each for each in found if each), None)
    return first or pytest.skip("This machine has no CPython that can be copied.")


@pytest.fixture(scope="module")
def system(engine: Engine) -> Iterator[tuple[Debian, Path]]:
    """The Debian part of a base, and a working folder; made once."""
    if not sources.debian_stanzas(ROOT, "bookworm"):
        pytest.skip("This machine's package sources name no Debian mirror.")
    with assemble.workshop("bookworm", ROOT) as made:
        yield made


@pytest.fixture
def own_host(engine: Engine, unique: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A name of this test's own in place of dockyard.local; what is assembled under it is removed afterwards."""
    host = f"{unique}.local"
    monkeypatch.setattr(names, "HOST", host)
    yield host
    for reference in references(engine, host):
        engine.buildx.remove_image(reference)


def references(engine: Engine, host: str) -> list[str]:
    """The images below a host's name, unproved ones too."""
    return [each for each in engine.daemon.images(f"{names.LABEL}=assembled") if each.startswith(f"{host}/")]


def base(interpreter: Interpreter) -> str:
    return f"python:{interpreter.minor}-slim-bookworm"


@pytest.fixture
def assembled(interpreter: Interpreter, system: tuple[Debian, Path], own_host: str) -> str:
    """The reference of a base that was assembled."""
    return assemble.assemble(interpreter, base(interpreter), *system)


def test_assembled_says_what_it_is(assembled: str, engine: Engine, interpreter: Interpreter, own_host: str) -> None:
    """An assembled base has its own name, and labels that say how it came about and name no host."""
    facts = engine.daemon.image(assembled)

    assert facts is not None
    assert assembled == f"{own_host}/{base(interpreter)}"
    assert facts.labels["dev.dockyard.base"] == "assembled"
    assert facts.labels["dev.dockyard.base.debian"] == "bookworm"
    assert facts.labels["dev.dockyard.base.python"] == interpreter.version
    assert "Not the official" in facts.labels["org.opencontainers.image.description"]
    assert not [label for label in facts.labels.values() if "://" in label]
    assert f"PYTHON_VERSION={interpreter.version}" in facts.env
    assert references(engine, own_host) == [assembled]


def test_assembled_works(assembled: str, engine: Engine, interpreter: Interpreter) -> None:
    """An assembled base is a small Debian with a whole Python: every extension loads, pip and venv work."""
    told = look_inside(engine, assembled)

    assert told["prefix"] == "/usr/local"
    assert told["python"] == f"Python {interpreter.version}\n"
    assert told["pip"].startswith("pip ")
    assert told["venv"] == 0
    assert told["missing"] == []
    assert (told["tests"], told["caches"], told["tools"]) == (False, [], [])
    assert [name.partition("-")[0] for name in told["packages"]] == ["pip", "pip"]
    assert told["environment"]["LANG"] == "C.UTF-8"
    assert "Suites: bookworm" in told["sources"][0]


def look_inside(engine: Engine, reference: str) -> dict[str, Any]:
    """Run a look around in a container of an image, as its user would be."""
    told = engine.buildx.run(
        reference, ["python", "-B", "-c", LOOKED_AT], user="1000:1000", networks=["none"], remove=True
    )
    return dict(json.loads(told))


def test_trixie(interpreter: Interpreter, own_host: str, engine: Engine, tmp_path: Path) -> None:
    """The other line of Debian can be assembled too: one setting, and the whole Python runs on Debian 13."""
    if not sources.debian_stanzas(ROOT, "trixie"):
        pytest.skip("This machine's package sources name no Debian mirror.")
    nowhere = "127.0.0.1:1/nowhere"
    wanted = Wanted(
        pythons=(interpreter.minor,), base="python:{python}-slim-trixie", state=tmp_path / "state", mirror=nowhere
    )

    found = {each.subject: each for each in machine.prepare(wanted, engine, lambda _: None)}

    assert found[f"base {interpreter.minor}"].state == "done"
    told = engine.buildx.run(
        references(engine, own_host)[0], ["cat", "/etc/os-release"], networks=["none"], remove=True
    )
    assert 'VERSION_ID="13"' in told


def test_same_id_twice(assembled: str, engine: Engine, interpreter: Interpreter, system: tuple[Debian, Path]) -> None:
    """The same machine makes the same image twice, down to its id."""
    first = engine.daemon.image(assembled)
    assemble.assemble(interpreter, base(interpreter), *system)
    second = engine.daemon.image(assembled)

    assert first is not None
    assert second is not None
    assert first.id == second.id


def test_unproved_leaves_nothing(
    interpreter: Interpreter,
    system: tuple[Debian, Path],
    own_host: str,
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A base whose Python does not work is refused with Python's own reason, and no image of it is left."""
    monkeypatch.setattr(assemble, "PROOF", "import no_such_module")

    with pytest.raises(EngineError) as caught:
        assemble.assemble(interpreter, base(interpreter), *system)

    assert caught.value.why == "ModuleNotFoundError: No module named 'no_such_module'"
    assert references(engine, own_host) == []


def test_interrupted_leaves_nothing(
    interpreter: Interpreter,
    system: tuple[Debian, Path],
    own_host: str,
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ctrl-C while a base is proved leaves no image."""

    def interrupted(*_: object, **__: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(Buildx, "run", interrupted)

    with pytest.raises(KeyboardInterrupt):
        assemble.assemble(interpreter, base(interpreter), *system)

    assert references(engine, own_host) == []


def test_prepare_is_idempotent(
    assembled: str, own_host: str, engine: Engine, interpreter: Interpreter, tmp_path: Path
) -> None:
    """On a machine that is ready, setup finds everything and changes nothing, however often it is called."""
    wanted = Wanted(
        pythons=(interpreter.minor,),
        base="python:{python}-slim-bookworm",
        state=tmp_path / "state",
        mirror="127.0.0.1:1/nowhere",
    )
    before = engine.daemon.image(assembled)

    looked = machine.look(wanted, engine)
    prepared = [machine.prepare(wanted, engine, pytest.fail) for _ in range(2)]

    assert prepared == [looked, looked]
    assert {each.state for each in looked} == {"found"}
    assert references(engine, own_host) == [assembled]
    assert engine.daemon.image(assembled) == before
    assert not wanted.state.exists()


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder with a short name: a socket's path holds 108 characters."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="dy-") as folder:
        yield Path(folder)


@pytest.fixture
def stopped(short: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[engine_room.Place]:
    """An engine of the test's own, installed and stopped: own folders and socket, no network; ended afterwards."""
    monkeypatch.setenv("DOCKER_HOST", socket_of(short))
    with laid(short) as place:
        yield place


def test_stopped_engine_starts(stopped: engine_room.Place) -> None:
    """A stopped engine is started, found the next time, and started again after it was killed and left its files."""
    first = engine_room.prepare(stopped, Daemon(), lambda _: None)
    assert first.state == "done", first.detail
    again = engine_room.prepare(stopped, Daemon(), pytest.fail)
    end(stopped.root / "run/docker.pid", signal.SIGKILL)
    assert (stopped.root / "run/docker.pid").exists()
    restarted = engine_room.prepare(stopped, Daemon(), lambda _: None)

    assert (again.state, restarted.state) == ("found", "done"), restarted.detail
    assert "API listen on" in stopped.log.read_text()


def test_engine_that_dies(stopped: engine_room.Place) -> None:
    """An engine that cannot start is given up as soon as it ends, with its own last line."""
    (stopped.root / "daemon.json").write_text('{"storage-driver": "nonsense"}')
    began = time.monotonic()

    finding = engine_room.prepare(stopped, Daemon(), lambda _: None)

    assert finding.state == "refused"
    assert "driver not supported: nonsense" in finding.detail
    assert str(stopped.log) in finding.todo
    assert time.monotonic() - began < stopped.deadline / 2
