"""A bill of materials for people: how many of each kind and licence, and what changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockyard.report.sbom_words import change, comparing, headline, kinds, licences
from dockyard.report.size_treemap import width
from dockyard.report.words import clipped, harmless

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dockyard.report.console import Console
    from dockyard.sbom import Comparison, Listing

GAP = 2
SHORTEST = 20
LONGEST_NAME = 60


def show(console: Console, listing: Listing, top: int) -> None:
    """Print the counts, and what changed."""
    bill = listing.bill
    console.table((), [(headline(bill),)])
    console.say("")
    _table(console, ("count", "licence known", "kind", "such as"), list(kinds(bill)))
    rows = [(count, form, clipped(name, LONGEST_NAME), names) for count, form, name, names in licences(bill)]
    more = [(str(len(rows) - top), "", "more licences; `--format json` lists them all", "")] if rows[top:] else []
    _table(console, ("count", "as", "licence", "such as"), rows[:top] + more)
    if listing.comparison:
        _comparison(console, listing.comparison)
    for problem in bill.problems:
        console.note(harmless(problem), style="yellow")


def _table(console: Console, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table whose numbers stand below each other and whose last column is cut where the line ends."""
    told = [(f"{row[0]:>{len(columns[0])}}", *row[1:]) for row in rows]
    taken = sum(max(map(len, column)) + GAP for column in list(zip(columns, *told, strict=True))[:-1])
    room = max(width() - taken, SHORTEST)
    console.table(columns, [(*row[:-1], clipped(row[-1], room)) for row in told])
    console.say("")


def _comparison(console: Console, comparison: Comparison) -> None:
    rows = []
    for each in comparison.changes:
        mark, name, versions = change(each)
        rows.append((mark, each.kind, name, versions))
    if rows:
        console.table(("", "kind", "package", "version"), rows)
        console.say("")
    console.table((), [(comparing(comparison),)])
