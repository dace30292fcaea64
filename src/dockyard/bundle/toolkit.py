"""dockyard as it runs here, as a wheel, and the versions of all that it needs: an installed one has no wheel left."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import dockyard

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.metadata import Distribution

NAME = "dockyard"
# The first time that a zip can hold; the same sources give the same bytes.
MOMENT = (1980, 1, 1, 0, 0, 0)
WHEEL = "Wheel-Version: 1.0\nGenerator: dockyard\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
RIGHTS = 0o100644 << 16
# Of the metadata, what a wheel has and no installer writes.
DESCRIBED = ("METADATA", "entry_points.txt")


def version() -> str:
    """Return dockyard's version."""
    return distribution(NAME).version


def runs_on(python: str) -> bool:
    """Whether dockyard runs on a Python, for instance 3.12."""
    return SpecifierSet(distribution(NAME).metadata["Requires-Python"] or "").contains(f"{python}.0")


def write_wheel(folder: Path) -> Path:
    """Write the wheel of what is imported here, whether it was installed or is a checkout, and return its path."""
    info = f"{NAME}-{version()}.dist-info"
    path = folder / f"{NAME}-{version()}-py3-none-any.whl"
    rows = []
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in [*_sources(), *_metadata(info)]:
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            rows.append(f"{name},sha256={digest},{len(content)}\n")
            _add(archive, name, content)
        _add(archive, f"{info}/RECORD", "".join([*rows, f"{info}/RECORD,,\n"]).encode())
    return path


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, MOMENT)
    entry.external_attr, entry.compress_type = RIGHTS, zipfile.ZIP_DEFLATED
    archive.writestr(entry, content)


def _sources() -> Iterator[tuple[str, bytes]]:
    root = Path(dockyard.__file__).parent
    for path in sorted(root.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            yield f"{NAME}/{path.relative_to(root).as_posix()}", path.read_bytes()


def _metadata(info: str) -> Iterator[tuple[str, bytes]]:
    told = distribution(NAME)
    for name in DESCRIBED:
        if content := told.read_text(name):
            yield f"{info}/{name}", content.encode()
    yield f"{info}/WHEEL", WHEEL.encode()
    for each in told.files or ():
        if each.parent.as_posix() == f"{info}/licenses":
            yield each.as_posix(), Path(str(each.locate())).read_bytes()


def constraints() -> str:
    """Return the versions of all that dockyard needs here, as pip's constraints; it runs with those."""
    found: dict[str, str] = {}
    waiting = [(NAME, frozenset[str]())]
    seen = set(waiting)
    while waiting:
        name, extras = waiting.pop()
        here = _installed(name)
        if here is None:
            continue
        if name != NAME:
            found[name] = here.version
        for text in here.requires or ():
            requirement = Requirement(text)
            key = str(canonicalize_name(requirement.name)), frozenset(requirement.extras)
            if _holds(requirement, extras) and key not in seen:
                seen.add(key)
                waiting.append(key)
    return "".join(f"{name}=={version}\n" for name, version in sorted(found.items()))


def _installed(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def _holds(requirement: Requirement, extras: frozenset[str]) -> bool:
    """Whether a requirement counts here, for some of the extras that were asked for."""
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in extras | {""})
