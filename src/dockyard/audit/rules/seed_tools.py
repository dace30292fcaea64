"""SEED-03 and SEED-07: programs that an intruder would use, and the service does not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dockyard.audit.facts.configured import at, rights
from dockyard.audit.facts.programs import databases, folders, programs
from dockyard.audit.rule import Rule, part
from dockyard.audit.verdict import Place, Severity, broken, holds, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.audit.verdict import Proof
    from dockyard.image import Entry, Image

FETCHERS = re.compile(
    r"curl|wget2?|nc|ncat|netcat|nc\.(openbsd|traditional)|socat\d?|[tls]?ftp|ssh|scp|slogin|telnet|rsync|aria2c|axel"
    r"|busybox(\.\w+)?|toybox"
)
FETCHER_PACKAGES = re.compile(
    r"curl|wget2?|netcat.*|ncat|socat|[tl]?ftp|tnftp|openssh-(client|server|sftp-server).*|telnet|inetutils-.*|rsync"
    r"|aria2|axel|busybox.*|toybox"
)
COMPILER = r"(\w+-)*(gcc|g\+\+|cpp|clang|clang\+\+)(-[\d.]+)?"
BUILDERS = re.compile(
    rf"{COMPILER}|cc|c\+\+|c[89]9|(\w+-)*(ld|as)(\.(bfd|gold|lld))?|tcc|rustc|cargo|g?make|cmake|ninja|meson|poetry"
)
BUILDER_PACKAGES = re.compile(
    r"gcc(-[\d.]+)?(-[a-z]\w+(-\w+)*)?|g\+\+.*|cpp(-.*)?|clang.*|llvm.*|tcc|make|cmake|ninja-build|meson|binutils.*"
    r"|build-essential|build-base|.*-dev|rustc|cargo|python3-poetry|poetry"
)
# Comes with every Debian: a changelog and a licence.
HARMLESS_PACKAGES = re.compile(r"gcc-[\d.]+-base")
POETRY = re.compile(r".*/(?P<name>poetry[^/]*\.(dist-info|egg-info))(/.*)?")


def _found(image: Image, names: re.Pattern[str]) -> Iterator[Proof]:
    """Yield what PATH and the like hold."""
    clean = True
    for entry, name in programs(image, names):
        clean = False
        leads = f", which leads to {entry.target}," if entry.target else ""
        yield broken(f"{entry.path}{leads} is {name}: {rights(entry)}", at(entry))
    if clean:
        yield holds(f"None of them in {', '.join(sorted(folders(image))) or 'the image'}", Place(subject="Config.Env"))


def _packaged(image: Image, names: re.Pattern[str]) -> Iterator[Proof]:
    """Yield what the databases of packages list."""
    seen = False
    for path, listed in databases(image):
        seen, place = True, Place(subject=path)
        if listed is None:
            yield unknown(f"{path} is a database of packages that could not be read", place)
            continue
        bad = [name for name in listed if names.fullmatch(name) and not HARMLESS_PACKAGES.fullmatch(name)]
        yield from (broken(f"{path} lists the package {name}", place) for name in bad)
        if not bad:
            yield holds(f"{path}: none of them among {len(listed)} packages", place)
    if not seen:
        yield holds("The image has no database of packages")


class NoFetchers(Rule):
    """The image has no program that fetches from, or connects to, another machine.

    With curl, wget, nc, socat or ssh an intruder brings tools in and data out. Python can do it too, but not in one
    line of a shell, and not for one who can only start programs. busybox counts: wget and nc are inside, linked or not.

    Remedy: leave them out of the final stage; fetch in the builder stage, or with `ADD --checksum=…`. A base that has
    them can be changed for its slim variant, or `RUN apt-get purge` them there.
    """

    id = "SEED-03"
    title = "curl and other fetchers absent"
    severity = Severity.MEDIUM
    references = ("CIS 4.3", "NIST 800-190 4.1.2")

    @part
    def found(self, image: Image) -> Iterator[Proof]:
        """Search PATH and every bin folder."""
        yield from _found(image, FETCHERS)

    @part
    def packages(self, image: Image) -> Iterator[Proof]:
        """Read what is installed."""
        yield from _packaged(image, FETCHER_PACKAGES)


class NoBuildTools(Rule):
    """The image has no Poetry, no compiler, no linker and no make.

    What builds the service does not belong beside it: it makes the image larger, brings its own vulnerabilities, and
    lets an intruder compile an exploit for exactly this kernel.

    Remedy: compile and install in a builder stage, and copy the result alone:
    `COPY --from=builder /opt/venv /opt/venv`.
    """

    id = "SEED-07"
    title = "No Poetry, GCC or Make in the final image"
    severity = Severity.HIGH
    references = ("CIS 4.3", "NIST 800-190 4.1.2")

    @part
    def found(self, image: Image) -> Iterator[Proof]:
        """Search PATH and every bin folder."""
        yield from _found(image, BUILDERS)

    @part
    def packages(self, image: Image) -> Iterator[Proof]:
        """Read what is installed."""
        yield from _packaged(image, BUILDER_PACKAGES)

    @part
    def poetry(self, image: Image) -> Iterator[Proof]:
        """Poetry can be anywhere, as a Python package."""
        found: dict[str, Entry] = {}
        for entry in image.files.values():
            if "/poetry" in entry.path and (match := POETRY.fullmatch(entry.path)):
                found.setdefault(match["name"], entry)
        for name, entry in found.items():
            yield broken(f"{entry.path}: {name} is Poetry's", at(entry))
        if not found:
            yield holds("No poetry*.dist-info anywhere")
