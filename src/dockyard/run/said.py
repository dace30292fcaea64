"""Codes, times and log lines in words for people."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

from dockyard.engines.facts import between

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dockyard.engines.facts import ContainerFacts, HealthCheck

MEANINGS = {
    125: "the engine could not start it",
    126: "its command may not be executed",
    127: "its command was not found",
    139: "SIGSEGV: native code crashed",
    137: "SIGKILL: killed by the kernel or by somebody",
    143: "SIGTERM: somebody stopped it",
}
SIGNALLED = 128
SHOWN_LINE = 300
# What a line says, and where: the first of each that it has.
TOLD = ("message", "msg", "error", "exception", "exc_info", "detail")
KINDS = ("event", "logger")
DULL = ("ts", "time", "timestamp", "request_id", "sha256")
LEVELS = ("level", "levelname", "severity")


def code(number: int) -> str:
    """Return an exit code, and what it means where it has a meaning."""
    meaning = MEANINGS.get(number, "")
    if not meaning and number > SIGNALLED:
        try:
            meaning = signal.Signals(number - SIGNALLED).name
        except ValueError:
            meaning = ""
    return f"exit code {number} ({meaning})" if meaning else f"exit code {number}"


def end(facts: ContainerFacts) -> str:
    """Return how long a container ran, and how it ended."""
    seconds = between(facts.started, facts.finished)
    return f"it ended after {seconds:.1f} s with {code(facts.exit_code)}"


def check(run: HealthCheck) -> str:
    """Return what one health check said."""
    said = " ".join(run.output.split())[:SHOWN_LINE] or "no output"
    how = "not run to its end" if run.code < 0 else f"exit code {run.code}"
    return f"{how} after {run.seconds:.1f} s: {said}"


def readable(line: str) -> str:
    """Return a log line as it is; of a JSON document its level and what it says."""
    document = _document(line)
    if document is None:
        return line[:SHOWN_LINE]
    parts = [str(document[name]) for names in (LEVELS, KINDS) for name in names if document.get(name)]
    told = [str(document[name]) for name in TOLD if document.get(name)]
    if not told:
        told = [f"{name}={value}" for name, value in document.items() if name not in (*KINDS, *LEVELS, *DULL)]
    return (": ".join(filter(None, (" ".join(parts), "; ".join(told)))) or line)[:SHOWN_LINE]


def _document(line: str) -> dict[str, object] | None:
    if not line.lstrip().startswith("{"):
        return None
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def listed(values: Iterable[object]) -> str:
    """Return values one after the other."""
    return ", ".join(map(str, values))
