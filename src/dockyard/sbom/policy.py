"""The licence policy of [tool.dockyard.sbom], held against a bill."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from dockyard.errors import AuditError
from dockyard.image.notes import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dockyard.sbom.bill import Bill, Component, Licence
    from dockyard.settings.sboms import Sbom

SHOWN = 20
NONE = "no licence is known"


@dataclass(frozen=True, kw_only=True)
class Violation:
    """A package whose licence the policy does not let in.

    Attributes:
        licence: As it is told; of a choice, the whole of it.
        why: Which list it offends.
    """

    component: Component
    licence: str
    why: str

    @property
    def sentence(self) -> str:
        """One line for people."""
        where = f" in {self.component.place}" if self.component.place else ""
        told = f"{self.component.told} ({self.component.kind}){where}"
        return shown(f"{told}: {self.why}" if self.licence in self.why else f"{told}: {self.licence}: {self.why}")


def check(bill: Bill, policy: Sbom) -> tuple[Violation, ...]:
    """Return every package that the policy does not let in; without lists, none."""
    if not policy.allow and not policy.deny:
        return ()
    excepted = {str(canonicalize_name(name)) for name in policy.exceptions}
    packages = [each for each in bill.components if each.kind not in {"base", "system", "model"}]
    wanted = (each for each in packages if canonicalize_name(each.name) not in excepted)
    return tuple(violation for each in wanted for violation in _check(each, policy))


def require(violations: Sequence[Violation]) -> None:
    """Raise AuditError if there is a violation."""
    if not violations:
        return
    lines = [each.sentence for each in violations[:SHOWN]]
    if violations[SHOWN:]:
        lines.append(f"and {len(violations) - SHOWN} more")
    count = len({each.component.ref for each in violations})
    raise AuditError(
        "A package's licence is not allowed." if count == 1 else f"The licences of {count} packages are not allowed.",
        "\n".join(lines),
        'Replace the package, or say in [tool.dockyard.sbom] why it may stay: exceptions = { "name" = "the reason" }.',
    )


def _check(component: Component, policy: Sbom) -> Iterator[Violation]:
    if not component.licences and policy.allow:
        yield Violation(component=component, licence=NONE, why="`allow` has licences only")
    for licence in component.licences:
        why = _fault(licence, policy)
        if why:
            yield Violation(component=component, licence=licence.text, why=why)


def _fault(licence: Licence, policy: Sbom) -> str:
    """Return why a licence is not let in; empty if it is. Of a choice, one that is let in is enough."""
    tree = _tree(licence.text) if licence.spdx else None
    if tree is None:
        return _offence(licence.text, policy)
    return _walked(tree, policy)


def _walked(tree: Any, policy: Sbom) -> str:
    """Follow an expression: every part of an AND must be let in, and one of an OR."""
    if not getattr(tree, "operator", ""):
        return _offence(str(tree), policy)
    faults = [_walked(each, policy) for each in tree.args]
    if tree.operator.strip() == "OR" and not all(faults):
        return ""
    return next(filter(None, faults), "")


def _offence(name: str, policy: Sbom) -> str:
    """Return why one licence is not let in; empty if it is."""
    denied = next((each for each in policy.deny if _matches(name, each)), "")
    if denied:
        return f"{name} is denied by {denied}" if denied != name else f"{name} is denied"
    if policy.allow and not any(_matches(name, each) for each in policy.allow):
        return f"{name} is not in `allow`"
    return ""


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
