"""An image that was read -> the bill of what is in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dockyard.image.documents import mapping, text
from dockyard.image.notes import MAX_KEPT_FILE, shown
from dockyard.sbom import alpine, debian, distributions, interpreters, licences, models, system
from dockyard.sbom.bill import KINDS, Bill, Component, clean
from dockyard.sbom.purls import purl

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dockyard.image import Image

OCI = "org.opencontainers.image"
NEEDED = re.compile(
    r"/etc/os-release|/usr/lib/os-release|/var/lib/dpkg/(status|status\.d/[^/]+)|(/usr)?/lib/apk/db/installed"
    r"|/usr/share/doc/[^/]+/copyright|.*/include/python3[^/]*/patchlevel\.h|.*/pyvenv\.cfg"
    r"|.*\.dist-info/(METADATA|INSTALLER|direct_url\.json)|.*\.egg-info(/PKG-INFO)?",
    re.DOTALL,
)
# Packages that are in no file that is read here.
RPM = re.compile(r"(/usr/lib/sysimage|/var/lib)/rpm/(rpmdb\.sqlite|Packages(\.db)?)")
# A title may be a sentence; one that is a name is the same whatever the image was asked for as.
NAME = re.compile(r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*")
DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
ORDER = list(KINDS)


def keeps(path: str, size: int, patterns: Sequence[str]) -> bool:
    """Whether a file's bytes are needed here, for what `dockyard.image.read` takes as `keep`.

    Args:
        path: In the image.
        size: In bytes.
        patterns: Of models; one that is larger than what is kept is listed without its card.
    """
    if NEEDED.fullmatch(path):
        return True
    return size <= MAX_KEPT_FILE and models.is_model(path, patterns) and not path.endswith(models.LISTS)


def bill(image: Image, patterns: Sequence[str] = ()) -> Bill:
    """Return what is in an image that was read with `keeps`.

    Args:
        image: That image.
        patterns: Of its models.
    """
    told = mapping(mapping(image.config.get("config")).get("Labels"))
    labels = {name: clean(text(value)) for name, value in told.items()}
    name, tag = _named(image.reference)
    title = labels.get(f"{OCI}.title", "")
    licence = labels.get(f"{OCI}.licenses", "").strip()
    # What two records of one folder name is one thing.
    there = {each.ref: each for each in _components(image, labels, patterns)}
    return Bill(
        name=title if NAME.fullmatch(title) else name,
        version=labels.get(f"{OCI}.version") or tag,
        digest=image.digest or image.id,
        created=labels.get(f"{OCI}.created") or text(image.config.get("created")),
        architecture=text(image.config.get("architecture")),
        licences=(licences.one(licence),) if licence else (),
        components=tuple(sorted(there.values(), key=_place)),
        problems=(*unread(image), *image.problems),
    )


def _place(each: Component) -> tuple[int, str, str, str]:
    return ORDER.index(each.kind), each.name.lower(), each.version, each.ref


def installed(image: Image) -> Iterator[Component]:
    """Yield what package managers and installers put into an image."""
    release = system.read(image)
    yield from debian.packages(image, release)
    yield from alpine.packages(image, release)
    yield from distributions.packages(image)


def _components(image: Image, labels: Mapping[str, str], patterns: Sequence[str]) -> Iterator[Component]:
    packages = tuple(installed(image))
    yield from _base(labels)
    yield from system.read(image).components
    yield from packages
    yield from interpreters.pythons(image, packages)
    yield from models.models(image, patterns)


def _base(labels: Mapping[str, str]) -> Iterator[Component]:
    """Yield the base image that the labels name."""
    reference, digest = labels.get(f"{OCI}.base.name", ""), labels.get(f"{OCI}.base.digest", "")
    if not reference and not digest:
        return
    whole = reference.partition("@")[0]
    name, tag = _named(reference)
    repository = whole.removesuffix(f":{tag}") if tag else whole
    qualifiers = {"repository_url": repository if "/" in repository else "", "tag": tag}
    details = {"reference": reference} if reference else {}
    yield Component(
        kind="base",
        name=repository or digest,
        version=tag,
        purl=purl("oci", name, digest, qualifiers=qualifiers) if name and digest else "",
        sha256=found[1] if (found := DIGEST.fullmatch(digest)) else "",
        details=details,
    )


def _named(reference: str) -> tuple[str, str]:
    """Return the last part of an image's name, and its tag."""
    last = reference.partition("@")[0].rpartition("/")[2]
    name, _, tag = last.partition(":")
    return name, tag


def unread(image: Image) -> Iterator[str]:
    """Yield what keeps a list of what is installed from being whole, a sentence each."""
    for path in sorted(image.files):
        if RPM.fullmatch(path):
            yield f"RPM packages are not listed: {shown(path)} cannot be read here."
        elif NEEDED.fullmatch(path) and image.files[path].is_file and path not in image.contents:
            yield f"{shown(path)} was not kept, so what it lists may be missing."
