"""The folder .dockyard/: records that survive a command, written whole or not at all, locked against a second run."""

from __future__ import annotations

import json
import os
import secrets
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from dockyard.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PRIVATE = 0o600  # the mode of what only its owner may read


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

    def records(self, kind: str) -> list[str]:
        """Return the names of the records of a kind, oldest first: names begin with their time."""
        return sorted(f"{kind}/{path.name}" for path in (self.folder / kind).glob("*.json"))

    def keep(self, kind: str, count: int) -> None:
        """Remove all but the newest records of a kind."""
        for name in self.records(kind)[:-count]:
            (self.folder / name).unlink(missing_ok=True)

    @contextmanager
    def lock(self, purpose: str) -> Iterator[None]:
        """Hold a purpose, such as `run`, alone; the lock of a process that died is free again.

        Raises:
            EngineError: Another process holds it, or the folder cannot be written.
        """
        holder = self.folder / f"{purpose}.holder"
        lock = FileLock(self.folder / f"{purpose}.lock")
        try:
            self._make(self.folder)
            lock.acquire(timeout=0)
        except Timeout:
            told = holder.read_text("utf-8") if holder.is_file() else "an unknown process"
            raise EngineError(
                f"Another `invoke {purpose}` of this project is running.",
                f"It is {told}.",
                "Wait for it to end, then try again.",
            ) from None
        except OSError as error:
            raise _unwritable(self.folder, error) from error
        try:
            holder.write_text(f"process {os.getpid()}", "utf-8")
            yield
        finally:
            holder.unlink(missing_ok=True)
            lock.release()


def _unwritable(path: Path, error: OSError) -> EngineError:
    return EngineError(
        f"{path} cannot be written.", str(error), "Make that folder writable for you, or free some space."
    )
