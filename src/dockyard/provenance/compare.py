"""A provenance beside the build that it is of: what it should say and does not, says besides, or says differently."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from dockyard.build.anchor import read
from dockyard.plan.labels import OCI

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dockyard.plan import BuildPlan
    from dockyard.provenance.statement import Material, Statement

Kind = Literal["missing", "extra", "different"]
# docker adds them of its own accord, from the user's configuration.
PROXIES = {f"{name}_PROXY" for name in ("HTTP", "HTTPS", "FTP", "NO", "ALL")}
COMMIT = f"{OCI}.revision"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing in which a provenance is not what it should be; values are shown only where they are no arguments."""

    kind: Kind
    subject: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.kind}: {self.subject}{f', {self.detail}' if self.detail else ''}"


def compare(statement: Statement, plan: BuildPlan, *, digest: str, args: Mapping[str, str]) -> tuple[Finding, ...]:
    """Return every finding: none if the provenance is of this image and this build.

    Args:
        statement: The provenance.
        plan: The build.
        digest: Of the image that it should be about.
        args: Build arguments, as they were sent.
    """
    found = [*_subject(statement, digest), *_materials(statement, plan)]
    if statement.whole:
        told = {name: value for name, value in statement.args.items() if name.upper() not in PROXIES or name in args}
        found += _pairs("the build argument", args, told)
        found += _pairs("the label", plan.labels, statement.labels)
    return tuple(found)


def _subject(statement: Statement, digest: str) -> Iterator[Finding]:
    if digest not in statement.subjects:
        yield Finding(
            kind="different", subject="the image", detail=f"it is of {_list(statement.subjects)}, not {digest}"
        )


def _pairs(what: str, wanted: Mapping[str, str], told: Mapping[str, str]) -> Iterator[Finding]:
    for name in sorted(wanted.keys() | told.keys()):
        subject = "the commit" if name == COMMIT else f"{what} {name}"
        if name not in told:
            yield Finding(kind="missing", subject=subject)
        elif name not in wanted:
            yield Finding(kind="extra", subject=subject)
        elif wanted[name] != told[name]:
            detail = f"{told[name]}, not {wanted[name]}" if name == COMMIT else ""
            yield Finding(kind="different", subject=subject, detail=detail)


def _materials(statement: Statement, plan: BuildPlan) -> Iterator[Finding]:
    """Yield what differs between the images that the Dockerfile names and those that went in."""
    text, dockerfile = read(plan)
    if dockerfile is None:
        return
    needed = {each.index for each in dockerfile.needed(dockerfile.built(plan.target))}
    named = {_name(each) for each in (*(each.reference for each in dockerfile.outside), *plan.images.values())}
    for each in {each.reference: each for each in dockerfile.outside if each.stage in needed}:
        # What is pinned stands in the place of its name.
        wanted = plan.images.get(each, each)
        lent = plan.lent.get(each, "").rpartition("@")[2]
        yield from _image(wanted, wanted.partition("@")[2] or lent, statement.materials)
    for material in statement.materials:
        known = material.name in named if material.is_image else material.uri.partition("#")[0] in text
        if not known:
            yield Finding(kind="extra", subject=material.uri, detail="no line of the Dockerfile names it")


def _image(reference: str, digest: str, materials: tuple[Material, ...]) -> Iterator[Finding]:
    """Look for an image that the build was to be made of, and for its digest if that is known."""
    alike = [each for each in materials if each.is_image and each.name == _name(reference)]
    if not alike:
        yield Finding(kind="missing", subject=reference)
    elif digest and not any(digest in each.digests for each in alike):
        told = _list(frozenset().union(*(each.digests for each in alike)))
        yield Finding(kind="different", subject=reference, detail=f"it was built from {told}")


def _name(reference: str) -> str:
    """Return an image's name without tag and digest, as a package URL has it."""
    name = reference.partition("@")[0]
    name = name.rpartition(":")[0] if ":" in name.rpartition("/")[2] else name
    return name.removeprefix("docker.io/").removeprefix("library/")


def _list(digests: frozenset[str]) -> str:
    return " and ".join(sorted(digests)) or "nothing"
