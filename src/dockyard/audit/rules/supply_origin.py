"""SUP: where the image comes from, and who says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dockyard.audit.facts.configured import ours
from dockyard.audit.rule import Rule, part
from dockyard.audit.verdict import Place, Severity, broken, holds, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dockyard.audit.read import BaseFacts
    from dockyard.audit.scans import Scan
    from dockyard.audit.verdict import Proof
    from dockyard.image import Image
    from dockyard.settings import Settings

SLSA = "https://slsa.dev/provenance/v"


class Provenance(Rule):
    """The image carries its provenance: a SLSA statement of this digest that names the base it was built from.

    Without it nobody can tell which sources and which base an image in a registry was made of. An image of this project
    that was built here and is in no registry is not judged: the engine's own builder attaches nothing. One that comes
    from a registry and has none fails. What a laptop says of its own build is SLSA L1 at best.

    Remedy: Build what is pushed with `--provenance=mode=max` on a docker-container builder, and push it with that.
    """

    id = "SUP-04"
    title = "Provenance attached"
    severity = Severity.MEDIUM
    references = ("SLSA Build L1",)

    @part
    def attached(self, image: Image, settings: Settings) -> Iterator[Proof]:
        """There is a statement of this image."""
        place = Place(subject="attestations")
        found = _provenance(image)
        if not found and ours(image, settings) and not from_registry(image.reference):
            yield unknown("No provenance is attached: the image was built here and is in no registry.")
        elif not found:
            yield broken("no provenance is attached", place)
        for each in found:
            subjects = [_sha256(subject) for subject in _tables(each.get("subject"))]
            kind = str(each["predicateType"])
            if image.digest.removeprefix("sha256:") in filter(None, subjects):
                yield holds(f"{kind} is of {image.digest}", place)
            else:
                yield broken(f"{kind} is of {subjects}, not of this image", place)

    @part
    def materials(self, image: Image, base: BaseFacts) -> Iterator[Proof]:
        """The statement names the base's digest."""
        for each in _provenance(image):
            named = {_sha256(material) for material in _materials(each)}
            proof = holds if base.digest.removeprefix("sha256:") in named else broken
            names = "names" if proof is holds else "does not name"
            yield proof(f"the provenance {names} the base {base.reference} {base.digest}", Place(subject="materials"))


def from_registry(reference: str) -> bool:
    """Whether a reference begins with a registry's host, or has a digest, which only registries give."""
    first, slash, _ = reference.partition("/")
    return "@" in reference or bool(slash and ("." in first or ":" in first or first == "localhost"))


def _provenance(image: Image) -> list[Mapping[str, Any]]:
    return [each for each in image.attestations if str(each.get("predicateType")).startswith(SLSA)]


def _tables(value: object) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _sha256(resource: Mapping[str, Any]) -> str:
    digest = resource.get("digest")
    return str(digest.get("sha256") or "") if isinstance(digest, dict) else ""


def _materials(statement: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return what a build was made of: of version 1 in the definition, before that in the predicate itself."""
    predicate = statement.get("predicate")
    predicate = predicate if isinstance(predicate, dict) else {}
    definition = predicate.get("buildDefinition")
    definition = definition if isinstance(definition, dict) else {}
    return _tables(predicate.get("materials")) + _tables(definition.get("resolvedDependencies"))


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
