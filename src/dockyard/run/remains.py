"""What a container that failed can still tell is kept, without its secrets, before it is removed."""

from __future__ import annotations

import json
import secrets
import shutil
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dockyard.engines.containers import Container
from dockyard.errors import EngineError
from dockyard.machine.corporate import REDACTED
from dockyard.run.own import read_keys
from dockyard.state import PRIVATE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dockyard.engines import Engine
    from dockyard.state import State

FOLDER, CANDIDATES = "failed", "candidates"
KEPT = 10
LINES = 5000
FILE_BYTES = 5_000_000


def candidate_logs(state: State) -> Path:
    """Return a logs folder that no other candidate has."""
    return state.folder / CANDIDATES / secrets.token_hex(4)


def forget_candidates(state: State) -> None:
    """Remove the log files of candidates: what they could tell is known once they have ended."""
    shutil.rmtree(state.folder / CANDIDATES, ignore_errors=True)


def keep(container: str, *, why: str, logs: str, engine: Engine, state: State) -> Path | None:
    """Write log, log files, health output and inspection of a container into a folder of their own, secrets masked.

    Args:
        container: Its id.
        why: What it failed of.
        logs: Where it has its log files.
        engine: Where it is.
        state: Gets the folder `failed/<time>-<name>`; the ten newest are kept.

    Returns:
        The folder; None if the container tells nothing any more.
    """
    try:
        told = Container(daemon=engine.daemon, id=container).inspect()
        files = {
            "why.txt": why,
            "inspect.json": json.dumps(told, indent=1, sort_keys=True),
            "health.txt": _health(told),
            "container.log": "".join(f"{line}\n" for line in engine.daemon.logs(container, lines=LINES)),
        }
        keys = read_keys(container, engine.daemon)
        with suppress(EngineError):
            written = engine.daemon.read_folder(container, logs)
            files |= {f"logs/{name.replace('/', '-')}": _text(each[-FILE_BYTES:]) for name, each in written.items()}
        return _write(files, told["Name"].lstrip("/"), keys, state)
    except EngineError:
        # What failed must be undone, whether or not it can still be told why.
        return None


def _write(files: dict[str, str], name: str, keys: tuple[str, ...], state: State) -> Path:
    """Write the files without the keys, readable for their owner alone; forget the oldest folders."""
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")
    folder = f"{FOLDER}/{moment}-{name}"
    for path, text in files.items():
        for each in keys:
            text = text.replace(each, REDACTED)  # noqa: PLW2901 - the text without its keys
        state.write(f"{folder}/{path}", text.encode(), mode=PRIVATE)
    for old in sorted((state.folder / FOLDER).iterdir())[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)
    return state.folder / folder


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace")


def _health(told: Mapping[str, Any]) -> str:
    """Return what each health check said, the oldest first."""
    probes = (told["State"].get("Health") or {}).get("Log") or ()
    return "".join(f"{each['Start']} exit code {each['ExitCode']}: {each['Output'].strip()}\n" for each in probes)
