"""An image's size in words: the lines that every form of the report has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockyard.report.words import harmless
from dockyard.size.measure import pulled
from dockyard.units import amount, signed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dockyard.size import Act, Change, Comparison, Duplicate, LayerSize, Measured
    from dockyard.size.treemap import Family

NAMED = 6
NAMES: dict[Family, str] = {"base": "base", "distributions": "distributions", "files": "other files"}


def headline(measured: Measured) -> str:
    """Return what the image is in one line."""
    name = harmless(measured.reference)
    loose = [each for each in measured.layers if each.compressed is None]
    unknown = f"; what a pull costs is not known: layers {_ranges(loose)} are stored uncompressed" if loose else ""
    pull = _pull(measured.compressed) or unknown
    return f"{name}: {amount(measured.total)} in {len(measured.files)} files{pull}"


def standing(measured: Measured) -> str:
    """Return how the layers make the total: base and on top, less hidden."""
    if measured.base is None:
        parts = f"{amount(sum(each.bytes for each in measured.layers))} in {len(measured.layers)} layers"
        told = "; the base is not known"
    else:
        below = [each for each in measured.layers if each.base]
        parts = f"base {amount(sum(each.bytes for each in below))}, over base {amount(measured.over_base or 0)}"
        told = _pull(pulled(each for each in measured.layers if not each.base), measured.base.reference)
    hidden = f", hidden by later layers -{amount(measured.hidden)}" if measured.hidden else ""
    return f"{parts}{hidden}{told}"


def wasting(measured: Measured) -> str:
    """Return what is wasted in one line."""
    waste = measured.waste
    parts = (
        (waste.of("overwritten"), "overwritten"),
        (waste.of("deleted"), "deleted later"),
        (waste.duplicated, "there more than once"),
    )
    told = ", ".join(f"{amount(size)} {name}" for size, name in parts if size)
    return f"wasted: {amount(waste.total)}" + (f" ({told})" if told else "")


def comparing(comparison: Comparison) -> str:
    """Return what changed in one line, the largest first: `+41.2 MB: scipy 1.15 → 1.16 (+12.0 MB), …`."""
    told = [change(each) for each in comparison.changes[:NAMED]]
    rest = sum(each.delta for each in comparison.changes[NAMED:])
    if comparison.changes[NAMED:]:
        told.append(f"{len(comparison.changes) - NAMED} more ({signed(rest)})")
    since = f"{signed(comparison.delta)} since {harmless(comparison.reference)}"
    return f"{since}: {', '.join(told)}" if told else f"{since}: no file grew, shrank, came or went"


def change(each: Change) -> str:
    """Return one change, for instance `onnxruntime 1.20 new (+29.1 MB)`."""
    if each.before is None:
        name = f"{each.name} {each.new}".strip() + " new"
    elif each.after is None:
        name = f"{each.name} {each.old}".strip() + " gone"
    elif each.old != each.new:
        name = f"{each.name} {each.old} → {each.new}"
    else:
        name = each.name
    return harmless(f"{name} ({signed(each.delta)})")


def sharing(comparison: Comparison) -> str:
    """Return which layers both images have, and what the image costs who has the other."""
    shared = comparison.shared
    if not shared:
        return "no layer is shared"
    told = "layer" if len(shared) == 1 else "layers"
    size = sum(each.bytes for each in shared)
    return f"shared: {told} {_ranges(shared)} ({amount(size)}){_pull(comparison.download, comparison.reference)}"


def _pull(size: int | None, beside: str = "") -> str:
    """Return what a pull costs, or nothing where that cannot be told."""
    if size is None:
        return ""
    return f"; {amount(size)} to pull" + (f" where {harmless(beside)} is there" if beside else "")


def _ranges(layers: Sequence[LayerSize]) -> str:
    """Return numbers as, for instance, `0-4, 6`."""
    runs: list[list[int]] = []
    for each in layers:
        if runs and each.index == runs[-1][1] + 1:
            runs[-1][1] = each.index
        else:
            runs.append([each.index, each.index])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def hiding(act: Act) -> tuple[str, str, str]:
    """Return where something was hidden, how, and what: the largest paths."""
    more = [f"and {len(act.files) - NAMED} more"] if len(act.files) > NAMED else []
    paths = [harmless(each.path) for each in act.files[:NAMED]]
    how = "same bytes again" if act.same else act.how
    return f"layer {act.layer} by {act.by}", how, ", ".join(paths + more)


def copying(copies: Duplicate) -> tuple[str, str, str]:
    """Return where copies are, how many, and their paths."""
    layers = ", ".join(str(each) for each in sorted(set(copies.layers)))
    more = [f"and {len(copies.paths) - NAMED} more"] if len(copies.paths) > NAMED else []
    return f"layer {layers}", f"{len(copies.paths)} copies", ", ".join([*map(harmless, copies.paths[:NAMED]), *more])


def made_by(measured: Measured, layer: LayerSize) -> str:
    """Return where a layer is from: the base, or the line of the Dockerfile."""
    if layer.base:
        return "base"
    return f"{measured.dockerfile}:{layer.line}" if layer.line else ""
