"""What each command's result looks like."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dockyard.settings import keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from dockyard.machine import Finding
    from dockyard.report.console import Console
    from dockyard.run import Row, Started
    from dockyard.settings import Loaded
    from dockyard.smoke import Answer, Golden, Result


def findings(console: Console, found: Iterable[Finding], *, as_json: bool) -> None:
    """Say what the machine has."""
    if as_json:
        console.document(list(found))
    else:
        console.table(("what", "state", "detail"), [(each.subject, each.state, each.detail) for each in found])


def started(console: Console, container: Started) -> None:
    """Say where a container answers."""
    verb = "replaced the old one, healthy" if container.replaced else "healthy"
    console.say(f"{container.name} {verb} after {container.seconds:.1f} s: {container.url}")
    if container.outage:
        console.say(f"replaced in {container.outage.seconds:.1f} s; {container.outage}")


def rotated(console: Console, kept: Path, *, finished: bool, seconds: float | None = None) -> None:
    """Say which keys are accepted, and where the new one is kept."""
    if finished:
        console.say(f"Only the new API key is accepted. It is kept in {kept} (mode 0600).")
        return
    console.say(f"Old and new API key are accepted. The new one is kept in {kept} (mode 0600).")
    until = "`invoke rotate-key --finish` removes it" if seconds is None else f"it is removed in {seconds:g} s"
    console.note(f"Give the new one to all that use the old one: {until}.")


def releases(console: Console, rows: Iterable[Row], *, as_json: bool) -> None:
    """List releases, the newest first."""
    if as_json:
        console.document(list(rows))
        return
    columns = ("release", "time", "digest", "version", "revision", "who", "verdict", "")
    console.table(columns, [_release(each) for each in rows])


def _release(row: Row) -> tuple[str, ...]:
    number = f"{row.number} (is {row.origin})" if row.origin else str(row.number)
    remark = "runs" if row.runs else "" if row.here else "image gone"
    digest, revision = row.digest.removeprefix("sha256:")[:12], row.revision[:12]
    return number, row.time, digest, row.version, revision, row.who, row.verdict, remark


def prediction(console: Console, route: str, case: Golden, answer: Answer) -> None:
    """Show a request and its answer, as a person would send it."""
    console.say(f"POST {route}")
    console.say(json.dumps(case.request, ensure_ascii=False))
    console.say(json.dumps(answer.document, ensure_ascii=False))


def announcer(console: Console, *, as_json: bool) -> Callable[[Result], None]:
    """Return what prints each probe's result as it comes; nothing where the whole is printed as JSON."""

    def announce(result: Result) -> None:
        if not as_json:
            console.verdict(result.verdict, result.probe, result.evidence)

    return announce


def settings(console: Console, loaded: Loaded, *, as_json: bool) -> None:
    """Print every key, its value and its source."""

    def value(key: str) -> str:
        at: Any = loaded.settings
        for part in key.split("."):
            at = getattr(at, part)
        return str(at)

    rows = [(key, value(key), loaded.source(key).value) for key in keys()]
    if as_json:
        console.document([dict(zip(("key", "value", "from"), row, strict=True)) for row in rows])
    else:
        console.table(("key", "value", "from"), rows)
