"""SUP: what is installed is what was locked, to the byte."""

from __future__ import annotations

import base64
import binascii
import csv
import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockyard.audit.facts.configured import at
from dockyard.audit.facts.locks import Locked, locked, same_version
from dockyard.audit.facts.python_environment import Environment, python_environment
from dockyard.audit.rule import Rule, part
from dockyard.audit.verdict import Place, Severity, broken, holds, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dockyard.audit.facts.python_environment import Distribution
    from dockyard.audit.read import TextFile
    from dockyard.audit.verdict import Proof
    from dockyard.image import Entry, Image

NO_PYTHON = "The image has no Python that it runs, or no site-packages beside it."
# What comes with Python itself where it is no virtual environment.
BUNDLED = frozenset({"pip", "setuptools", "wheel"})
# What installers write and list without a hash, or do not list at all.
INSTALLER = re.compile(r".*\.dist-info/(RECORD.*|INSTALLER|REQUESTED|direct_url\.json|uv_cache\.json|uv_build\.json)")
VIRTUALENV = re.compile(r"_virtualenv\.(py|pth)")


class InstalledIsLocked(Rule):
    """The environment that the image runs holds what the lock names and nothing else, every file as it was published.

    A package that no lock names was reviewed by nobody; one that the lock names and is missing fails on the day it is
    needed; a module that was changed after its installation is what an intruder leaves. Files that were taken out on
    purpose are counted, and `__pycache__` is left out.

    Remedy: Install the lock into a virtual environment of its own and copy that; change no file in it afterwards.
    """

    id = "SUP-02"
    title = "Installed set equals the lock"
    severity = Severity.HIGH
    references = ("CIS 4.11", "NIST 800-190 4.1.3")

    @part
    def distributions(self, image: Image, lock: TextFile) -> Iterator[Proof]:
        """The distributions and their versions are those of the lock."""
        environment = python_environment(image)
        if environment is None or not environment.sites:
            yield unknown(NO_PYTHON)
            return
        wanted = {each.name: each for each in locked(lock) if each.name and each.applies(environment.markers)}
        found = {each.name: each for each in environment.distributions}
        faults = list(_differences(environment, wanted, found))
        place = Place(subject=environment.sites[0])
        told = f"{len(found)} distributions of {environment.program}, Python {environment.version}, equal {lock.path}"
        yield from faults or [holds(told, place)]

    @part
    def files(self, image: Image) -> Iterator[Proof]:
        """Every file is one that a distribution names, with the bytes that it names."""
        environment = python_environment(image)
        if environment is None or not environment.sites:
            yield unknown(NO_PYTHON)
            return
        recorded: dict[str, str] = {}
        faults: list[Proof] = []
        for distribution in environment.distributions:
            content = image.read(f"{distribution.info}/RECORD")
            if content is None:
                where = Place(subject=distribution.info)
                faults.append(broken(f"{distribution.name} {distribution.version} has no RECORD of its files", where))
            else:
                recorded |= _record(content, distribution)
        compared = _compare(image, recorded)
        faults += compared.faults
        faults += [broken(f"{each.path} is in no RECORD", at(each)) for each in _strangers(environment, recorded)]
        told = f"{compared.same} files have the bytes of their RECORD; {compared.left_out} that it names are left out"
        yield from faults or [holds(told, Place(subject=environment.sites[0]))]


def _differences(
    environment: Environment, wanted: Mapping[str, Locked], found: Mapping[str, Distribution]
) -> Iterator[Proof]:
    for name, each in wanted.items():
        there = found.get(name)
        if there is None:
            yield broken(f"{each.text} is locked and not installed", each.place)
        elif not same_version(there.version, each.version):
            yield broken(f"{name} is {there.version}, the lock has {each.version}", Place(subject=there.info))
    bundled = frozenset() if environment.isolated else BUNDLED
    for name, there in found.items():
        if name not in wanted and name not in bundled:
            yield broken(f"{name} {there.version} is installed and not locked", Place(subject=there.info))


def _record(content: bytes, distribution: Distribution) -> dict[str, str]:
    """Return path to hash, `algorithm=digest`, of the files that a distribution names."""
    rows = csv.reader(content.decode("utf-8", "surrogateescape").splitlines())
    named = ((row[0], row[1] if len(row) > 1 else "") for row in rows if row)
    return {posixpath.normpath(posixpath.join(distribution.site, path)): hashed for path, hashed in named}


@dataclass(frozen=True, kw_only=True)
class _Compared:
    same: int
    left_out: int
    faults: list[Proof]


def _compare(image: Image, recorded: Mapping[str, str]) -> _Compared:
    """Hold the files that are there against the hashes that their distributions name."""
    same = left_out = 0
    faults: list[Proof] = []
    for path, hashed in recorded.items():
        entry = image.resolve(path)
        if entry is None:
            left_out += 1
        elif hashed.startswith("sha256="):
            if entry.sha256 == _hex(hashed.removeprefix("sha256=")):
                same += 1
            else:
                faults.append(broken(f"{path} has other bytes than its RECORD names", at(entry)))
        elif not (INSTALLER.fullmatch(path) or path.endswith(".pyc")):
            faults.append(broken(f"{path} has no SHA-256 in its RECORD", at(entry)))
    return _Compared(same=same, left_out=left_out, faults=faults)


def _hex(digest: str) -> str:
    """Turn a RECORD's digest, base64 for URLs without padding, into hex; what is none is no file's."""
    try:
        return base64.urlsafe_b64decode(digest + "=" * (-len(digest) % 4)).hex()
    except (binascii.Error, ValueError):
        return "none"


def _strangers(environment: Environment, recorded: Mapping[str, str]) -> Iterator[Entry]:
    """Yield the files of the environment that no distribution names."""
    tops = tuple(f"{site}/" for site in environment.sites)
    for path, entry in environment.image.files.items():
        if not path.startswith(tops) or entry.kind == "directory" or path in recorded or "/__pycache__/" in path:
            continue
        if not (INSTALLER.fullmatch(path) or VIRTUALENV.fullmatch(posixpath.basename(path))):
            yield entry
