"""SEED-02 and SEED-05: what goes into a build. The base is the one that was chosen, and no secret file comes along."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from dockyard.audit.facts.configured import key, table
from dockyard.audit.rule import Rule, part
from dockyard.audit.verdict import Place, Severity, broken, holds
from dockyard.context import CANARIES
from dockyard.machine.names import HOST
from dockyard.plan import OCI

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.audit.read import BaseFacts, PinnedImage
    from dockyard.audit.trials import CanaryBuild
    from dockyard.audit.verdict import Proof
    from dockyard.context import Ignore
    from dockyard.dockerfile import Dockerfile
    from dockyard.image import Image
    from dockyard.settings import Settings

DIGEST_LABEL = f"{OCI}.base.digest"
PINNED = re.compile(r"(?P<name>[^@]+):(?P<tag>[\w][\w.-]*)@(?P<digest>sha256:[0-9a-f]{64})")
NAMED_SECRET = re.compile(r"\.env(\..+)?|\.envrc|id_(rsa|dsa|ecdsa|ed25519)")
GIT = re.compile(r"(^|/)\.git/")
SHOWN_DIGEST = 19


class BasePinned(Rule):
    """Every image that the build takes from outside is held by tag and digest, and comes from an allowed registry.

    A tag alone moves: tomorrow's build of the same commit stands on another system, and nobody decided so. What
    `invoke pin` keeps is as good as a digest in the Dockerfile, since every build stands on it. A base that was
    assembled on a machine has no registry that could move it; there the image itself proves which one it has: by its
    label, and by its lowest layers, which must be that base's own.

    Remedy: `invoke pin`, or `FROM name:tag@sha256:…`; list its registry in `audit.registries`.
    """

    id = "SEED-02"
    title = "Base image pinned by tag and digest, from an allowed registry"
    severity = Severity.HIGH
    references = (
        "CIS 4.2", "hadolint DL3006", "hadolint DL3007", "hadolint DL3026", "Trivy DS-0001", "OWASP Docker 9",
        "OWASP Docker 13", "NIST 800-190 4.1.5",
    )  # fmt: skip

    @part
    def references_pinned(
        self, dockerfile: Dockerfile, settings: Settings, pins: tuple[PinnedImage, ...]
    ) -> Iterator[Proof]:
        """FROM, COPY --from, RUN --mount and # syntax."""
        allowed = settings.audit.registries
        kept = {each.reference: f"{each.reference}@{each.digest}" for each in pins}
        outside = dockerfile.externals()
        for each in outside:
            place = Place(subject=f"{each.why} {each.reference}", file=dockerfile.name, line=each.line)
            if not any(_within(each.reference, prefix) for prefix in allowed):
                yield broken(f"{each.reference} comes from none of {', '.join(allowed)}", place)
            elif PINNED.fullmatch(each.reference):
                yield holds(f"{each.why} {each.reference}", place)
            elif PINNED.fullmatch(kept.get(each.reference, "")):
                told = f"{settings.pin.file} has its digest, {_short(kept[each.reference].partition('@')[2])}"
                yield holds(f"{each.why} {each.reference}: {told}", place)
            elif _within(each.reference, HOST):
                yield holds(f"{each.why} {each.reference}: assembled, so no registry can move it", place)
            else:
                lacks = "a tag" if "@" in kept.get(each.reference, each.reference) else "a digest"
                yield broken(f"{each.why} {each.reference} names no image for good: it lacks {lacks}", place)
        if not outside:
            yield holds("No image from outside is used", Place(subject="FROM", file=dockerfile.name))

    @part
    def layers(self, image: Image, base: BaseFacts) -> Iterator[Proof]:
        """The image stands on the layers of that base."""
        rootfs = image.config.get("rootfs")
        found = tuple((rootfs.get("diff_ids") if isinstance(rootfs, dict) else None) or ())
        place = Place(subject="rootfs.diff_ids")
        count = len(base.diff_ids)
        if count and found[:count] == base.diff_ids:
            yield holds(f"The lowest {count} layers are those of {base.reference}", place)
        else:
            yield broken(f"The lowest layers are not the {count} of {base.reference}", place)

    @part
    def label(self, image: Image, base: BaseFacts) -> Iterator[Proof]:
        """Its label names that base."""
        told = table(image, "Labels").get(DIGEST_LABEL)
        place = key(f"Labels.{DIGEST_LABEL}")
        if told == base.digest:
            yield holds(f"The label names the base {_short(base.digest)}", place)
        else:
            yield broken(
                f"The label names the base {_short(str(told or 'nowhere'))}; it is {_short(base.digest)}", place
            )

    @part
    def registry(self, base: BaseFacts, published: str) -> Iterator[Proof]:
        """What the registry has for the tag now; newer is no fault, but worth knowing."""
        place = Place(subject=base.reference)
        if base.assembled:
            yield holds(f"{base.reference} was assembled and is in no registry", place)
        elif published == base.digest:
            yield holds(f"The registry's {base.reference} is this one", place)
        else:
            yield holds(
                f"Stale pin: the registry has {_short(published)} by now, the build {_short(base.digest)}", place
            )


