"""An image's size as Markdown, for the summary of a job on GitHub or a comment on a change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockyard.report.markdown import cell, table
from dockyard.report.size_words import change, comparing, copying, headline, hiding, made_by, sharing, standing, wasting
from dockyard.size import folders, kinds
from dockyard.units import amount, signed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dockyard.report.size_table import Detail
    from dockyard.size import Comparison, Measured, Share, Sized


def markdown(sized: Sized, detail: Detail) -> str:
    """Return the result: what it is, what changed, which budgets are not met, and the rest behind folds."""
    measured = sized.measured
    lines = [f"## Size of {cell(measured.reference)}", "", f"**{cell(headline(measured))}**", ""]
    lines += [f"{cell(standing(measured))}", "", cell(wasting(measured)), ""]
    if sized.breaches:
        lines += table(("Budget not met",), [(f"❌ {cell(each.sentence)}",) for each in sized.breaches])
    if sized.comparison:
        lines += _comparison(sized.comparison, detail.top)
    lines += _folded("Layers", ("Layer", "Bytes", "Hidden", "To pull", "From", "Instruction"), _layers(measured))
    lines += _folded("Python distributions", ("Distribution", "Bytes", "Bytecode"), _distributions(measured))
    for title, shares in (("Folders", folders(measured, detail.depth)), ("Kinds of file", kinds(measured))):
        lines += _folded(title, ("Name", "Bytes", "Files"), _shares(shares[: detail.top]))
    lines += _folded("Wasted", ("Bytes", "Layers", "How", "Path"), _waste(measured, detail.top))
    return "\n".join(lines)


def _folded(title: str, columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    told = list(rows)
    if not told:
        return []
    return ["<details>", f"<summary>{title}</summary>", "", *table(columns, told), "</details>", ""]


def _comparison(comparison: Comparison, top: int) -> list[str]:
    rows = [(signed(each.delta), cell(change(each).rpartition(" (")[0])) for each in comparison.changes[:top]]
    rest = comparison.changes[top:]
    if rest:
        rows.append((signed(sum(each.delta for each in rest)), f"{len(rest)} more"))
    told = [f"**{cell(comparing(comparison))}**", "", cell(sharing(comparison)), ""]
    return told + (table(("Change", "Of"), rows) if rows else [])


def _layers(measured: Measured) -> Iterable[tuple[str, ...]]:
    for each in measured.layers:
        sizes = (amount(each.bytes), _size(each.hidden), _size(each.compressed))
        yield str(each.index), *sizes, cell(made_by(measured, each)), cell(each.instruction)


def _distributions(measured: Measured) -> Iterable[tuple[str, ...]]:
    for each in measured.distributions:
        yield cell(f"{each.name} {each.version}"), amount(each.bytes), _size(each.bytecode)


def _size(count: int | None) -> str:
    return amount(count) if count else ""


def _shares(shares: Sequence[Share]) -> Iterable[tuple[str, ...]]:
    for each in shares:
        yield cell(each.name), amount(each.bytes), str(each.files)


def _waste(measured: Measured, top: int) -> Iterable[tuple[str, ...]]:
    for act in measured.waste.acts[:top]:
        yield amount(act.bytes), *map(cell, hiding(act))
    for copies in measured.waste.duplicates[:top]:
        yield amount(copies.wasted), *map(cell, copying(copies))
