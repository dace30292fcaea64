"""A made-up audit that the tests of its reports share."""

from __future__ import annotations

from dockyard.audit.rule import Rule
from dockyard.audit.verdict import Place, Report, Severity, State, Verdict, broken, holds, unknown

ESCAPE = "\x1b[31m"
NASTY = f"/a\udcff|`b`\n{ESCAPE}<c> & \x00\u202e\ufffe"


class NumericUser(Rule):
    """The image's user is numeric.

    Kubernetes refuses a named one.

    It also hides root.

    Remedy: Write `USER 1000:1000` as the last instruction. Then rebuild.
    """

    id = "SEED-01"
    title = "Numeric UID 1000, never root"
    severity = Severity.HIGH
    references = ("CIS 4.1", "PSS restricted")


class NoSetuid(Rule):
    """No file of the image is setuid or setgid.

    Remedy: Clear the bits.
    """

    id = "IMG-01"
    title = "No setuid or setgid file"
    severity = Severity.MEDIUM


class NoSecret(Rule):
    """No layer holds a secret.

    Remedy: Use a secret mount.
    """

    id = "SEC-01"
    title = "No secret in any layer, deleted files included"
    severity = Severity.CRITICAL


class Sane(Rule):
    """Accounts are sane."""

    id = "IMG-07"
    title = "Accounts sane"
    severity = Severity.LOW


class Zombies(Rule):
    """PID 1 reaps its children.

    Remedy: Use an init.
    """

    id = "RT-09"
    title = "PID 1 reaps children"
    severity = Severity.LOW


RULES = (NumericUser, NoSetuid, NoSecret, Sane, Zombies)


def verdict(rule: type[Rule], state: State, *proofs, reason: str = "") -> Verdict:
    """A verdict of a rule."""
    return Verdict(
        rule=rule.id, title=rule.title, severity=rule.severity, state=state, proofs=tuple(proofs), reason=reason
    )


VERDICTS = (
    verdict(
        NumericUser,
        State.FAIL,
        holds("passwd has it"),
        broken("User is `root`", Place(subject="Config.User", file="docker/Dockerfile", line=41)),
        broken("it may log in", Place(subject="/etc/passwd", layer=2)),
        broken("and somewhere"),
    ),
    verdict(
        NoSetuid,
        State.WAIVED,
        broken(f"{NASTY} is setuid: root:root 4755", Place(subject=NASTY, layer=0)),
        reason="Until 2027-01-01: the base needs it | for su",
    ),
    verdict(NoSecret, State.PASS, holds("41 layers searched", Place(subject="layers"))),
    verdict(Sane, State.NOT_RUN, unknown("The image has no /etc/passwd.")),
    verdict(Zombies, State.NOT_RUN, unknown("There is no engine: none answers.")),
)


def report(*verdicts: Verdict, **changed) -> Report:
    """The report of these verdicts, or of all."""
    facts = {"image": "shop:prod", "digest": "sha256:" + "a" * 64, "dockerfile": "docker/Dockerfile", "seconds": 12.34}
    return Report(**{**facts, **changed}, verdicts=verdicts or VERDICTS)


def many(count: int) -> Verdict:
    """A failed rule with many proofs."""
    return verdict(NoSetuid, State.FAIL, *(broken(f"/bin/{n} is setuid", Place(subject=f"/{n}")) for n in range(count)))
