"""Python distributions: every one whose metadata is in the image, wherever that is."""

from __future__ import annotations

import json
import posixpath
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from dockyard.image.documents import mapping, text
from dockyard.sbom import licences
from dockyard.sbom.bill import Component, Licence, clean
from dockyard.sbom.metadata import Headers
from dockyard.sbom.purls import purl
from dockyard.sbom.requires import Installed, resolved

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.image import Image

# An egg-info may be a file of its own, as distutils left it.
INFO = re.compile(
    r"(?P<info>(?P<place>.*)/(?P<stem>[^/]+)\.(?:dist-info/METADATA|egg-info/PKG-INFO|egg-info))", re.DOTALL
)
FOLDER = re.compile(r"(?P<place>.*)/(?P<stem>[^/]+)\.dist-info/RECORD", re.DOTALL)
LICENCE = "License :: "
APPROVED = "OSI Approved :: "
UNTOLD = frozenset({"", "unknown", "none", "n/a"})
# A licence's whole text was often put where its name belongs.
LONGEST_NAME = 80


def packages(image: Image) -> tuple[Component, ...]:
    """Return every distribution, each with those that it requires."""
    found = [_read(image, path, *told) for path, told in sorted(_infos(image).items())]
    needs = resolved([each.installed for each in found], str(image.config.get("architecture") or "amd64"))
    return tuple(replace(each.component, needs=needs[each.component.ref]) for each in found)


@dataclass(frozen=True, kw_only=True)
class _Distribution:
    component: Component
    installed: Installed


def _infos(image: Image) -> dict[str, tuple[str, str]]:
    """Return the paths of metadata, each with the folder that it is in and its stem, `name-version`.

    A dist-info of which only RECORD is left is one too: that its METADATA was deleted removed no package.
    """
    found = {}
    for path, entry in image.files.items():
        told = INFO.fullmatch(path) if entry.kind != "directory" else None
        if told:
            found[path] = (told["place"] or "/", told["stem"])
    for path in image.files:
        told = FOLDER.fullmatch(path)
        info = f"{posixpath.dirname(path)}/METADATA"
        if told and info not in found:
            found[info] = (told["place"] or "/", told["stem"])
    return found


def _read(image: Image, path: str, place: str, stem: str) -> _Distribution:
    """Return what METADATA says, or else what the folder's name does."""
    headers = Headers(image.read(path) or b"")
    component = replace(described(headers, stem, place), details=dict(_details(image, posixpath.dirname(path))))
    return _Distribution(
        component=component,
        installed=Installed(
            ref=component.ref,
            name=str(canonicalize_name(component.name)),
            place=place,
            requires=headers.every("requires-dist"),
        ),
    )


def described(headers: Headers, stem: str, place: str) -> Component:
    """Return a distribution by its metadata.

    Args:
        headers: Of its METADATA.
        stem: `name-version`, for what they do not say.
        place: Where it is.
    """
    named, _, rest = clean(stem).partition("-")
    name = headers.one("name") or named
    # Eggs have the Python behind their version.
    version = headers.one("version") or rest.partition("-py")[0]
    return Component(
        kind="pypi",
        name=name,
        version=version,
        purl=purl("pypi", str(canonicalize_name(name)), version),
        place=place,
        licences=_licences(headers),
        supplier=_supplier(headers),
        description=headers.one("summary"),
    )


def _licences(headers: Headers) -> tuple[Licence, ...]:
    """Return what METADATA says: its expression, or else its licence field, or else its classifiers."""
    expression = headers.one("license-expression")
    if expression:
        return (licences.one(expression),)
    told = headers.one("license")
    named = told if told.lower() not in UNTOLD and len(told) <= LONGEST_NAME else ""
    if named and licences.one(named).spdx:
        return (licences.one(named),)
    classified = {
        each.removeprefix(LICENCE).removeprefix(APPROVED)
        for each in headers.every("classifier")
        if each.startswith(LICENCE) and each != f"{LICENCE}OSI Approved"
    }
    if classified:
        return tuple(sorted(licences.classified(each) for each in classified))
    return (licences.one(named),) if named else ()


def _supplier(headers: Headers) -> str:
    """Return who made it; newer metadata has the name in front of the address."""
    for name in ("author", "author-email", "maintainer", "maintainer-email"):
        told = ", ".join(part.partition("<")[0].strip().strip('"') for part in headers.one(name).split(","))
        if told.strip(", "):
            return told.strip(", ")
    return ""


def _details(image: Image, info: str) -> Iterator[tuple[str, str]]:
    """Yield who installed it, and what it came from where that was no index."""
    installer = (image.contents.get(f"{info}/INSTALLER") or b"").decode("utf-8", "replace").strip()
    if installer:
        yield "installer", installer
    record = image.files.get(f"{info}/RECORD")
    if record and record.sha256:
        yield "record:sha256", record.sha256
    try:
        direct = mapping(json.loads(image.contents.get(f"{info}/direct_url.json") or b"{}"))
    except (ValueError, RecursionError):
        return
    commit = text(mapping(direct.get("vcs_info")).get("commit_id"))
    if commit:
        yield "commit", commit
    archive = text(mapping(mapping(direct.get("archive_info")).get("hashes")).get("sha256"))
    if archive:
        yield "archive:sha256", archive
