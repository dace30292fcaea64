"""The folder .dockyard/: records that survive a command, written whole or not at all, locked against a second run."""

from __future__ import annotations

import getpass
import json
import os
import secrets
import shlex
import socket
import sys
import time
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from dockyard.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

PRIVATE = 0o600  # the mode of what only its owner may read
NAMED_SECONDS = 1


class LockedError(EngineError):
    """Another command holds a lock."""


class State:
    """Records of one project.

    Args:
        folder: `.dockyard` beside pyproject.toml; made on the first write.
        warn: Told of a damaged record that was set aside.
    """

    def __init__(self, folder: Path, warn: Callable[[str], None] = lambda _: None) -> None:
        self.folder = folder
        self._warn = warn

    def write(self, name: str, content: bytes, *, mode: int = 0o644) -> Path:
        """Write a file through a temporary one, so that a reader never sees half of it.

        Raises:
            EngineError: The folder cannot be written.
        """
        path = self.folder / name
        half = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            self._make(path.parent)
            with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as stream:
                stream.write(content)
            half.replace(path)
        except OSError as error:
            raise _unwritable(path, error) from error
        finally:
            with suppress(OSError):
                half.unlink()
        return path

    def _make(self, folder: Path) -> None:
        """Make a folder; git ignores ours, which holds a key, whatever the project's own .gitignore says."""
        folder.mkdir(parents=True, exist_ok=True)
        ignore = self.folder / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n", "utf-8")

    def write_record(self, name: str, record: dict[str, Any]) -> Path:
        """Write a JSON document."""
        return self.write(name, json.dumps(record, indent=1, sort_keys=True).encode())

    def read_record(self, name: str) -> dict[str, Any] | None:
        """Return a JSON document, or None if there is none; a damaged one is set aside with a warning."""
        path = self.folder / name
        try:
            record = json.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            return None
        except (UnicodeDecodeError, json.JSONDecodeError) as error:
            record, reason = None, str(error)
        else:
            reason = "it holds no record"
        if isinstance(record, dict):
            return record
        aside = path.with_name(f"{path.name}.damaged")
        path.replace(aside)
        self._warn(f"{path} is damaged ({reason}); it was set aside as {aside.name}.")
        return None

    def read_text(self, name: str) -> str | None:
        """Return a file's text, or None if there is none."""
        path = self.folder / name
        return path.read_text("utf-8") if path.is_file() else None

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        (self.folder / name).unlink(missing_ok=True)

    def records(self, kind: str) -> list[str]:
        """Return the names of the records of a kind, oldest first: names begin with their time."""
        return sorted(f"{kind}/{path.name}" for path in (self.folder / kind).glob("*.json"))

    def keep(self, kind: str, count: int) -> None:
        """Remove all but the newest records of a kind."""
        for name in self.records(kind)[:-count]:
            (self.folder / name).unlink(missing_ok=True)

    @contextmanager
    def lock(self, purpose: str) -> Iterator[None]:
        """Hold a purpose, such as `run`, alone; the lock of a process that died is free again, which is said.

        Raises:
            LockedError: Another process holds it.
            EngineError: The folder cannot be written.
        """
        holder = f"{purpose}.holder"
        lock = FileLock(self.folder / f"{purpose}.lock")
        try:
            self._make(self.folder)
            lock.acquire(timeout=0)
        except Timeout:
            raise LockedError(
                "Another command of this project is at work, so nothing was done.",
                f"It is {self._named(holder)}.",
                "Wait for it to end, then try again.",
            ) from None
        except OSError as error:
            raise _unwritable(self.folder, error) from error
        try:
            if (self.folder / holder).exists():
                self._warn(f"{self._holder(holder)} was killed; its lock is taken over.")
            self.write_record(holder, myself())
            yield
        finally:
            (self.folder / holder).unlink(missing_ok=True)
            lock.release()

    def _named(self, name: str) -> str:
        """Return who holds a lock; who has only just taken it writes that a moment later."""
        deadline = time.monotonic() + NAMED_SECONDS
        while not (self.folder / name).exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        return self._holder(name)

    def _holder(self, name: str) -> str:
        told = self.read_record(name)
        return described(told) if told else "an unknown process"


def myself() -> dict[str, str]:
    """Return who is at work here: the person and host, the command, its process and its time."""
    try:
        person = getpass.getuser()
    except (KeyError, OSError):
        person = str(os.getuid())
    return {
        "who": f"{person}@{socket.gethostname()}",
        "pid": str(os.getpid()),
        "since": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "command": shlex.join(["invoke", *sys.argv[1:]]),
    }


def described(told: Mapping[str, str]) -> str:
    """Say who it was, for instance `invoke rollback` of anna@web-1 (process 4711, since 2026-11-23T08:01:02Z)."""
    who, pid, since, command = (told.get(name, "?") for name in ("who", "pid", "since", "command"))
    return f"`{command}` of {who} (process {pid}, since {since})"


def _unwritable(path: Path, error: OSError) -> EngineError:
    return EngineError(
        f"{path} cannot be written.", str(error), "Make that folder writable for you, or free some space."
    )


def write_files(files: Mapping[Path, str]) -> None:
    """Write files of the project: all of them or none, and no reader sees half of one; an OSError is the caller's."""
    halves = {path: path.with_name(f".{path.name}.{secrets.token_hex(4)}") for path in files}
    try:
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            halves[path].write_text(text, "utf-8")
        for path, half in halves.items():
            half.replace(path)
    finally:
        for half in halves.values():
            half.unlink(missing_ok=True)
