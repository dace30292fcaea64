"""The Python environment that an image runs: which interpreter, whose site-packages, what is installed there."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from dockyard.audit.facts.configured import environment, words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.image import Image

PYTHON = re.compile(r"(python|pypy)[\d.]*")
SHEBANG = re.compile(rb"#!\s*(?:/usr/bin/env\s+(?:-S\s+)?)?(\S+)")
DIST_INFO = re.compile(r"(?P<site>/(?:.*/)?(?:site|dist)-packages)/(?P<folder>[^/]+\.(?:dist|egg)-info)(?:/.*)?")
USUAL_PATH = "/usr/local/bin:/usr/bin:/bin"
MACHINES = {"amd64": "x86_64", "arm64": "aarch64", "386": "i686", "arm": "armv7l"}


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """An installed distribution.

    Attributes:
        name: Normalised.
        info: Path of its dist-info folder.
        site: Folder of its modules.
    """

    name: str
    version: str
    info: str
    site: str


@dataclass(frozen=True, kw_only=True)
class Environment:
    """What an interpreter of an image imports from.

    Attributes:
        program: Path of the interpreter, as it is found: of a virtual environment its own link.
        version: For instance 3.12 or 3.12.4.
        isolated: Whether it is a virtual environment, which has nothing that came with Python.
        sites: Its site-packages.
    """

    image: Image
    program: str
    version: str
    isolated: bool
    sites: tuple[str, ...]

    @cached_property
    def distributions(self) -> tuple[Distribution, ...]:
        """What is installed in it."""
        return tuple(each for each in installed(self.image) if each.site in self.sites)

    @property
    def markers(self) -> dict[str, str]:
        """The values that markers of requirements are evaluated with."""
        machine = str(self.image.config.get("architecture") or "amd64")
        return {
            "extra": "",
            "implementation_name": "cpython",
            "implementation_version": self.version,
            "os_name": "posix",
            "platform_machine": MACHINES.get(machine, machine),
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": self.version if self.version.count(".") > 1 else f"{self.version}.0",
            "python_version": ".".join(self.version.split(".")[:2]),
            "sys_platform": "linux",
        }


def installed(image: Image) -> Iterator[Distribution]:
    """Yield every distribution of the image, in whatever environment."""
    infos = {(found["site"], found["folder"]) for path in image.files if (found := DIST_INFO.fullmatch(path))}
    for site, folder in sorted(infos):
        info = f"{site}/{folder}"
        metadata = image.read(f"{info}/METADATA") or image.read(f"{info}/PKG-INFO") or b""
        headers = metadata.decode("utf-8", "replace").partition("\n\n")[0].splitlines()
        told = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in headers)}
        stem, _, version = posixpath.splitext(folder)[0].partition("-")
        yield Distribution(
            name=str(canonicalize_name(told.get("name") or stem)),
            version=told.get("version") or version,
            info=info,
            site=site,
        )


def python_environment(image: Image) -> Environment | None:
    """Return the environment of the interpreter that the image starts, or None if it has none."""
    program = _program(image)
    if not program:
        return None
    folder = posixpath.dirname(program)
    prefix = posixpath.dirname(folder)
    settings = _pyvenv(image, (f"{prefix}/pyvenv.cfg", f"{folder}/pyvenv.cfg"))
    version = settings.get("version_info") or settings.get("version") or _version(image, program)
    sites = _sites(image, prefix)
    if settings.get("include-system-site-packages", "").lower() == "true":
        sites += _sites(image, posixpath.dirname(settings.get("home") or "/usr/bin"))
    version = version or next((found[1] for site in sites if (found := re.search(r"/python(\d\.\d+)/", site))), "3")
    return Environment(
        image=image, program=program, version=version, isolated=bool(settings), sites=tuple(dict.fromkeys(sites))
    )


def _program(image: Image) -> str:
    """Return the interpreter of the image's own command: itself, or what its first line names; else PATH's python."""
    command = next(iter((*words(image, "Entrypoint"), *words(image, "Cmd"))), "")
    for name in (command, "python", "python3"):
        path = _found(image, name)
        if path and PYTHON.fullmatch(posixpath.basename(path)):
            return path
        script = SHEBANG.match((image.read(path) if path else None) or b"")
        named = script[1].decode("utf-8", "replace") if script else ""
        if PYTHON.fullmatch(posixpath.basename(named)) and (there := _found(image, named)):
            return there
    return ""


def _found(image: Image, name: str) -> str:
    """Return where a program is, its own links not followed: they say which environment is meant."""
    folders = (environment(image).get("PATH") or USUAL_PATH).split(":")
    candidates = [name] if name.startswith("/") else [f"{each.rstrip('/')}/{name}" for each in folders if name and each]
    for path in candidates:
        entry = image.resolve(path)
        if entry is not None and entry.kind in ("file", "hardlink") and entry.mode & 0o111:
            return posixpath.normpath(path)
    return ""


def _pyvenv(image: Image, paths: tuple[str, ...]) -> dict[str, str]:
    for path in paths:
        content = image.read(path)
        if content is not None:
            pairs = (line.partition("=") for line in content.decode("utf-8", "replace").splitlines())
            return {name.strip().lower(): value.strip() for name, _, value in pairs}
    return {}


def _version(image: Image, program: str) -> str:
    """Return the version that the interpreter's own file is named by, links followed, or that official images set."""
    entry = image.resolve(program)
    named = re.search(r"python(\d\.\d+)$", entry.path) if entry else None
    told = environment(image).get("PYTHON_VERSION", "")
    return (
        told
        if re.fullmatch(r"\d\.\d+\.\d+", told) and (not named or told.startswith(f"{named[1]}."))
        else (named[1] if named else "")
    )


def _sites(image: Image, prefix: str) -> list[str]:
    """Return the site-packages below a prefix, by what is there."""
    folder = re.compile(rf"{re.escape(prefix.rstrip('/'))}/lib(?:64)?/python3[.\d]*/(?:site|dist)-packages")
    found = {
        "/".join(path.split("/")[: prefix.rstrip("/").count("/") + 4])
        for path in image.files
        if path.startswith(prefix)
    }
    return sorted(path for path in found if folder.fullmatch(path))
