"""One line of a service's log -> what it says, if it is JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dockyard.settings.logs import Logs

LEVELS = ("debug", "info", "warning", "error", "critical")
ALIASES = {
    "trace": "debug",
    "notice": "info",
    "warn": "warning",
    "err": "error",
    "fatal": "critical",
    "crit": "critical",
    "alert": "critical",
    "emergency": "critical",
}
MILLISECONDS = 1e11  # as seconds this would be the year 5138


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What a line says.

    Attributes:
        time: None where it says none that can be read.
        level: One of LEVELS; None where it says none of them.
        traceback: Where an exception rose, a line each.
        fields: All the rest, in the line's order.
    """

    time: datetime | None
    level: str | None
    event: str
    request_id: str
    route: str
    milliseconds: float | None
    traceback: tuple[str, ...]
    fields: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which lines are asked for.

    Attributes:
        level: The least level, one of LEVELS; empty is every level.
        request_id: The request's id, or its beginning; empty is every request.
    """

    level: str = ""
    request_id: str = ""

    @property
    def everything(self) -> bool:
        """Whether every line is."""
        return not (self.level or self.request_id)

    def takes(self, text: bytes, names: Logs) -> bool:
        """Whether a line is asked for; one that has no level is never held back for it: it may be a crash."""
        if self.everything:
            return True
        entry = parse(text, names)
        if entry is None:
            return not self.request_id
        of_level = not self.level or not entry.level or LEVELS.index(entry.level) >= LEVELS.index(self.level)
        return of_level and entry.request_id.startswith(self.request_id)


def parse(text: bytes, names: Logs) -> Entry | None:
    """Return what a line says; None if it is no JSON object."""
    if not text.lstrip().startswith(b"{"):
        return None
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return None
    rest = dict(told)
    time, level = _time(_take(rest, names.time)), _level(_take(rest, names.level))
    return Entry(
        time=time,
        level=level,
        event=_text(_take(rest, names.event)),
        request_id=_text(_take(rest, names.request_id)),
        route=_text(_take(rest, names.route)),
        milliseconds=_number(_take(rest, names.milliseconds)),
        traceback=_frames(_take(rest, names.traceback)),
        fields=rest,
    )


def _take(rest: dict[str, Any], names: Sequence[str]) -> Any:
    """Return the first of some fields that is there, and take it away."""
    return next((rest.pop(name) for name in names if name in rest), None)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _level(value: Any) -> str | None:
    """Return one of LEVELS, however it is written."""
    name = value.strip().lower() if isinstance(value, str) else ""
    name = ALIASES.get(name, name)
    return name if name in LEVELS else None


def _time(value: Any) -> datetime | None:
    """Return a time that is ISO 8601, or seconds or milliseconds since 1970."""
    try:
        if isinstance(value, str):
            told = datetime.fromisoformat(value)
            return told if told.tzinfo else told.replace(tzinfo=UTC)
        seconds = _number(value)
        if seconds is None:
            return None
        return datetime.fromtimestamp(seconds / 1000 if seconds > MILLISECONDS else seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _frames(value: Any) -> tuple[str, ...]:
    """Return a traceback's lines: of a text its lines, or what stands between `>`, or of a list each."""
    if not value:
        return ()
    if isinstance(value, list):
        return tuple(_text(each) for each in value)
    told = _text(value)
    return tuple(told.splitlines()) if "\n" in told else tuple(told.split(" > "))
