"""What an audit says: proofs, the verdict that follows from them, and the report of them all."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

SHOWN_PROOFS = 3


class Severity(StrEnum):
    """How much a broken rule matters."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """Its place from 0, the least."""
        return list(Severity).index(self)


class State(StrEnum):
    """What is known of a rule. What could not be examined never counts as pass."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    WAIVED = "waived"
    NOT_RUN = "not-run"


class Kind(StrEnum):
    """What one proof shows."""

    HOLDS = "holds"
    BROKEN = "broken"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a person can check a proof.

    Attributes:
        subject: What to look at: a JSON path of the image's configuration (`Config.User`), a file of the image
            (`/usr/bin/su`), a request (`GET /ready`), an instruction (`USER 1000:1000`).
        file: A file of the project, from its root; empty where there is none.
        line: Its line, from 1; 0 where none is meant.
        layer: Index of the layer that holds the file of the image; the report names the instruction that made it.
    """

    subject: str
    file: str = ""
    line: int = 0
    layer: int | None = None


@dataclass(frozen=True, kw_only=True)
class Proof:
    """One thing that was seen, in a sentence with its values, and where."""

    kind: Kind
    text: str
    place: Place | None = None


def holds(text: str, place: Place | None = None) -> Proof:
    """Return the proof that something is as the rule wants it."""
    return Proof(kind=Kind.HOLDS, text=text, place=place)


def broken(text: str, place: Place | None = None) -> Proof:
    """Return the proof that something is not as the rule wants it."""
    return Proof(kind=Kind.BROKEN, text=text, place=place)


def unknown(text: str, place: Place | None = None) -> Proof:
    """Return why something could not be examined; the rule then cannot pass."""
    return Proof(kind=Kind.UNKNOWN, text=text, place=place)


@dataclass(frozen=True, kw_only=True)
class Waiver:
    """A failure that somebody answers for until a day."""

    reason: str
    expires: date


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What is known of one rule, and why.

    Attributes:
        rule: Its id, for instance SEED-05.
        reason: Why it was not run or is waived, or that its waiver has expired; empty otherwise.
    """

    rule: str
    title: str
    severity: Severity
    state: State
    proofs: tuple[Proof, ...]
    reason: str = ""

    @property
    def family(self) -> str:
        """The letters before the dash, for instance SEED."""
        return self.rule.partition("-")[0]

    def of(self, kind: Kind) -> tuple[Proof, ...]:
        """The proofs of one kind."""
        return tuple(proof for proof in self.proofs if proof.kind is kind)

    @property
    def evidence(self) -> str:
        """The proofs that decided, in one line."""
        decisive = {State.PASS: Kind.HOLDS, State.NOT_RUN: Kind.UNKNOWN}.get(self.state, Kind.BROKEN)
        told = [proof.text for proof in self.of(decisive)]
        more = f" (and {len(told) - SHOWN_PROOFS} more)" if len(told) > SHOWN_PROOFS else ""
        shown = "; ".join(told[:SHOWN_PROOFS]) + more
        return f"{self.reason} {shown}".strip() if self.state is State.WAIVED else shown or self.reason


@dataclass(frozen=True, kw_only=True)
class Report:
    """All verdicts on one subject.

    Attributes:
        image: The reference that was audited; empty if none was.
        digest: Its digest.
        dockerfile: Path from the project's root; empty if none was read.
        seconds: How long the audit took.
    """

    image: str
    digest: str
    dockerfile: str
    seconds: float
    verdicts: tuple[Verdict, ...]

    def of(self, state: State) -> tuple[Verdict, ...]:
        """The verdicts of one state."""
        return tuple(verdict for verdict in self.verdicts if verdict.state is state)

    def failures(self, least: Severity) -> tuple[Verdict, ...]:
        """The failed rules of at least this severity."""
        return tuple(verdict for verdict in self.of(State.FAIL) if verdict.severity.rank >= least.rank)

    @property
    def families(self) -> dict[str, tuple[Verdict, ...]]:
        """The verdicts by family, in the order in which they came."""
        names = dict.fromkeys(verdict.family for verdict in self.verdicts)
        return {name: tuple(each for each in self.verdicts if each.family == name) for name in names}


def fingerprint(rule: str, proof: Proof) -> str:
    """Return what names a finding for as long as it is the same one, wherever its line moves to."""
    subject = proof.place.subject if proof.place else proof.text
    return hashlib.sha256(f"{rule}\n{subject}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
