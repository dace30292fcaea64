"""The only importer of subprocess: short commands, and processes that outlive us."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockyard.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

COMMAND_MISSING = 127


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
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    timeout: float = 60,
) -> Completed:
    """Run a command to its end and return what it did; the exit code is the caller's to judge.

    Args:
        command: The program and its arguments; never a secret.
        environment: The whole environment; None inherits ours.
        folder: Working folder; None inherits ours.
        timeout: Seconds.

    Raises:
        EngineError: The command did not end in time.
    """
    try:
        done = subprocess.run(  # noqa: S603 - the commands are ours
            list(command), env=environment, cwd=folder, timeout=timeout, capture_output=True, check=False
        )
    except FileNotFoundError:
        return Completed(code=COMMAND_MISSING, output="", error=f"{command[0]}: not found")
    except subprocess.TimeoutExpired as error:
        raise EngineError(
            f"`{command[0]}` did not end within {timeout:g} s.",
            f"It was called as: {' '.join(command)}",
            "Run that command by hand to see what it waits for.",
        ) from error
    return Completed(
        code=done.returncode,
        output=done.stdout.decode("utf-8", "replace"),
        error=done.stderr.decode("utf-8", "replace"),
    )


def start_detached(command: Sequence[str], *, log: Path) -> int:
    """Start a process that goes on after us, its output in `log`; return its process id."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as stream:
        started = subprocess.Popen(  # noqa: S603 - the commands are ours
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return started.pid
