"""What a rule is: its name and weight, a docstring that explains it, and parts that examine evidence."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, ClassVar, cast

from dockyard.audit.evidence import Missing
from dockyard.audit.verdict import Kind, Proof, Severity, State, Verdict, unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from types import ModuleType

    Part = Callable[..., Iterable[Proof]]

PART = "_examines"


def part(examine: Part) -> Part:
    """Mark a method as a part of its rule: it gets the evidence that its parameters name, and yields proofs.

    A part of which some evidence is missing is not called, and its rule cannot pass.
    """
    names = tuple(inspect.signature(examine).parameters)[1:]
    setattr(examine, PART, names)
    return examine


class Rule:
    """One claim about an image.

    A subclass has a docstring: a first sentence that says what must hold, a paragraph on why, and a last paragraph
    that begins with `Remedy:`. `invoke audit --explain ID` prints it.

    Attributes:
        id: Family and number, for instance `SEED-05`.
        title: What must hold, in a few words.
        severity: How much it matters.
        references: Standards that ask for it, for instance `CIS 4.1`.
    """

    id: ClassVar[str]
    title: ClassVar[str]
    severity: ClassVar[Severity]
    references: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def parts(cls) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield the methods that examine, in the order they are written, each with the evidence it names."""
        for name, member in vars(cls).items():
            if hasattr(member, PART):
                yield name, getattr(member, PART)

    @classmethod
    def needs(cls) -> frozenset[str]:
        """Return the names of all evidence that the rule can use."""
        return frozenset(name for _, names in cls.parts() for name in names)

    def check(self, evidence: Mapping[str, object]) -> Verdict:
        """Examine what was gathered: pure, and the same evidence gives the same verdict."""
        proofs: list[Proof] = []
        for method, names in self.parts():
            missing = [each for name in names if isinstance(each := evidence.get(name, Missing(name)), Missing)]
            if missing:
                proofs.append(unknown(missing[0].reason))
            else:
                examine = cast("Part", getattr(self, method))
                proofs += examine(*(evidence[name] for name in names))
        return Verdict(
            rule=self.id, title=self.title, severity=self.severity, state=_state(proofs), proofs=_distinct(proofs),
            reason="" if proofs else "There was nothing to examine.",
        )  # fmt: skip


def _state(proofs: list[Proof]) -> State:
    """A broken proof decides; else whatever could not be examined does; without any proof nothing is known."""
    kinds = {proof.kind for proof in proofs}
    if Kind.BROKEN in kinds:
        return State.FAIL
    return State.PASS if kinds == {Kind.HOLDS} else State.NOT_RUN


def _distinct(proofs: list[Proof]) -> tuple[Proof, ...]:
    """Drop repetitions: several parts may miss the same evidence."""
    return tuple(dict.fromkeys(proofs))


def rules_of(module: ModuleType) -> tuple[type[Rule], ...]:
    """Return the rules that a module defines, in the order they are written."""
    found = (each for each in vars(module).values() if isinstance(each, type) and issubclass(each, Rule))
    return tuple(each for each in found if each.__module__ == module.__name__)
