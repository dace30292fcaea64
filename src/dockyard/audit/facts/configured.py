"""What an image's configuration says, whatever a builder left out of it or wrote as null; and where to check it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dockyard.audit.verdict import Place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dockyard.image import Entry, Image
    from dockyard.settings import Settings


def started_with(image: Image) -> Mapping[str, Any]:
    """Return what a container is started with: `config` of the image's configuration."""
    found = image.config.get("config")
    return found if isinstance(found, dict) else {}


def text(image: Image, key: str) -> str:
    """Return a text of it, empty if there is none."""
    found = started_with(image).get(key)
    return found if isinstance(found, str) else ""


def words(image: Image, key: str) -> tuple[str, ...]:
    """Return a list of it."""
    found = started_with(image).get(key)
    return tuple(str(each) for each in found) if isinstance(found, list) else ()


def table(image: Image, key: str) -> Mapping[str, Any]:
    """Return a table of it."""
    found = started_with(image).get(key)
    return found if isinstance(found, dict) else {}


def pairs(variables: object) -> dict[str, str]:
    """Return `NAME=value` words as a table; null and other oddities are no variables."""
    listed = variables if isinstance(variables, list | tuple) else ()
    split = (str(each).partition("=") for each in listed)
    return {name: value for name, _, value in split}


def environment(image: Image) -> dict[str, str]:
    """Return the variables that the image sets."""
    return pairs(started_with(image).get("Env"))


def ours(image: Image, settings: Settings) -> bool:
    """Whether an image is one of this project, as far as its reference tells."""
    return is_ours(image.reference, settings)


def is_ours(reference: str, settings: Settings) -> bool:
    """Whether a reference names the project's image, whatever its registry, tag and digest."""
    folder, slash, last = reference.partition("@")[0].rpartition("/")
    name = f"{folder}{slash}{last.partition(':')[0]}"
    return name == settings.image or name.endswith(f"/{settings.image}")


def program(image: Image, name: str) -> Entry | None:
    """Return the file that a command's first word starts."""
    return next(iter(image.which(name)), None)


def key(name: str) -> Place:
    """Where a key of the configuration is."""
    return Place(subject=f"Config.{name}")


def at(entry: Entry) -> Place:
    """Where a file of the image is."""
    return Place(subject=entry.path, layer=entry.layer)


def rights(entry: Entry) -> str:
    """Return owner, group and mode for people: `root:root 4755`."""
    uid, gid = (str(each) if each else "root" for each in (entry.uid, entry.gid))
    return f"{uid}:{gid} {entry.mode:04o}"


def below(path: str, folder: str) -> bool:
    """Whether a path is a folder or something in it."""
    top = folder.rstrip("/")
    return path == (top or "/") or path.startswith(f"{top}/")
