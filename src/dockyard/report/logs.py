"""Log lines for people; for a pipe as the service wrote them."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from rich.text import Text

from dockyard.engines.logs import LogLine
from dockyard.observe.line import Entry, parse
from dockyard.report.words import clipped, harmless

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from dockyard.observe.follow import Turn
    from dockyard.report.console import Console
    from dockyard.settings.logs import Logs

STYLES = {"debug": "dim", "info": "green", "warning": "yellow", "error": "bold red", "critical": "bold white on red"}
FAILED, REFUSED = 500, 400
# Fields that need no name to be understood.
METHOD, STATUS, SAYS = "method", "status", ("message", "msg")
ID_LETTERS = 8
MOST_LETTERS = 160
MOST_OF_A_LINE = 4000
HASH_LETTERS = 64
HASH_SHOWN = 12


def show(console: Console, lines: Iterable[LogLine | Turn], names: Logs, *, raw: bool) -> None:
    """Print lines as they come; what happens to the container between them is a note.

    A terminal never gets a letter that could move its cursor or change its settings, not even of a raw line; a pipe
    gets each line byte for byte.
    """
    pretty = _Pretty(console, names)
    for line in lines:
        if not isinstance(line, LogLine):
            console.note(f"— {harmless(line.text)}", style="cyan")
        elif not console.terminal:
            sys.stdout.buffer.write(line.text + b"\n")
            sys.stdout.buffer.flush()
        elif raw:
            console.styled(Text(_shown(line.text)))
        else:
            pretty.show(line)


class _Pretty:
    """Prints one line after the other, with the day where it changes."""

    def __init__(self, console: Console, names: Logs) -> None:
        self._console, self._names = console, names
        self._day: date | None = None

    def show(self, line: LogLine) -> None:
        entry = parse(line.text, self._names)
        if entry is None:
            self._console.styled(Text(clipped(_shown(line.text), MOST_OF_A_LINE)))
            return
        at = entry.time.astimezone() if entry.time else None
        if at and at.date() != self._day:
            self._day = at.date()
            self._console.styled(Text(f"{at:%Y-%m-%d}, {at:%Z}", style="dim"))
        self._console.styled(headline(entry, at))
        for frame in entry.traceback:
            self._console.styled(Text(f"{'':14}{_shown(frame.encode('utf-8', 'replace'))}", style="red"))


def headline(entry: Entry, at: datetime | None) -> Text:
    """Return an entry's one line: when, how serious, what, and the fields."""
    level = entry.level or ""
    clock = f"{at:%H:%M:%S}.{at.microsecond // 1000:03}" if at else ""
    told = Text.assemble((f"{clock:12}  ", "dim"), (f"{level:8} ", STYLES.get(level, "")))
    told.append(harmless(entry.event), "bold")
    for value, style in _bare(entry):
        told.append(" ").append(value, style)
    for name, value in entry.fields.items():
        if name not in (METHOD, STATUS, *SAYS):
            told.append(f" {harmless(name)}=", "dim").append(_value(value))
    if entry.request_id:
        whole = harmless(entry.request_id)
        told.append(f" #{whole[:ID_LETTERS]}{'…' if len(whole) > ID_LETTERS else ''}", "cyan")
    return told


def _bare(entry: Entry) -> Iterable[tuple[str, str]]:
    """Yield what is told without a name: message, method, route, status, milliseconds."""
    for name in SAYS:
        if entry.fields.get(name):
            yield clipped(harmless(str(entry.fields[name])), MOST_LETTERS), ""
    method, status = (entry.fields.get(name) for name in (METHOD, STATUS))
    if method is not None:
        yield _value(method), ""
    if entry.route:
        yield harmless(entry.route), ""
    if status is not None:
        code = status if isinstance(status, int) else 0
        yield _value(status), "bold red" if code >= FAILED else "yellow" if code >= REFUSED else "green"
    if entry.milliseconds is not None:
        yield f"{entry.milliseconds:g} ms", ""


def _value(value: Any) -> str:
    told = harmless(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    if len(told) == HASH_LETTERS and told.isalnum():
        return f"{told[:HASH_SHOWN]}…"
    told = clipped(told, MOST_LETTERS)
    return json.dumps(told, ensure_ascii=False) if isinstance(value, str) and (" " in told or not told) else told


def _shown(text: bytes) -> str:
    """Return a line with its indentation, harmless otherwise."""
    told = text.decode("utf-8", "replace").expandtabs(4)
    return " " * (len(told) - len(told.lstrip(" "))) + harmless(told)
