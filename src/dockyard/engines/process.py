"""The only importer of subprocess: short commands, and processes that outlive us."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dockyard.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

COMMAND_MISSING = 127
TIDY_SECONDS = 10


@dataclass(frozen=True, kw_only=True)
class Completed:
    """What a command did.

    Attributes:
        code: Its exit code; 127 if there is no such program, as in a shell.
        output: Standard output, undecodable bytes replaced.
        error: Standard error, likewise.
    """

    code: int
    output: str
    error: str

    @property
    def ok(self) -> bool:
        """Whether the command exited 0."""
        return self.code == 0

    @property
    def last_line(self) -> str:
        """The last line that says something: of standard error, else of standard output."""
        for text in (self.error, self.output):
            lines = [line.strip() for line in text.splitlines() if line.strip()]
            if lines:
                return lines[-1]
        return f"exit code {self.code}, no output"


def find(program: str) -> str | None:
    """Return the path of a program, or None."""
    return shutil.which(program)


def run(
    command: Sequence[str],
    *,
    timeout: float = 60,
    finish: bool = False,
    environment: Mapping[str, str] | None = None,
) -> Completed:
    """Run a command to its end and return what it did; the exit code is the caller's to judge.

    The command is a process group of its own: a Ctrl-C on the terminal reaches us alone, and we end the whole group
    with SIGTERM, so that tools which tidy up have the time to.

    Args:
        command: The program and its arguments; never a secret.
        timeout: Seconds.
        finish: Let the command end before an interrupt goes on, because half of its work is worse than all or none.
        environment: Variables on top of ours; no secret but the password of a package index's address.

    Raises:
        EngineError: The command did not end in time.
    """
    started = _started(command, environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if started is None:
        return _missing(command)
    with started:
        try:
            output, error = started.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            _end(started)
            raise EngineError(
                f"`{command[0]}` did not end within {timeout:g} s.",
                f"It was called as: {' '.join(command)}",
                "Run that command by hand to see what it waits for.",
            ) from None
        except KeyboardInterrupt:
            if finish:
                started.communicate(timeout=timeout)
            _end(started)
            raise
    return Completed(
        code=started.returncode,
        output=output.decode("utf-8", "replace"),
        error=error.decode("utf-8", "replace"),
    )


def stream(
    command: Sequence[str], *, timeout: float, environment: Mapping[str, str] | None = None
) -> Generator[str, None, Completed]:
    """Run a command, yield the lines of its standard output as they come, and return what it did.

    Whoever stops listening ends the command, as an interrupt does.

    Args:
        command: The program and its arguments; never a secret.
        timeout: Seconds, after which it is ended; its `error` says so.
        environment: Variables on top of ours; never a secret.
    """
    with tempfile.TemporaryFile() as errors:
        started = _started(command, environment, stdout=subprocess.PIPE, stderr=errors)
        if started is None:
            return _missing(command)
        late = threading.Event()

        def ring() -> None:
            late.set()
            with suppress(ProcessLookupError):
                os.killpg(started.pid, signal.SIGTERM)

        alarm = threading.Timer(timeout, ring)
        alarm.daemon = True
        alarm.start()
        said = []
        with started:
            try:
                for line in started.stdout or ():
                    said.append(line.decode("utf-8", "replace").rstrip())
                    yield said[-1]
                started.wait()
            finally:
                alarm.cancel()
                _end(started)
        errors.seek(0)
        told = errors.read().decode("utf-8", "replace")
    if late.is_set():
        told += f"\n`{command[0]}` did not end within {timeout:g} s."
    return Completed(code=started.returncode, output="\n".join(said), error=told)


def attend(command: Sequence[str], *, folder: Path, environment: Mapping[str, str], log: Path | None = None) -> int:
    """Run a command to its end, however long that takes, and return its exit code; 127 if there is no such program.

    Args:
        command: The program and its arguments; never a secret.
        folder: Where it runs.
        environment: Variables on top of ours.
        log: Gets all that it says; None lets it say that where we speak.
    """
    with log.open("wb") if log else nullcontext() as output:
        errors = subprocess.STDOUT if output else None
        started = _started(command, environment, cwd=folder, stdout=output, stderr=errors)
        if started is None:
            return COMMAND_MISSING
        with started:
            try:
                return started.wait()
            except KeyboardInterrupt:
                _end(started)
                raise


def _started(
    command: Sequence[str], environment: Mapping[str, str] | None, **options: Any
) -> subprocess.Popen[bytes] | None:
    """Start a command as a process group of its own; None if there is no such program."""
    try:
        return subprocess.Popen(  # noqa: S603 - the commands are ours, or the user's own
            list(command),
            stdin=subprocess.DEVNULL,
            process_group=0,
            env={**os.environ, **(environment or {})},
            **options,
        )
    except FileNotFoundError:
        return None


def _missing(command: Sequence[str]) -> Completed:
    return Completed(code=COMMAND_MISSING, output="", error=f"{command[0]}: not found")


def _end(started: subprocess.Popen[bytes]) -> None:
    """End a process group: politely, then for good."""
    for sent in (signal.SIGTERM, signal.SIGKILL):
        if started.poll() is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(started.pid, sent)
            with suppress(subprocess.TimeoutExpired):
                started.communicate(timeout=TIDY_SECONDS)


def start_detached(command: Sequence[str], *, log: Path) -> int:
    """Start a process that goes on after us, its output in `log`; return its process id.

    A shell starts it in the background and ends, so that it is no child of ours that `interrupt_children` would reach.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    script = '"$@" </dev/null >>"$0" 2>&1 & echo $!'
    started = subprocess.run(  # noqa: S603 - the commands are ours
        ["/bin/sh", "-c", script, str(log), *command], start_new_session=True, stdout=subprocess.PIPE, check=True
    )
    return int(started.stdout)


def running(pid: int) -> bool:
    """Whether a process exists and has not ended; one that waits for its parent to notice its end has."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return told.rpartition(")")[2].split()[0] not in {"Z", "X"}


def interrupt_children() -> None:
    """Send SIGINT to the processes we started and still have, and give them the time to tidy up.

    On a terminal Ctrl-C reaches them by itself; a signal sent to our process alone does not. Needs Linux's /proc, and
    does nothing elsewhere.
    """
    children: list[int] = []
    for listing in Path("/proc/self/task").glob("*/children"):
        with suppress(OSError):
            children += [int(child) for child in listing.read_text().split()]
    for child in children:
        with suppress(OSError):
            os.kill(child, signal.SIGINT)
    deadline = time.monotonic() + TIDY_SECONDS
    while any(running(child) for child in children) and time.monotonic() < deadline:
        time.sleep(0.02)
