"""The CPythons that no package manager brought: those of official Python images, pyenv, uv and the like."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from dockyard.image.documents import items, mapping, text
from dockyard.sbom.bill import Component, Licence
from dockyard.sbom.purls import purl

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dockyard.image import Entry, Image

PROGRAM = re.compile(r"(?P<prefix>.*)/bin/python(?P<minor>3\.\d+)(?P<threads>t?)", re.DOTALL)
PATCHLEVEL = re.compile(rb'#define\s+PY_VERSION\s+"([^"]+)"')
RELEASE = re.compile(r"\d+\.\d+\.\d+")
WRITTEN = re.compile(r"\d+\.\d+\.\d+[\w.+]*")
HOME = re.compile(rb"(?m)^home\s*=\s*(\S+)\s*$")
VERSION = re.compile(rb"(?m)^version(?:_info)?\s*=\s*(\d+\.\d+\.\d+)")
OFFICIAL = "PYTHON_VERSION="
# The packages that bring a Python to /usr.
PACKAGED = re.compile(r"(lib)?python3(\.\d+)?(-minimal)?(-stdlib)?")
EXECUTABLE = 0o111


def pythons(image: Image, packages: Sequence[Component]) -> Iterator[Component]:
    """Yield each CPython; one that a package brought is listed as that package."""
    packaged = any(PACKAGED.fullmatch(each.name) for each in packages)
    for path, entry in sorted(image.files.items()):
        found = PROGRAM.fullmatch(path)
        if not found or not entry.is_file or not entry.mode & EXECUTABLE or (packaged and found["prefix"] == "/usr"):
            continue
        version = _version(image, found["prefix"], found["minor"], found["threads"]) or found["minor"]
        yield Component(
            kind="python",
            name="python",
            version=version,
            purl=purl("generic", "python", version),
            place=path,
            licences=(Licence("Python-2.0.1", spdx=True),),
            supplier="Python Software Foundation",
            description="CPython",
            sha256=entry.sha256,
            # Of a release: how a candidate is written there is another matter.
            details={"cpe": f"cpe:2.3:a:python:python:{version}:*:*:*:*:*:*:*"} if RELEASE.fullmatch(version) else {},
        )


def _version(image: Image, prefix: str, minor: str, threads: str) -> str:
    """Return the whole version: its header has it, an environment made of it, or the image's own variable."""
    header = image.read(f"{prefix}/include/python{minor}{threads}/patchlevel.h") or b""
    told = [*PATCHLEVEL.findall(header), *_environments(image, f"{prefix}/bin")]
    settings = mapping(image.config.get("config"))
    official = [each for each in map(text, items(settings.get("Env"))) if each.startswith(OFFICIAL)]
    told += [each.removeprefix(OFFICIAL).encode() for each in official]
    versions = (each.decode("ascii", "replace").removesuffix("+") for each in told)
    return next((each for each in versions if WRITTEN.fullmatch(each) and each.startswith(f"{minor}.")), "")


def _environments(image: Image, folder: str) -> Iterator[bytes]:
    """Yield the version that each virtual environment of an interpreter names."""
    for path in sorted(each for each in image.contents if posixpath.basename(each) == "pyvenv.cfg"):
        home = HOME.search(image.contents[path])
        place: Entry | None = image.resolve(home[1].decode("utf-8", "replace")) if home else None
        if place and place.path == folder:
            yield from VERSION.findall(image.contents[path])[:1]
