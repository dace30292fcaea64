"""The image's operating system, by os-release."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockyard.sbom.bill import Component

if TYPE_CHECKING:
    from dockyard.image import Image

PLACES = ("/etc/os-release", "/usr/lib/os-release")


@dataclass(frozen=True, kw_only=True)
class System:
    """What os-release says; empty where there is none.

    Attributes:
        id: For instance debian.
        version: For instance 12, or the code name of a release that has no number yet.
        place: Which file said so.
    """

    id: str = ""
    version: str = ""
    title: str = ""
    place: str = ""

    @property
    def distro(self) -> str:
        """How package URLs name it, for instance `debian-12`."""
        return "-".join(filter(None, (self.id, self.version)))

    @property
    def components(self) -> tuple[Component, ...]:
        """It as a part of the image, if it is known."""
        if not self.id:
            return ()
        one = Component(kind="system", name=self.id, version=self.version, place=self.place, description=self.title)
        return (one,)


def read(image: Image) -> System:
    """Return the image's system."""
    for path in PLACES:
        content = image.read(path)
        if content is not None:
            pairs = (line.partition("=") for line in content.decode("utf-8", "replace").splitlines())
            told = {name.strip(): _unquoted(value) for name, equals, value in pairs if equals}
            version = told.get("VERSION_ID") or told.get("VERSION_CODENAME", "")
            return System(id=told.get("ID", ""), version=version, title=told.get("PRETTY_NAME", ""), place=path)
    return System()


def _unquoted(value: str) -> str:
    try:
        return " ".join(shlex.split(value))
    except ValueError:
        return value.strip()
