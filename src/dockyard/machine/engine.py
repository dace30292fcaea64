"""The engine: reachable, else started, else installed and started."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dockyard.engines import process
from dockyard.engines.buildx import INSTALL_PAGE
from dockyard.errors import DockyardError, EngineError
from dockyard.machine.findings import Finding, refused
from dockyard.machine.packages import Apt, install_engine, privilege

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dockyard.engines.daemon import Daemon

SUBJECT = "engine"
CONFIGURATION = "etc/docker/daemon.json"
# Current Docker releases keep images in containerd's store; the versions that Debian has do so when told.
CONTAINERD_STORE = '{"features": {"containerd-snapshotter": true}}\n'
# Where a previous engine left its process id, and the program that must be behind it.
PID_FILES = {"run/docker.pid": "dockerd", "run/docker/containerd/containerd.pid": "containerd"}
DENIED = ("This user may not use its socket.", "Run `sudo usermod -aG docker $USER` and log in again.")
SHOWN_LINES = 3
# What dockerd ends with when it has not read its build cache in the ten seconds that it gives itself; what it has read
# by then is in the machine's memory, and the next start is faster.
TOO_SLOW = "context deadline exceeded"
STARTS = 3


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where an engine is to run; tests use other folders and sockets than the machine's own.

    Attributes:
        root: Where files are read and written.
        log: What the engine says, where no service manager keeps it.
        environment: Of this process.
        options: More arguments for dockerd.
        deadline: Seconds until it must answer.
    """

    log: Path
    environment: Mapping[str, str]
    root: Path = Path("/")
    options: tuple[str, ...] = ()
    deadline: float = 60


def look(place: Place, daemon: Daemon) -> Finding:
    """Return whether an engine answers, and if not, what setup would do."""
    try:
        return Finding(subject=SUBJECT, state="found", detail=_describe(daemon))
    except DockyardError as error:
        return _unusable(place, error) or Finding(
            subject=SUBJECT,
            state="missing",
            detail="It is installed and does not run." if _program(place.root) else "It is not installed.",
            todo="Run `invoke setup`.",
        )


def prepare(place: Place, daemon: Daemon, announce: Callable[[str], None]) -> Finding:
    """Make sure that an engine answers."""
    seen = look(place, daemon)
    if seen.state != "missing":
        return seen
    origin = ""
    try:
        if not _program(place.root):
            origin = _install(place, announce)
        announce("Starting the engine.")
        _start_patiently(place, daemon, announce)
        done = f"installed {origin}, started" if origin else "started"
        return Finding(subject=SUBJECT, state="done", detail=f"{_describe(daemon)} ({done})")
    except DockyardError as error:
        return refused(SUBJECT, error)


def _start_patiently(place: Place, daemon: Daemon, announce: Callable[[str], None]) -> None:
    """Start the engine, and again if it was only too slow for itself."""
    for _ in range(STARTS - 1):
        try:
            return start(place, daemon)
        except EngineError as error:
            if TOO_SLOW not in error.why:
                raise
            announce("The engine ended before it had read its build cache. Starting it again.")
    return start(place, daemon)


def _describe(daemon: Daemon) -> str:
    """Return the engine's facts in one line; raise EngineError if none answers."""
    facts = daemon.server()
    store = "containerd image store" if facts.containerd_store else "classic image store"
    return f"Docker {facts.version}, {store}"


def _unusable(place: Place, error: DockyardError) -> Finding | None:
    """Return why setup cannot help with an engine that does not answer, or None."""
    if _denied(error):
        why, todo = DENIED
    elif host := place.environment.get("DOCKER_HOST"):
        why, todo = f"DOCKER_HOST is set ({host}) and no engine answers there.", "Start that engine, or unset it."
    elif not sys.platform.startswith("linux"):
        why, todo = "No engine answers.", f"Start Docker Desktop, or read {INSTALL_PAGE}."
    elif (context := process.run(["docker", "context", "show"]).output.strip() or "default") != "default":
        why = f"The docker context {context} is in use and no engine answers there."
        todo = "Start that engine, or run `docker context use default`."
    else:
        return None
    return Finding(subject=SUBJECT, state="refused", detail=why, todo=todo)


