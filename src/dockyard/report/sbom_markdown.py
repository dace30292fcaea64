"""A bill of materials as Markdown, for the summary of a job on GitHub or a comment on a change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockyard.report.markdown import cell, table
from dockyard.report.sbom_words import change, comparing, headline, kinds, licences

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dockyard.sbom import Comparison, Listing


def markdown(listing: Listing) -> str:
    """Return what is not allowed, what changed, and the counts behind folds."""
    bill = listing.bill
    lines = [f"## What is in {cell(bill.name)}", "", f"**{cell(headline(bill))}**", ""]
    if listing.violations:
        lines += table(("Licence not allowed",), [(f"❌ {cell(each.sentence)}",) for each in listing.violations])
    if listing.comparison:
        lines += _comparison(listing.comparison)
    lines += _folded("Kinds", ("Count", "Licence known", "Kind", "Such as"), kinds(bill))
    lines += _folded("Licences", ("Count", "As", "Licence", "Such as"), licences(bill))
    lines += [f"- {cell(each)}" for each in bill.problems]
    return "\n".join(lines)


def _comparison(comparison: Comparison) -> list[str]:
    rows = []
    for each in comparison.changes:
        mark, name, versions = change(each)
        rows.append((cell(mark), each.kind, cell(name), cell(versions)))
    told = [f"**{cell(comparing(comparison))}**", ""]
    return told + (table(("", "Kind", "Package", "Version"), rows) if rows else [])


def _folded(title: str, columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    told = [tuple(map(cell, row)) for row in rows]
    return ["<details>", f"<summary>{title}</summary>", "", *table(columns, told), "</details>", ""]
