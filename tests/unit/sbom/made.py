"""Synthetic images with packages in them, as package managers and installers leave them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dockyard import sbom
from images import file, image_of

if TYPE_CHECKING:
    from dockyard.image import Image
    from dockyard.sbom import Bill, Component
    from images import Member

SITE = "opt/venv/lib/python3.12/site-packages"
DEBIAN = file("etc/os-release", b'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_ID="12"\n')
ALPINE = file("etc/os-release", b"ID=alpine\nVERSION_ID=3.20.3\n")
STATUS = "var/lib/dpkg/status"
PATTERNS = ("/app/models/*.onnx",)


def read(*layers: list[Member], patterns: tuple[str, ...] = PATTERNS, **changed: Any) -> Image:
    """Return an image of these layers, of which only what a bill needs was kept."""
    return image_of(*layers, keep=lambda path, size, _: sbom.keeps(path, size, patterns), **changed)


def bill(*members: Member, **changed: Any) -> Bill:
    """Return the bill of an image of one layer."""
    return sbom.bill(read([*members], **changed), PATTERNS)


def status(*paragraphs: str) -> Member:
    """Return dpkg's list of these paragraphs; those that say no status are installed."""
    whole = [each if "Status:" in each else f"{each}\nStatus: install ok installed" for each in paragraphs]
    return file(STATUS, "\n\n".join(whole).encode() + b"\n")


def package(name: str, version: str = "1.0-1", **fields: str) -> str:
    """Return a paragraph of dpkg's; underscores of a field's name are dashes."""
    told = {"Package": name, "Version": version, "Architecture": "amd64"}
    told |= {key.replace("_", "-"): value for key, value in fields.items()}
    return "\n".join(f"{key}: {value}" for key, value in told.items())


def distribution(name: str, version: str, *headers: str, site: str = SITE, form: str = "") -> Member:
    """Return a distribution's METADATA.

    Args:
        name: As METADATA has it.
        version: Of it.
        headers: Further ones.
        site: The folder that it is installed in.
        form: Path from there, in place of dist-info's.
    """
    told = [f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}", *headers, "\nName: of another\nText."]
    path = form or f"{name.replace('-', '_')}-{version}.dist-info/METADATA"
    return file(f"{site}/{path}", "\n".join(told).encode())


def one(found: Bill, name: str) -> Component:
    """Return the one component of a name."""
    (only,) = (each for each in found.components if each.name == name)
    return only


def names(found: Bill, *kinds: Any) -> list[str]:
    """Return names and versions of the components of some kinds."""
    return [each.told for each in found.of(*kinds)]


def texts(component: Component) -> list[str]:
    """Return a component's licences; words that are no SPDX have a question mark before them."""
    return [each.text if each.spdx else f"?{each.text}" for each in component.licences]


def needs(found: Bill, name: str) -> list[str]:
    """Return the names of what a component needs."""
    refs = {each.ref: each.name for each in found.components}
    return [refs[each] for each in one(found, name).needs]
