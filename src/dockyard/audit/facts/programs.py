"""Which programs and packages the merged file system holds, under whatever folder or link."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from dockyard.audit.facts.configured import environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.image import Entry, Image

USUAL_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
BIN_FOLDERS = ("bin", "sbin", "libexec")
DPKG, DPKG_PARTS = "/var/lib/dpkg/status", "/var/lib/dpkg/status.d/"
APK = ("/lib/apk/db/installed", "/usr/lib/apk/db/installed")
RPM = re.compile(r"/(var/lib/rpm|usr/lib/sysimage/rpm)/(Packages|Packages\.db|rpmdb\.sqlite)")


def folders(image: Image) -> frozenset[str]:
    """Return the folders of PATH and the usual ones, links followed."""
    listed = f"{environment(image).get('PATH', '')}:{USUAL_PATH}".split(":")
    found = (image.resolve(each) for each in listed if each.startswith("/"))
    return frozenset(each.path for each in found if each is not None and each.kind == "directory")


def programs(image: Image, names: re.Pattern[str]) -> Iterator[tuple[Entry, str]]:
    """Yield executables that are called so, or that a link leads to, each with its name there."""
    searched = folders(image)
    for entry in image.files.values():
        folder, name = posixpath.split(entry.path)
        if folder not in searched and posixpath.basename(folder) not in BIN_FOLDERS:
            continue
        real = entry if entry.kind != "symlink" else image.resolve(entry.path)
        if real is None or not real.is_file or not real.mode & 0o111:
            continue
        called = (name, posixpath.basename(real.path), posixpath.basename(entry.target))
        found = next((each for each in called if names.fullmatch(each)), None)
        if found:
            yield entry, found


def databases(image: Image) -> Iterator[tuple[str, tuple[str, ...] | None]]:
    """Yield each database of packages with the names in it; None is one that cannot be read here."""
    for path in image.files:
        if path == DPKG or path.startswith(DPKG_PARTS):
            yield path, _names(image.read(path), "Package: ")
        elif path in APK:
            yield path, _names(image.read(path), "P:")
        elif RPM.fullmatch(path):
            yield path, None


def _names(content: bytes | None, field: str) -> tuple[str, ...] | None:
    """Return the packages of a database in paragraphs, those left out of which only settings are left."""
    if content is None:
        return None
    found = []
    for paragraph in re.split(r"\n\s*\n", content.decode("utf-8", "replace")):
        lines = paragraph.splitlines()
        status = next((line for line in lines if line.startswith("Status: ")), "Status: installed")
        if status.endswith(" installed"):
            found += [line.removeprefix(field).strip() for line in lines if line.startswith(field)]
    return tuple(found)
