"""The budgets of [tool.dockyard.size], held against an image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockyard.errors import AuditError
from dockyard.size.distributions import normalised
from dockyard.units import amount, limit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dockyard.settings.audits import Size
    from dockyard.size.measure import LayerSize, Measured
    from dockyard.size.waste import Act

# Of an instruction.
LETTERS = 60
SHOWN = 3


@dataclass(frozen=True, kw_only=True)
class Breach:
    """A budget that is not met, or that cannot be held against anything.

    Attributes:
        key: Of the setting, for instance `size.total`.
        budget: As it is written.
        allowed: The same in bytes.
        bytes: What there is; None where that cannot be told.
        place: Where most of it is, or why it cannot be told.
    """

    key: str
    budget: str
    allowed: int
    bytes: int | None
    place: str

    @property
    def sentence(self) -> str:
        """One line for people."""
        wanted = f'{self.key} = "{self.budget}" ({amount(self.allowed)})'
        if self.bytes is None:
            return f"{wanted}: {self.place}"
        return f"{wanted}: {amount(self.bytes)}, {amount(self.bytes - self.allowed)} too much; {self.place}"


def check(measured: Measured, budgets: Size) -> tuple[Breach, ...]:
    """Return every budget that is not met."""
    waste = measured.waste
    figures = {
        "total": (measured.total, f"most is {_most(_layers(measured))}"),
        "over_base": (measured.over_base, f"most is {_most(_layers(measured, own=True))}"),
        "wasted": (waste.total, f"most is {_most(_wasted(measured))}"),
    }
    found: list[Breach] = []
    for name, (count, place) in figures.items():
        unknown = count is None and "the base of the image is not known, so nothing can be said"
        found += _one(f"size.{name}", getattr(budgets, name), count, unknown or place)
    for name, size in _layers(measured, own=True).items():
        found += _one("size.layer", budgets.layer, size, name)
    for name, budget in budgets.distributions.items():
        found += _distribution(measured, name, budget)
    return tuple(found)


def require(breaches: tuple[Breach, ...]) -> None:
    """Raise AuditError if a budget is not met."""
    if not breaches:
        return
    count = "A budget is not met." if len(breaches) == 1 else f"{len(breaches)} budgets are not met."
    raise AuditError(
        count,
        "\n".join(each.sentence for each in breaches),
        "Make it smaller, or raise the budget in [tool.dockyard.size] if it is worth it.",
    )


def _one(key: str, budget: str, count: int | None, place: str) -> Iterator[Breach]:
    allowed = limit(budget) if budget else 0
    if budget and (count is None or count > allowed):
        yield Breach(key=key, budget=budget, allowed=allowed, bytes=count, place=place)


def _distribution(measured: Measured, name: str, budget: str) -> Iterator[Breach]:
    """Hold the budget of a distribution against all installs of it."""
    key = f"size.distributions.{name}"
    installs = [each for each in measured.distributions if each.key == normalised(name)]
    if not installs:
        yield from _one(key, budget, None, "the image has no distribution of this name")
        return
    place = ", ".join(f"{each.name} {each.version} in {each.place}" for each in installs)
    yield from _one(key, budget, sum(each.bytes for each in installs), place)


def _layers(measured: Measured, *, own: bool = False) -> Mapping[str, int]:
    """Return the bytes of each layer, or of each on top of the base, by a name that leads to it."""
    return {_named(measured, each): each.bytes for each in measured.layers if not (own and each.base)}


def _named(measured: Measured, layer: LayerSize) -> str:
    line = f", {measured.dockerfile}:{layer.line}" if layer.line else ""
    return f"layer {layer.index}{line}, {layer.instruction[:LETTERS]}"


def _wasted(measured: Measured) -> Mapping[str, int]:
    copies = {
        f"{each.paths[-1]}, a copy of {each.paths[0]},": each.wasted for each in measured.waste.duplicates[:SHOWN]
    }
    return copies | {_hidden(measured, each): each.bytes for each in measured.waste.acts[:SHOWN]}


def _hidden(measured: Measured, act: Act) -> str:
    more = f" and {len(act.files) - 1} more" if len(act.files) > 1 else ""
    by = _named(measured, measured.layers[act.by])
    return f"{act.files[0].path}{more} of layer {act.layer}, {act.how} by {by},"


def _most(sizes: Mapping[str, int]) -> str:
    if not sizes:
        return "nothing"
    name = max(sizes, key=lambda each: sizes[each])
    return f"{name} with {amount(sizes[name])}"
