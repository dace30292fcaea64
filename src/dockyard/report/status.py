"""A container's state: for people, and for programs."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from dockyard.plan import ROLE
from dockyard.report.words import harmless
from dockyard.units import amount

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.observe.drift import Drift
    from dockyard.observe.state import State
    from dockyard.observe.usage import Usage
    from dockyard.report.console import Console

# Rises with every change that a reader of the old form would stumble over.
VERSION = 1
UNKNOWN = "not known"
SPANS = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))
MEBI = 2**20
DIGEST = re.compile(r"(sha256:[0-9a-f]{12})[0-9a-f]{52}")


def document(state: State) -> dict[str, Any]:
    """Return the state, ready for `json.dumps`: every key is always there, null where nothing is known."""
    facts = state.facts
    ended, prediction = state.ended, state.prediction
    return {
        "version": VERSION,
        "container": facts.name,
        "id": facts.id,
        "state": facts.status,
        "health": facts.health,
        "health_output": facts.health_output,
        "error": facts.error,
        "url": state.url,
        "image": facts.image,
        "image_id": facts.image_id,
        "digest": state.digest,
        "gateway": state.gateway,
        "release": state.release,
        "image_version": state.version,
        "revision": state.revision,
        "base": state.base,
        "started": facts.started,
        "uptime_seconds": None if state.uptime is None else round(state.uptime, 1),
        "restarts": facts.restarts,
        "last_end": None if ended is None else asdict(ended) | {"time": ended.time.isoformat()},
        "usage": None if state.usage is None else asdict(state.usage),
        "last_prediction": None
        if prediction is None
        else asdict(prediction) | {"time": prediction.time.isoformat() if prediction.time else None},
        "logs": None if state.logs is None else asdict(state.logs),
        "drift": [asdict(each) for each in state.drift],
    }


def show(console: Console, state: State) -> None:
    """Print the state, and what to do about the differences."""
    console.table((), [(name, harmless(value)) for name, value in _rows(state) if value])
    if not state.drift:
        console.table((), [("drift", "none: it runs as the settings say")])
        return
    console.say("")
    console.table(("drift", "running", "configured"), [_drift(each) for each in state.drift])
    prod = state.facts.labels.get(ROLE) == "prod"
    console.say(f"{'`invoke run --prod`' if prod else '`invoke run`'} applies the settings.")


def _rows(state: State) -> Iterator[tuple[str, str]]:
    facts = state.facts
    yield "container", facts.name
    yield "state", facts.status
    yield "health", (facts.health or "no health check") if facts.status == "running" else ""
    yield "last health check", facts.health_output
    yield "error", facts.error
    yield "url", state.url
    yield "gateway", state.gateway
    yield "image", facts.image
    yield "digest", state.digest
    yield "release", state.release
    yield "version", state.version
    yield "revision", state.revision
    yield "base", state.base
    yield "up", "" if state.uptime is None else span(state.uptime)
    yield "restarts", str(facts.restarts)
    yield "last end", _ended(state)
    if state.usage:
        yield from usage_rows(state.usage)
    yield "last prediction", _prediction(state)
    folder = state.logs
    yield "logs", f"{amount(folder.bytes)} in {_files(folder.files)}, {folder.path}" if folder else UNKNOWN


def usage_rows(usage: Usage) -> Iterator[tuple[str, str]]:
    """Yield what is used beside what may be."""
    yield "cpu", cpu(usage)
    yield "memory", memory(usage)
    yield "pids", f"{usage.pids} of {usage.pids_limit}" if usage.pids_limit else str(usage.pids)


def cpu(usage: Usage) -> str:
    """Return the cores in use beside their limit, for instance `0.42 of 1 core`."""
    used = "…" if usage.cpu is None else f"{usage.cpu:.2f}"
    if usage.cpus is None:
        return f"{used} cores, no limit"
    return f"{used} of {usage.cpus:g} {'core' if usage.cpus == 1 else 'cores'}"


def memory(usage: Usage) -> str:
    """Return the memory in use beside its limit, for instance `57 of 512 MiB (11%)`."""
    used = usage.memory / MEBI
    if usage.memory_limit is None:
        return f"{used:.0f} MiB, no limit"
    return f"{used:.0f} of {usage.memory_limit / MEBI:.0f} MiB ({usage.memory / usage.memory_limit:.0%})"


def span(seconds: float) -> str:
    """Return a time in words, its two greatest parts: `3 hours 12 minutes`."""
    parts, rest = [], int(seconds)
    for name, length in SPANS:
        count, rest = divmod(rest, length)
        if count:
            parts.append(f"{count} {name}{'' if count == 1 else 's'}")
        elif parts:
            break
    return " ".join(parts[:2]) or "less than a second"


def _ended(state: State) -> str:
    ended = state.ended
    if ended is None:
        return ""
    code = f"exit code {UNKNOWN if ended.exit_code is None else ended.exit_code}"
    killed = ", killed for memory" if ended.oom_killed else ""
    return f"{ended.time.astimezone():%Y-%m-%d %H:%M:%S}, {code}{killed}"


def _prediction(state: State) -> str:
    last = state.prediction
    if last is None:
        return UNKNOWN
    at = f"{last.time.astimezone():%Y-%m-%d %H:%M:%S}, " if last.time else ""
    return f"{at}{last.milliseconds:g} ms{'' if last.status is None else f', status {last.status}'}"


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"


def _drift(drift: Drift) -> tuple[str, str, str]:
    what, running, configured = (harmless(DIGEST.sub(r"\1…", each)) for each in vars(drift).values())
    return what, running, configured
