from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from dockyard.errors import SettingsError
from dockyard.observe.since import parse_since
from support import sentences

NOW = datetime(2026, 11, 23, 9, 30, 15, 250000, tzinfo=timezone(timedelta(hours=1), "CET"))


@pytest.mark.parametrize(
    ("given", "moment"),
    [
        ("10m", "2026-11-23T08:20:15.250000000Z"),
        ("1h30m", "2026-11-23T07:00:15.250000000Z"),
        ("90s", "2026-11-23T08:28:45.250000000Z"),
        ("2d", "2026-11-21T08:30:15.250000000Z"),
        ("08:00", "2026-11-23T07:00:00.000000000Z"),
        ("08:00:01", "2026-11-23T07:00:01.000000000Z"),
        ("2026-11-23T08:00", "2026-11-23T07:00:00.000000000Z"),
        ("2026-11-23T08:00:00.123456Z", "2026-11-23T08:00:00.123456000Z"),
        ("2026-11-23T08:00+02:00", "2026-11-23T06:00:00.000000000Z"),
        ("2026-11-23", "2026-11-22T23:00:00.000000000Z"),
        ("2026-11-23T08:15:15.032977846Z", "2026-11-23T08:15:15.032977000Z"),
    ],
)
def test_forms(given, moment):
    """Spans, hours of today and dates become a moment in the engine's form; without a zone it is the user's."""
    assert parse_since(given, now=NOW) == moment


@pytest.mark.parametrize(
    "given", ["", "10", "m", "soon", "10m ago", "25:00", "-10m", "9999999999d", "2026-13-01", "٣m "]
)
def test_unknown(given):
    """What is none of these is refused, with the forms that are."""
    with pytest.raises(SettingsError) as caught:
        parse_since(given, now=NOW)

    assert sentences(caught.value)[0] == f"--since {given} is unknown."


@pytest.mark.parametrize("given", ["09:31", "2026-11-24", "2026-11-23T08:30:16Z"])
def test_future(given):
    """A time that is still to come would show nothing, and is refused."""
    with pytest.raises(SettingsError, match="lies in the future"):
        parse_since(given, now=NOW)
