"""apk's packages: the one file in which Alpine lists what is installed."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from dockyard.sbom import licences
from dockyard.sbom.bill import Component
from dockyard.sbom.purls import purl

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dockyard.image import Image
    from dockyard.sbom.system import System

DATABASES = ("/lib/apk/db/installed", "/usr/lib/apk/db/installed")
# A name ends where a version begins.
NAMED = re.compile(r"[^<>=~@]+")
MAINTAINER = re.compile(r"\s*<[^>]*>\s*$")


def packages(image: Image, system: System) -> tuple[Component, ...]:
    """Return every package that is installed, each with those that it depends on."""
    # The folder of one may be a link to the other.
    places = {entry.path for path in DATABASES if (entry := image.resolve(path))}
    found = [
        (fields, _component(fields, place, system))
        for place in sorted(places)
        for fields in _read(image.contents.get(place, b""))
        if fields.get("P") and fields.get("V")
    ]
    names: dict[str, str] = {}
    for fields, component in found:
        for name in fields.get("p", "").split():
            names.setdefault(_name(name), component.ref)
    names |= {component.name: component.ref for _, component in reversed(found)}
    return tuple(replace(component, needs=_needs(fields, component, names)) for fields, component in found)


def _read(content: bytes) -> Iterator[dict[str, str]]:
    """Yield the fields of each package, letters that they are; a paragraph's files come after them."""
    for paragraph in content.decode("utf-8", "replace").split("\n\n"):
        fields: dict[str, str] = {}
        for line in paragraph.splitlines():
            fields.setdefault(line[:1], line[2:].strip())
        yield fields


def _component(fields: Mapping[str, str], place: str, system: System) -> Component:
    name, version, origin = fields["P"], fields["V"], fields.get("o", "")
    told = licences.one(fields["L"]) if fields.get("L") else None
    qualifiers = {"arch": fields.get("A", ""), "distro": system.distro}
    qualifiers |= {"upstream": origin} if origin != name else {}
    return Component(
        kind="apk",
        name=name,
        version=version,
        purl=purl("apk", name, version, within=system.id or "alpine", qualifiers=qualifiers),
        place=place,
        licences=(told,) if told else (),
        supplier=MAINTAINER.sub("", fields.get("m", "")),
        description=fields.get("T", ""),
        details={"source": origin or name} | ({"checksum": fields["C"]} if fields.get("C") else {}),
    )


def _name(words: str) -> str:
    found = NAMED.match(words)
    return found[0] if found else words


def _needs(fields: Mapping[str, str], component: Component, names: Mapping[str, str]) -> tuple[str, ...]:
    """Return what of a package's wants is there; `!name`, what it does not get on with, is no package's name."""
    wanted = {_name(each) for each in fields.get("D", "").split()}
    return tuple(sorted({names[each] for each in wanted if each in names} - {component.ref}))