class NoSecretFiles(Rule):
    """No file that holds a secret by its name can get into a build: `.env`, `.env.*`, keys, `.git`, at any depth.

    `.env` and `.env.*` in a .dockerignore count for the context's root alone: `config/.env`, `prod.env` and `id_rsa`
    pass it, and the first `COPY . .` puts them into a layer, where they stay though a later step deletes them.

    Remedy: deny all with `*`, allow what the Dockerfile copies, and end with `**/.env`, `**/.env.*` and their like.
    """

    id = "SEED-05"
    title = "No .env, key or .git can enter the context"
    severity = Severity.HIGH
    references = ("CIS 4.10", "NIST 800-190 4.1.4", "OWASP Docker 12")

    @part
    def ignored(self, context: Ignore) -> Iterator[Proof]:
        """What the .dockerignore says of the canaries."""
        name = context.file.name if context.file else ".dockerignore"
        admitted = [path for path in CANARIES if context.admits(path)]
        for path in admitted:
            pattern = context.deciding(path)
            told = f"line {pattern.line}" if pattern else "no line of it"
            place = Place(subject=path, file=name, line=pattern.line if pattern else 0)
            yield broken(f"{name} admits {path}: {told} decides", place)
        if not admitted:
            yield holds(f"{name} keeps out all of {len(CANARIES)} canary paths", Place(subject=name, file=name))

    @part
    def built(self, canary_build: CanaryBuild) -> Iterator[Proof]:
        """What a real build copied."""
        for path in canary_build.arrived:
            yield broken(f"A real build copied {path}", Place(subject=path, file=".dockerignore"))
        if not canary_build.arrived:
            count = len(canary_build.planted)
            yield holds(f"A real build of {count} canary files copied none", Place(subject="COPY . /"))

    @part
    def shipped(self, image: Image) -> Iterator[Proof]:
        """No layer has such a file, not even one that a later layer deletes."""
        clean = True
        for layer in image.layers:
            for entry in layer.entries.values():
                if entry.is_file and _secret(entry.path):
                    clean = False
                    yield broken(f"A layer has the file {entry.path}", Place(subject=entry.path, layer=layer.index))
        if clean:
            yield holds(f"None of {len(image.layers)} layers has such a file", Place(subject="layers"))


def _within(reference: str, prefix: str) -> bool:
    """Whether a reference's full name is below a prefix, for instance `docker.io/library`."""
    return f"{_full(reference)}/".startswith(f"{prefix.rstrip('/')}/")


def _full(reference: str) -> str:
    """Return a reference's name with its registry, without tag and digest."""
    name = reference.partition("@")[0]
    folder, slash, last = name.rpartition("/")
    name = f"{folder}{slash}{last.partition(':')[0]}"
    first, slash, _ = name.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return name
    return f"docker.io/{name}" if slash else f"docker.io/library/{name}"


def _short(digest: str) -> str:
    return f"{digest[:SHOWN_DIGEST]}…" if len(digest) > SHOWN_DIGEST else digest


def _secret(path: str) -> bool:
    return bool(NAMED_SECRET.fullmatch(posixpath.basename(path)) or GIT.search(path))
