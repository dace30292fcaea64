"""SUP: where the image comes from, and who says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockyard.audit.facts.configured import ours, table
from dockyard.audit.rule import Rule, part
from dockyard.audit.verdict import Place, Severity, broken, holds, unknown
from dockyard.plan.labels import OCI
from dockyard.provenance import statements

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.audit.read import BaseFacts, PinnedImage
    from dockyard.audit.scans import Scan
    from dockyard.audit.verdict import Proof
    from dockyard.image import Image
    from dockyard.settings import Settings

COMMIT = f"{OCI}.revision"


class Provenance(Rule):
    """The image carries its provenance: a SLSA statement of this digest that names what is pinned and its commit.

    Without it nobody can tell which sources and which base an image in a registry was made of. An image of this project
    that was built here without it and is in no registry is not judged. One that comes from a registry and has none
    fails. The commit is looked for where the statement tells how the build was asked for (mode max). What a laptop says
    of its own build is SLSA L1 at best.

    Remedy: Build what is pushed with `invoke build --provenance max`, or set `provenance` in [tool.dockyard.build].
    """

    id = "SUP-04"
    title = "Provenance attached"
    severity = Severity.MEDIUM
    references = ("SLSA Build L1",)

    @part
    def attached(self, image: Image, settings: Settings) -> Iterator[Proof]:
        """There is a statement of this image."""
        place = Place(subject="attestations")
        found = tuple(statements(image.attestations))
        if not found and ours(image, settings) and not from_registry(image.reference):
            yield unknown("No provenance is attached: the image was built here and is in no registry.")
        elif not found:
            yield broken("no provenance is attached", place)
        for each in found:
            if image.digest in each.subjects:
                yield holds(f"{each.kind} is of {image.digest}", place)
            else:
                yield broken(f"{each.kind} is of {sorted(each.subjects)}, not of this image", place)

    @part
    def materials(self, image: Image, base: BaseFacts) -> Iterator[Proof]:
        """The statement names the base's digest."""
        yield from _named(image, "the base", base.reference, base.digest)

    @part
    def pinned(self, image: Image, pins: tuple[PinnedImage, ...]) -> Iterator[Proof]:
        """It names that of every other image that is pinned and that the build uses."""
        for each in pins:
            if each.used:
                yield from _named(image, "the pinned", each.reference, each.digest)

    @part
    def commit(self, image: Image) -> Iterator[Proof]:
        """The statement names the commit that the image's label names."""
        labelled = table(image, "Labels").get(COMMIT)
        for each in statements(image.attestations):
            told = each.labels.get(COMMIT, "")
            if each.whole and labelled and told == labelled:
                yield holds(f"the provenance names the commit {labelled}", Place(subject=COMMIT))
            elif each.whole and labelled:
                yield broken(
                    f"the provenance names the commit {told or 'of nothing'}, the label {labelled}",
                    Place(subject=COMMIT),
                )


def _named(image: Image, what: str, reference: str, digest: str) -> Iterator[Proof]:
    """Yield whether each statement names a digest among what the image was made of."""
    for each in statements(image.attestations):
        proof = holds if any(digest in material.digests for material in each.materials) else broken
        names = "names" if proof is holds else "does not name"
        yield proof(f"the provenance {names} {what} {reference} {digest}", Place(subject="materials"))


def from_registry(reference: str) -> bool:
    """Whether a reference begins with a registry's host, or has a digest, which only registries give."""
    first, slash, _ = reference.partition("/")
    return "@" in reference or bool(slash and ("." in first or ":" in first or first == "localhost"))


class Signed(Rule):
    """A signature of this digest was verified with cosign, and the result is given with `--import`.

    A registry that was broken into serves whatever it is told to; a signature that is verified before the deployment
    shows that it still serves what was released. The file is as trustworthy as who ran `cosign verify`. Docker Content
    Trust, which CIS 4.5 asks for, has ended.

    Remedy: `cosign verify IMAGE@sha256:… --certificate-identity … > cosign.json` in the deployment, and
    `invoke audit --import cosign.json`.
    """

    id = "SUP-05"
    title = "Signature verified before deploy"
    severity = Severity.MEDIUM
    references = ("CIS 4.5", "CIS 4.12", "OWASP Docker 13")

    @part
    def verified(self, scans: tuple[Scan, ...], image: Image) -> Iterator[Proof]:
        """A verification names this digest."""
        verified = [scan for scan in scans if scan.tool == "cosign"]
        if not verified:
            yield unknown("No result of `cosign verify` was imported.")
        for scan in verified:
            place = Place(subject=scan.subject, file=scan.path, line=1)
            signed = ", ".join(sorted(scan.digests))
            if image.digest and image.digest in scan.digests:
                yield holds(f"a signature of {image.digest} was verified", place)
            else:
                yield broken(f"the signature is of {signed}, this image is {image.digest or 'without a digest'}", place)
