"""The times that people type -> a moment."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta

from dockyard.errors import SettingsError

SPAN = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", re.ASCII)


def parse_since(given: str, *, now: datetime) -> str:
    """Return a moment in the form of the engine's log, which sorts as text.

    Args:
        given: A span such as `10m` or `1h30m`, an hour of today, or a date with or without hour and zone; without a
            zone it is that of `now`.
        now: The present, with its zone.

    Raises:
        SettingsError: It is none of these, or lies in the future.
    """
    moment = _moment(given, now)
    if moment is None:
        raise SettingsError(
            f"--since {given} is unknown.",
            "It is a span like 10m, 1h30m or 2d, an hour like 08:00, or a time like 2026-11-23T08:00.",
            "Give one of them.",
        )
    if moment > now:
        raise SettingsError(
            f"--since {given} lies in the future.",
            f"It is {now:%Y-%m-%d %H:%M:%S %Z} now.",
            "Give a time that has passed; `+00:00` at its end makes it UTC.",
        )
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}000Z"


def _moment(given: str, now: datetime) -> datetime | None:
    span = SPAN.fullmatch(given)
    try:
        if given and span:
            days, hours, minutes, seconds = (int(part or 0) for part in span.groups())
            return now - timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        if re.fullmatch(r"\d\d:\d\d(:\d\d)?", given):
            return datetime.combine(now.date(), time.fromisoformat(given), now.tzinfo)
        moment = datetime.fromisoformat(given)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=now.tzinfo)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
