"""What builds put into files though no source says it: times, names of temporary folders, random values.

Two contents that are equal once such words are taken out differ in nothing else.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Mask = Callable[[bytes], bytes]

DAY = 86400
MONTH = rb"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}"
CLOCK = rb"\d{1,2}:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?[AP]M)?(?:[ ]?(?:Z|UTC|GMT|[A-Z]{3,4}|[+-]\d\d:?\d\d))?"
WEEKDAY = rb"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6},? +)?"
# As `date`, RFC 2822, ISO 8601, the C compiler and names of files write it.
DATES = re.compile(
    rb"|".join(
        (
            WEEKDAY + MONTH + rb" +\d{1,2},? +(?:" + CLOCK + rb" +)?\d{4}",
            WEEKDAY + MONTH + rb" +\d{1,2} +" + CLOCK,
            WEEKDAY + rb"\d{1,2}[ -]" + MONTH + rb"[ -]\d{4}(?: +" + CLOCK + rb")?",
            rb"(?<!\d)(?:19|20)\d\d([-/.])\d\d\1\d\d(?:[T _-]" + CLOCK + rb")?",
            rb"(?<!\d)20\d\d[01]\d[0-3]\d[T_-]?[0-2]\d[0-5]\d[0-5]\d(?!\d)",
            rb"(?<!\d)" + CLOCK,
        )
    )
)
SECONDS = re.compile(rb"(?<![\w.])[12]\d{9}(?:\d{3}|\d{6}|\d{9}|\.\d{1,9})?(?!\w)")
PATHS = re.compile(
    rb"/(?:var/|usr/)?tmp/[\w.+@%~=-]+|(?<![A-Za-z0-9])(?:tmp|temp)[._-]?[A-Za-z0-9_]{6,12}(?![A-Za-z0-9_])"
    rb"|pip-[a-z-]{3,20}-[a-z0-9_]{8}|dockyard-[a-z0-9_]{8}(?:/context)?"
)
RANDOM = re.compile(
    rb"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|(?<![\w+/=-])[\w+/-]{16,}={0,2}(?![\w+/=-])"
)


def times(since: int) -> Mask:
    """Return what takes out dates, and numbers that are a time from `since` to this day."""
    until = time.time() + DAY

    def number(found: re.Match[bytes]) -> bytes:
        return b"<time>" if since <= int(found[0][:10]) <= until else found[0]

    return lambda data: SECONDS.sub(number, DATES.sub(b"<time>", data))


def paths(data: bytes) -> bytes:
    """Take out the names of temporary folders and files."""
    return PATHS.sub(b"<path>", data)


def randoms(data: bytes) -> bytes:
    """Take out identifiers and other long words of random letters."""
    return RANDOM.sub(b"<random>", data)


def packed_times(one: bytes, other: bytes, since: int) -> bool:
    """Whether all bytes that differ belong to numbers of four bytes that are a time from `since` to this day."""
    until, at = time.time() + DAY, 0
    if len(one) != len(other):
        return False
    while at < len(one):
        if one[at] == other[at]:
            at += 1
            continue
        ends = [
            start + 4
            for start in range(max(0, at - 3), at + 1)
            for order in ("little", "big")
            if all(since <= int.from_bytes(data[start : start + 4], order) <= until for data in (one, other))
        ]
        if not ends:
            return False
        at = max(ends)
    return True
