"""The licence policy of [tool.dockyard.sbom], held against a bill."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from dockyard.errors import AuditError
from dockyard.image.notes import shown
from dockyard.sbom.bill import LICENSED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dockyard.sbom.bill import Bill, Component
    from dockyard.settings.sboms import Sbom

SHOWN = 20
NONE = "no licence is known, so `allow` cannot have it"


@dataclass(frozen=True, kw_only=True)
class Violation:
    """A package whose licences the policy does not let in.

    Attributes:
        faults: Which licences, and by which list, a sentence each.
    """

    component: Component
    faults: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """One line for people: which package, where, and which licences."""
        where = f" in {self.component.place}" if self.component.place else ""
        told = shown(f"{self.component.told} ({self.component.kind}){where}")
        return f"{told}: {'; '.join(map(shown, self.faults))}"


def check(bill: Bill, policy: Sbom) -> tuple[Violation, ...]:
    """Return every package that the policy does not let in; without lists, none."""
    if not policy.allow and not policy.deny:
        return ()
    packages = [each for each in bill.components if each.kind in LICENSED and not _excepted(each, policy)]
    found = ((each, tuple(dict.fromkeys(_faults(each, policy)))) for each in packages)
    return tuple(Violation(component=each, faults=faults) for each, faults in found if faults)


def require(violations: Sequence[Violation]) -> None:
    """Raise AuditError if there is a violation."""
    if not violations:
        return
    lines = [each.sentence for each in violations[:SHOWN]]
    if violations[SHOWN:]:
        lines.append(f"and {len(violations) - SHOWN} more packages")
    count = len(violations)
    raise AuditError(
        "A package's licence is not allowed." if count == 1 else f"The licences of {count} packages are not allowed.",
        "\n".join(lines),
        'Replace it, or say in [tool.dockyard.sbom] why it may stay: exceptions = { "name" = "the reason" }.',
    )


def _excepted(component: Component, policy: Sbom) -> bool:
    """Whether an exception names a package: by its name, a pattern, or with its kind, as in `deb:*`."""
    name = str(canonicalize_name(component.name))
    patterns = [str(canonicalize_name(each)) for each in policy.exceptions]
    return any(fnmatchcase(name, each) or fnmatchcase(f"{component.kind}:{name}", each) for each in patterns)


def _faults(component: Component, policy: Sbom) -> Iterator[str]:
    """Yield why a package's licences are not let in."""
    if not component.licences and policy.allow:
        yield NONE
    for licence in component.licences:
        tree = _tree(licence.text) if licence.spdx else None
        for fault in _offences(licence.text, policy) if tree is None else _walked(tree, policy):
            yield fault if fault.startswith(licence.text) else f"{licence.text}: {fault}"


def _walked(tree: Any, policy: Sbom) -> list[str]:
    """Follow an expression: every part of an AND must be let in, and one of an OR."""
    if not getattr(tree, "operator", ""):
        return _offences(str(tree), policy)
    faults = [_walked(each, policy) for each in tree.args]
    if tree.operator.strip() == "OR" and not all(faults):
        return []
    return [fault for each in faults for fault in each]


def _offences(name: str, policy: Sbom) -> list[str]:
    """Return why one licence is not let in; nothing if it is."""
    denied = next((each for each in policy.deny if _matches(name, each)), "")
    if denied:
        return [f"{name} is denied" if denied == name else f"{name} is denied by {denied}"]
    allowed = not policy.allow or any(_matches(name, each) for each in policy.allow)
    return [] if allowed else [f"{name} is not in `allow`"]


def _matches(name: str, pattern: str) -> bool:
    """Whether a licence is meant: with its exception, or by its own id alone where the pattern names none."""
    low, wanted = name.lower(), pattern.lower()
    return fnmatchcase(low, wanted) or fnmatchcase(low.partition(" with ")[0], wanted)


@lru_cache(maxsize=4096)
def _tree(expression: str) -> Any:
    """Return an expression's tree; None if it is none."""
    from license_expression import ExpressionError, Licensing  # type: ignore[import-untyped]  # noqa: PLC0415

    try:
        return Licensing().parse(expression)
    except ExpressionError:
        return None
