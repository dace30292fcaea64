"""What a bill or a CycloneDX document lists, reduced to what can be compared: kind, name, version."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from packaging.utils import canonicalize_name

from dockyard.errors import SettingsError
from dockyard.image.documents import items, mapping, text
from dockyard.sbom.bill import INSTALLED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dockyard.sbom.bill import Bill, Component

PURL = re.compile(r"pkg:(?P<kind>[a-z]+)/(?:[^/@?#]+/)*(?P<name>[^/@?#]+)@(?P<version>[^?#]+)(?:\?(?P<rest>[^#]*))?")
EPOCH = re.compile(r"(?:.*&)?epoch=(\d+)")
MAX_DOCUMENT = 64 << 20


@dataclass(frozen=True, order=True)
class Listed:
    """Something that is listed, for instance `deb`, `libc6`, `2.36-9`."""

    kind: str
    name: str
    version: str

    @classmethod
    def of(cls, component: Component) -> Listed:
        """Return a component so that it can be compared."""
        return cls(component.kind, _same(component.kind, component.name), component.version)


def listed(bill: Bill) -> frozenset[Listed]:
    """Return all that a bill has, the system and the base too."""
    return frozenset(map(Listed.of, bill.components))


def of_document(document: Any) -> frozenset[Listed]:
    """Return what a CycloneDX document lists: by the kind that we wrote, or else by package URLs."""
    return frozenset(_elements(document))


def _elements(document: Any) -> Iterator[Listed]:
    waiting = [mapping(each) for each in items(mapping(document).get("components"))]
    while waiting:
        element = waiting.pop()
        waiting += [mapping(each) for each in items(element.get("components"))]
        own = next(
            (text(each.get("value")) for each in map(mapping, items(element.get("properties"))) if _kind(each)), ""
        )
        packages = list(parts(text(element.get("purl"))))
        if own and own not in INSTALLED:
            yield Listed(own, text(element.get("name")), text(element.get("version")))
        else:
            yield from packages


def _kind(told: dict[str, Any]) -> bool:
    return told.get("name") == "dockyard:kind"


def parts(purl: str) -> Iterator[Listed]:
    """Yield the package that a package URL names, if it is of a kind that is read here."""
    found = PURL.match(purl)
    if found and found["kind"] in INSTALLED:
        name, version = unquote(found["name"]), unquote(found["version"])
        epoch = EPOCH.match(found["rest"] or "")
        yield Listed(found["kind"], _same(found["kind"], name), f"{epoch[1]}:{version}" if epoch else version)


def _same(kind: str, name: str) -> str:
    """Return a name as it is compared."""
    return str(canonicalize_name(name)) if kind == "pypi" else name


def read(path: Path) -> frozenset[Listed]:
    """Return what the CycloneDX document of a file lists.

    Raises:
        SettingsError: It is none.
    """
    try:
        size = path.stat().st_size
        document = json.loads(path.read_bytes()) if size <= MAX_DOCUMENT else None
    except (OSError, ValueError, RecursionError) as error:
        raise _refused(path, f"{error}.") from None
    if mapping(document).get("bomFormat") != "CycloneDX":
        raise _refused(path, f"It is no CycloneDX document of at most {MAX_DOCUMENT >> 20} MiB.")
    return of_document(document)


def _refused(path: Path, why: str) -> SettingsError:
    return SettingsError(
        f"{path} cannot be compared with.", why, "Name an image, a saved one, or a CycloneDX JSON file."
    )
