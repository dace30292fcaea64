"""A bill of materials in words and counts, for the table and for Markdown."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from dockyard.report.words import harmless
from dockyard.sbom import KINDS, LICENSED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.sbom import Bill, Change, Comparison

UNKNOWN = "not known"
EXAMPLES = 3
DIGEST = 19
MARKS = {"added": "+", "removed": "-", "changed": "~"}


def headline(bill: Bill) -> str:
    """Return what was listed in one line."""
    name = harmless(f"{bill.name} {bill.version}".strip())
    return f"{name}, {bill.digest[:DIGEST]}: {_counted(len(bill.components), 'component')}"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def kinds(bill: Bill) -> Iterator[tuple[str, str, str, str]]:
    """Yield, by kind, how many there are, of how many the licence is known, and what they are."""
    for kind, name in KINDS.items():
        found = bill.of(kind)
        if found:
            known = str(sum(bool(each.licences) for each in found)) if kind in LICENSED else ""
            examples = ", ".join(dict.fromkeys(harmless(each.told) for each in found[:EXAMPLES]))
            more = f" and {len(found) - EXAMPLES} more" if len(found) > EXAMPLES else ""
            yield str(len(found)), known, name, f"{examples}{more}"


def licences(bill: Bill) -> list[tuple[str, str, str, str]]:
    """Return, by licence, how many packages name it, whether SPDX has it, and which those are; the most named first."""
    names: dict[tuple[str, str], list[str]] = {}
    for each in bill.components:
        if each.kind not in LICENSED:
            continue
        told = [(licence.text, "SPDX" if licence.spdx else "words") for licence in each.licences]
        for key in told or [(UNKNOWN, "")]:
            names.setdefault(key, []).append(each.name)
    counts = Counter({key: len(found) for key, found in names.items()})
    rows = []
    for key, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        examples = ", ".join(dict.fromkeys(map(harmless, names[key][:EXAMPLES])))
        rows.append((str(count), key[1], harmless(key[0]), examples))
    return rows


def change(each: Change) -> tuple[str, str, str]:
    """Return one change: its mark, what it is of, and its versions."""
    old, new = ", ".join(map(harmless, each.old)), ", ".join(map(harmless, each.new))
    versions = f"{old} → {new}" if old and new else old or new
    return MARKS[each.how], harmless(each.name), versions


def comparing(comparison: Comparison) -> str:
    """Return what changed in one line."""
    counts = ((len(comparison.of(how)), how) for how in MARKS)
    told = ", ".join(f"{count} {how}" for count, how in counts if count)
    since = f"since {harmless(comparison.reference)}"
    return f"{told or 'nothing changed'} {since}; {comparison.same} as they were"
