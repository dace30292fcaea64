"""dpkg's packages: its status file, and the parts of it that distroless images have in its place."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dockyard.sbom import copyrights, paragraphs
from dockyard.sbom.bill import Component
from dockyard.sbom.purls import purl

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dockyard.image import Image
    from dockyard.sbom.system import System

STATUS, PARTS = "/var/lib/dpkg/status", "/var/lib/dpkg/status.d/"
# What is not there, or is but the settings of what was.
ABSENT = frozenset({"not-installed", "config-files"})
RELATION = re.compile(r"\s*([a-z0-9][a-z0-9+.-]*)(?::[a-z0-9-]+)?\s*(?:\(.*)?", re.DOTALL)
SOURCE = re.compile(r"(\S+)(?:\s+\((\S+)\))?")
MAINTAINER = re.compile(r"\s*<[^>]*>\s*$")


@dataclass(frozen=True, kw_only=True)
class _Package:
    component: Component
    wants: str
    provides: str


def packages(image: Image, system: System) -> tuple[Component, ...]:
    """Return every package that is installed, each with those that it depends on."""
    found = [each for path in _records(image) for each in _read(image, path, system)]
    names: dict[str, str] = {}
    for each in found:
        for name in _alternatives(each.provides):
            names.setdefault(name, each.component.ref)
    # A real package comes before those that merely provide its name.
    names |= {each.component.name: each.component.ref for each in reversed(found)}
    return tuple(replace(each.component, needs=_needs(each, names)) for each in found)


def _records(image: Image) -> Iterator[str]:
    yield from (path for path in sorted(image.contents) if path == STATUS or path.startswith(PARTS))


def _read(image: Image, path: str, system: System) -> Iterator[_Package]:
    """Yield the packages of one record."""
    for fields in paragraphs.read(image.contents[path]):
        state = fields.get("status", "installed").rpartition(" ")[2]
        name, version = fields.get("package", ""), fields.get("version", "")
        if name and version and state not in ABSENT:
            yield _Package(
                component=_component(image, path, fields, system),
                wants=", ".join(filter(None, (fields.get("pre-depends"), fields.get("depends")))),
                provides=fields.get("provides", ""),
            )


def _component(image: Image, path: str, fields: Mapping[str, str], system: System) -> Component:
    name, version, architecture = fields["package"], fields["version"], fields.get("architecture", "")
    source = SOURCE.match(fields.get("source", ""))
    upstream = f"{source[1]}@{source[2]}" if source and source[2] else (source[1] if source else "")
    qualifiers = {"arch": architecture, "distro": system.distro, "upstream": upstream}
    return Component(
        kind="deb",
        name=name,
        version=version,
        purl=purl("deb", name, version, within=system.id or "debian", qualifiers=qualifiers),
        place=path,
        licences=copyrights.licences(image.read(f"/usr/share/doc/{name}/copyright") or b""),
        supplier=MAINTAINER.sub("", fields.get("maintainer", "")),
        description=fields.get("description", "").partition("\n")[0],
        details={
            "source": f"{source[1] if source else name} {(source[2] if source else '') or version}",
        },
    )


def _alternatives(relation: str) -> Iterator[str]:
    """Yield the names in a list of relations, alternatives among them."""
    for each in re.split(r"[,|]", relation):
        found = RELATION.fullmatch(each)
        if found:
            yield found[1]


def _needs(package: _Package, names: Mapping[str, str]) -> tuple[str, ...]:
    """Return what of a package's wants is there; of alternatives, the first that is."""
    found = set()
    for want in package.wants.split(","):
        there = next((names[name] for name in _alternatives(want) if name in names), None)
        if there and there != package.component.ref:
            found.add(there)
    return tuple(sorted(found))