def _program(root: Path) -> str | None:
    """Return the path of dockerd; /usr/sbin is often missing from a user's PATH."""
    usual = root / "usr/sbin/dockerd"
    return str(usual) if usual.exists() else (process.find("dockerd") if root == Path("/") else None)


def _install(place: Place, announce: Callable[[str], None]) -> str:
    """Install the engine; return where it came from."""
    apt = Apt.of_this_machine(place.root)
    ours = not (place.root / CONFIGURATION).exists()
    if ours:
        # Before the installation, because on some machines that starts the engine.
        apt.write(CONFIGURATION, CONTAINERD_STORE)
    try:
        return install_engine(apt, announce)
    except BaseException:
        if ours:
            apt.remove(CONFIGURATION)
        raise


def start(place: Place, daemon: Daemon) -> None:
    """Start the engine that is installed, and wait until it answers.

    Raises:
        EngineError: It ended, or does not answer in time; the last lines of its log say why.
    """
    before = privilege()
    if before is None:
        raise EngineError(
            "The engine is stopped and this user may not start it.",
            "It is not root, and `sudo -n` asks for a password or is not there.",
            "Run `sudo -v && invoke setup`.",
        )
    if (place.root / "run/systemd/system").is_dir():
        done = process.run([*before, "systemctl", "start", "docker"], timeout=place.deadline + 60)
        if not done.ok:
            raise EngineError(
                "The engine did not start.", done.last_line, "Read `journalctl --unit docker --lines 30`."
            )
        _wait(place, daemon, pid=None, told_from=0)
        return
    already = _remove_leftovers(place, before)
    told_from = place.log.stat().st_size if place.log.exists() else 0
    pid = already or process.start_detached([*before, _program(place.root) or "dockerd", *place.options], log=place.log)
    _wait(place, daemon, pid=pid, told_from=told_from)


def _remove_leftovers(place: Place, before: tuple[str, ...]) -> int | None:
    """Remove process ids of engines that are gone; return that of a dockerd which does run.

    dockerd believes its pid file if any process has that id, and it takes over a containerd in the same way.
    """
    running = {name: _owner(place.root, name) for name in PID_FILES}
    gone = [str(place.root / name) for name, pid in running.items() if pid is None]
    process.run([*before, "rm", "-f", *gone])
    return running["run/docker.pid"]


def _owner(root: Path, name: str) -> int | None:
    """Return the process id in a pid file, unless its process has ended or another program took the number since."""
    try:
        pid = int((root / name).read_text(encoding="utf-8"))
        program = (root / f"proc/{pid}/comm").read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return None
    return pid if program == PID_FILES[name] and process.running(pid) else None


def _wait(place: Place, daemon: Daemon, *, pid: int | None, told_from: int) -> None:
    """Wait until the engine answers; end early if its process does."""
    deadline = time.monotonic() + place.deadline
    while (error := _answer(daemon)) is not None:
        if _denied(error):
            raise EngineError("The engine runs now.", *DENIED)
        if pid is not None and not process.running(pid):
            # The installation may have started one a moment before us.
            pid = _owner(place.root, "run/docker.pid")
            happened = "" if pid else "ended at once"
        else:
            happened = "" if time.monotonic() < deadline else f"does not answer after {place.deadline:g} s"
        if happened:
            raise EngineError(
                f"The engine was started and {happened}.", _last_lines(place.log, told_from), f"Read {place.log}."
            )
        time.sleep(0.1)


def _answer(daemon: Daemon) -> DockyardError | None:
    """Return why an engine does not answer; None if it does."""
    try:
        daemon.server()
    except DockyardError as error:
        return error
    return None


def _denied(error: DockyardError) -> bool:
    """Whether the engine's socket is there and closed to this user."""
    return "permission denied" in error.why.lower()


def _last_lines(log: Path, told_from: int) -> str:
    """Return the last lines of a log that were written since a position."""
    try:
        with log.open("rb") as stream:
            stream.seek(told_from)
            lines = stream.read().decode("utf-8", "replace").splitlines()
    except OSError:
        lines = []
    return "\n".join([line for line in lines if line.strip()][-SHOWN_LINES:]) or "Its log is empty."
