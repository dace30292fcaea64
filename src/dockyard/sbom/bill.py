"""What is in an image, as one list: the form that every reader here writes and every report reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["base", "system", "deb", "apk", "python", "pypi", "model"]
KINDS: dict[Kind, str] = {
    "base": "base image",
    "system": "operating system",
    "deb": "Debian package",
    "apk": "Alpine package",
    "python": "Python",
    "pypi": "Python distribution",
    "model": "model",
}
# Those that a package manager or an installer put there, so that one can ask whether all of them are listed.
INSTALLED = frozenset({"deb", "apk", "pypi"})
# Those that have a licence of their own.
LICENSED = INSTALLED | {"python"}


def clean(text: str) -> str:
    """Return a text that can be written as UTF-8; names of files may hold other bytes, labels halves of letters."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


@dataclass(frozen=True, order=True)
class Licence:
    """One thing that is said of a package's licence; where several are said, all of them hold.

    Attributes:
        text: An SPDX expression, or else the words that were found.
        spdx: Whether it is the former.
    """

    text: str
    spdx: bool


@dataclass(frozen=True, kw_only=True)
class Component:
    """Something in the image.

    Attributes:
        purl: Its package URL; empty where no kind of those fits.
        place: The folder or file of the image that it is in, or that says so; empty of the base.
        licences: All of them hold; none is none known.
        sha256: Of the file, or of the base's manifest, in hex; empty where there is no one file.
        needs: The `ref` of each component that it wants and that is there.
        details: More that is known, by name.
        card: Of a model: what its own file says, as a CycloneDX model card.
    """

    kind: Kind
    name: str
    version: str
    purl: str = ""
    place: str = ""
    licences: tuple[Licence, ...] = ()
    supplier: str = ""
    description: str = ""
    sha256: str = ""
    needs: tuple[str, ...] = ()
    details: Mapping[str, str] = field(default_factory=dict)
    card: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ref(self) -> str:
        """What names it in the document and nothing else: one distribution can be in several places."""
        where = f"#{self.place}" if self.place and self.kind not in {"deb", "apk"} else ""
        return f"{self.purl or f'{self.kind}:{self.name}@{self.version}'}{where}"

    @property
    def told(self) -> str:
        """Its name and version for people."""
        return f"{self.name} {self.version}".strip()


@dataclass(frozen=True, kw_only=True)
class Bill:
    """All that is in an image, or in a folder of wheels, which has no place in a registry.

    Attributes:
        name: Of the image: its title, if that is a name, or its reference without registry and tag.
        version: That its label tells, or its tag.
        digest: Of its manifest, or of its configuration where the archive has no manifest.
        created: When it was made, by its label or its configuration; empty if neither says.
        licences: Of the image, by its label.
        components: By kind, name, version and place.
        problems: What could not be read, a sentence each.
        image: Whether it is of an image.
    """

    name: str
    version: str
    digest: str
    created: str
    architecture: str
    licences: tuple[Licence, ...]
    components: tuple[Component, ...]
    problems: tuple[str, ...] = ()
    image: bool = True

    def of(self, *kinds: Kind) -> tuple[Component, ...]:
        """Return the components of some kinds."""
        return tuple(each for each in self.components if each.kind in kinds)

    @property
    def roots(self) -> tuple[str, ...]:
        """The `ref` of each component that no other wants, and of one in each circle that nothing else leads to."""
        needs = {each.ref: each.needs for each in self.components}
        wanted = {ref for each in self.components for ref in each.needs}
        reached: set[str] = set()
        found = []
        for ref in sorted(needs, key=lambda ref: ref in wanted):
            if ref not in reached:
                found.append(ref)
            waiting = [ref]
            while waiting:
                one = waiting.pop()
                if one not in reached:
                    reached.add(one)
                    waiting += needs[one]
        return tuple(sorted(found))
