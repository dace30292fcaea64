"""An image's size for people: what it is, what it is made of, what is wasted, what changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockyard.report.size_treemap import treemap, width
from dockyard.report.size_words import change, comparing, copying, headline, hiding, made_by, sharing, standing, wasting
from dockyard.report.words import clipped, harmless
from dockyard.size import folders, kinds
from dockyard.units import amount, signed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dockyard.report.console import Console
    from dockyard.size import Comparison, Measured, Share, Sized

BAR = 10
NUMBER = 9
# Between columns.
GAP = 2
SHORTEST = 20


@dataclass(frozen=True, kw_only=True)
class Detail:
    """How much is told.

    Attributes:
        depth: Of the folders.
        top: Rows of each table.
    """

    depth: int = 3
    top: int = 10


def show(console: Console, sized: Sized, detail: Detail) -> None:
    """Print the result."""
    measured = sized.measured
    for line in (headline(measured), standing(measured), wasting(measured)):
        _line(console, line)
    console.say("")
    treemap(console, measured)
    console.say("")
    _layers(console, measured)
    if measured.distributions:
        _distributions(console, measured, detail.top)
    _shares(console, f"folder, depth {detail.depth}", folders(measured, detail.depth), measured.total, detail.top)
    _shares(console, "kind of file", kinds(measured), measured.total, len(kinds(measured)))
    _waste(console, measured, detail.top)
    if sized.comparison:
        _comparison(console, sized.comparison, detail.top)
    for problem in measured.problems:
        _line(console, harmless(problem))


def _table(console: Console, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table whose last column is cut where the line ends, and an empty line."""
    told = [[harmless(cell) if at == len(row) - 1 else cell for at, cell in enumerate(row)] for row in rows]
    taken = sum(max(map(len, column)) + GAP for column in list(zip(columns, *told, strict=True))[:-1])
    room = max(width() - taken, SHORTEST)
    console.table(columns, [[*row[:-1], clipped(row[-1], room)] for row in told])
    console.say("")


def _line(console: Console, line: str) -> None:
    """Print a sentence; a table breaks it between words."""
    console.table((), [(line,)])


def _number(count: int) -> str:
    return f"{amount(count):>{NUMBER}}"


def _number_or_none(count: int | None) -> str:
    return _number(count) if count else ""


def _bar(part: int, whole: int) -> str:
    """Return a share as a bar and a number."""
    share = part / whole if whole else 0
    return f"{'█' * round(share * BAR):<{BAR}} {share:4.0%}"


def _layers(console: Console, measured: Measured) -> None:
    rows = [
        (
            f"{each.index:>5}",
            _number(each.bytes),
            _number_or_none(each.hidden),
            _number_or_none(each.compressed),
            made_by(measured, each),
            each.instruction,
        )
        for each in measured.layers
    ]
    _table(console, ("layer", f"{'bytes':>{NUMBER}}", "hidden", f"{'to pull':>{NUMBER}}", "from", "instruction"), rows)


def _distributions(console: Console, measured: Measured, top: int) -> None:
    rows = [
        (
            _number(each.bytes),
            _number_or_none(each.bytecode),
            "base" if measured.layers[each.layer].base else f"layer {each.layer}",
            f"{each.name} {each.version}",
        )
        for each in measured.distributions[:top]
    ]
    rest = measured.distributions[top:]
    if rest:
        size = sum(each.bytes for each in rest)
        rows.append((_number(size), _number_or_none(sum(each.bytecode for each in rest)), "", f"{len(rest)} more"))
    loose = measured.unrecorded
    if loose.files:
        rows.append((_number(loose.bytes), "", "", f"{loose.files} files beside them that no RECORD names"))
    columns = (f"{'bytes':>{NUMBER}}", "bytecode", "in", "Python distribution")
    _table(console, columns, rows)


def _shares(console: Console, title: str, shares: Sequence[Share], total: int, top: int) -> None:
    rows = [(_number(each.bytes), _bar(each.bytes, total), each.name) for each in shares[:top]]
    rest = shares[top:]
    if rest:
        size = sum(each.bytes for each in rest)
        rows.append((_number(size), _bar(size, total), f"{len(rest)} more"))
    _table(console, (f"{'bytes':>{NUMBER}}", "share", title), rows)


def _waste(console: Console, measured: Measured, top: int) -> None:
    waste = measured.waste
    rows = [(_number(each.bytes), *hiding(each)) for each in waste.acts[:top]]
    rows += [(_number(each.wasted), *copying(each)) for each in waste.duplicates[:top]]
    left = [each.bytes for each in waste.acts[top:]] + [each.wasted for each in waste.duplicates[top:]]
    if left:
        rows.append((_number(sum(left)), "", "", f"{len(left)} more; `--format json` lists them all"))
    if rows:
        _table(console, (f"{'wasted':>{NUMBER}}", "in", "how", "path"), rows)


def _comparison(console: Console, comparison: Comparison, top: int) -> None:
    rows = [
        (f"{signed(each.delta):>{NUMBER + 1}}", change(each).rpartition(" (")[0]) for each in comparison.changes[:top]
    ]
    rest = comparison.changes[top:]
    if rest:
        rows.append((f"{signed(sum(each.delta for each in rest)):>{NUMBER + 1}}", f"{len(rest)} more"))
    if rows:
        _table(console, (f"{'change':>{NUMBER + 1}}", "of"), rows)
    _line(console, comparing(comparison))
    _line(console, sharing(comparison))
