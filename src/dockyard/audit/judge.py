"""Rules and evidence -> verdicts, with the waivers that somebody answers for."""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

from dockyard.audit.verdict import State
from dockyard.errors import AuditError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from dockyard.audit.rule import Rule
    from dockyard.audit.verdict import Report, Severity, Verdict
    from dockyard.settings.audits import Waiver

SHOWN = 12


def select(rules: Sequence[type[Rule]], wanted: Sequence[str]) -> tuple[type[Rule], ...]:
    """Return the rules of some ids or families, for instance `SEED-05` and `img`; all if none is named.

    Raises:
        SettingsError: There is no such rule or family.
    """
    names = [name.upper() for name in wanted]
    known = {rule.id for rule in rules} | {rule.id.partition("-")[0] for rule in rules}
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, 1)
            raise SettingsError(
                f"There is no rule {name}.",
                f"Is {near[0]} meant?" if near else "Rules are named like SEED-05, families like SEED.",
                "`invoke audit --list` names them all.",
            )
    return tuple(rule for rule in rules if not names or rule.id in names or rule.id.partition("-")[0] in names)


def judge(
    rules: Sequence[type[Rule]], evidence: Mapping[str, object], *, waivers: Mapping[str, Waiver], today: date
) -> tuple[Verdict, ...]:
    """Return one verdict for each rule."""
    return tuple(_waived(rule().check(evidence), waivers.get(rule.id), today) for rule in rules)


def _waived(verdict: Verdict, waiver: Waiver | None, today: date) -> Verdict:
    """Let a waiver stand for a failure until its day; it never makes a pass of anything."""
    if waiver is None or verdict.state is not State.FAIL:
        return verdict
    if waiver.expires < today:
        return replace(verdict, reason=f"Its waiver expired on {waiver.expires}.")
    return replace(verdict, state=State.WAIVED, reason=f"Until {waiver.expires}: {waiver.reason}")


def require_known(rules: Sequence[type[Rule]], waivers: Mapping[str, Waiver]) -> None:
    """Raise SettingsError for a waiver of a rule that does not exist: it would hide nothing and look as if it did."""
    unknown = sorted(set(waivers) - {rule.id for rule in rules})
    if unknown:
        raise SettingsError(
            f"There is no rule {unknown[0]} to waive.",
            "[tool.dockyard.audit.waivers] names it.",
            "`invoke audit --list` names all rules.",
        )


def require(report: Report, *, least: Severity, everything: bool) -> None:
    """Raise AuditError if a rule of at least this severity failed.

    Args:
        report: Of the audit.
        least: The least severity that counts.
        everything: Whether a rule that was not run counts as a failed one.
    """
    failed = list(report.failures(least))
    if everything:
        failed += [each for each in report.of(State.NOT_RUN) if each.severity.rank >= least.rank]
    if not failed:
        return
    told = [f"{each.rule} ({each.severity}, {each.state}): {each.evidence}" for each in failed[:SHOWN]]
    told += [f"and {len(failed) - SHOWN} more"] if len(failed) > SHOWN else []
    raise AuditError(
        f"{len(failed)} of {len(report.verdicts)} rules of severity {least} or more do not hold.",
        "\n".join(told),
        f"`invoke audit --explain {failed[0].rule}` says why it matters and what to do.",
    )
