"""Where an image is sent, and under which tags."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from dockyard.deploy.reference import read
from dockyard.errors import DeployError, SettingsError
from dockyard.settings.fields import TAG

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dockyard.settings import Settings

SHORT = 12
HUB = "docker.io"


@dataclass(frozen=True, kw_only=True)
class Destination:
    """A repository, and the tags of one image in it.

    Attributes:
        moving: Patterns of the tags that may be moved.
    """

    repository: str
    tags: tuple[str, ...]
    moving: tuple[str, ...]

    @property
    def registry(self) -> str:
        """The registry's host, maybe with a port."""
        return read(self.repository).registry or HUB

    def tagged(self, tag: str) -> str:
        """Return the full name of a tag."""
        return f"{self.repository}:{tag}"

    def by(self, digest: str) -> str:
        """Return the name that always means the same image."""
        return f"{self.repository}@{digest}"

    def may_move(self, tag: str) -> bool:
        """Whether a tag may be taken from one image and given to another."""
        return any(fnmatchcase(tag, each) for each in self.moving)


def destination(settings: Settings, *, repository: str, tags: tuple[str, ...], commit: str) -> Destination:
    """Return where the image goes.

    Args:
        settings: Say what the command line does not.
        repository: Of the command line; empty is that of the settings.
        tags: Likewise.
        commit: That is checked out; empty outside git.

    Raises:
        SettingsError: No repository is named, or a tag is none.
    """
    named = repository or settings.push.repository or _deployed(settings)
    wanted = read(named) if named else None
    if wanted is None or wanted.tag or wanted.digest:
        raise SettingsError(
            "It is not known where to push." if wanted is None else f"{named} is no repository.",
            "No repository is set."
            if wanted is None
            else "A tag is given by --tag, and a digest follows from the image.",
            "Say `--repository registry.corp/team/api`, or set `repository` in [tool.dockyard.push].",
        )
    known = {"version": settings.version, "python": settings.python, "commit": commit[:SHORT]}
    filled = tuple(dict.fromkeys(_filled(each, known) for each in tags or settings.push.tags))
    return Destination(repository=wanted.repository, tags=filled, moving=settings.push.moving)


def _deployed(settings: Settings) -> str:
    """Return the repository that deployments take the image from, if they name a registry."""
    told = read(settings.deploy.image) if settings.deploy.image else None
    return told.repository if told and told.registry else ""


def _filled(tag: str, known: Mapping[str, str]) -> str:
    """Return a tag with what is known in its places."""
    if "{commit}" in tag and not known["commit"]:
        raise SettingsError(
            f"The tag {tag} cannot be filled in.", "Nothing is committed here.", "Commit, or take another tag."
        )
    found = re.sub(r"\{(\w+)\}", lambda place: known.get(place[1], place[0]), tag)
    if not re.fullmatch(TAG, found):
        raise SettingsError(
            f"{found} is no tag.", "It may have letters, digits, points and dashes, 128 at most.", "Take another one."
        )
    return found


def require_free(there: Mapping[str, str | None], digest: str, to: Destination, *, overwrite: bool) -> None:
    """Raise DeployError if a tag would be taken from another image.

    Args:
        there: Each tag, and the digest that the registry has for it.
        digest: Of what is to be pushed; empty if it is not known yet.
        to: Where it goes.
        overwrite: Whether that was asked for.
    """
    taken = [tag for tag, found in there.items() if found and found != digest and not to.may_move(tag)]
    if taken and not overwrite:
        raise DeployError(
            f"{' and '.join(map(to.tagged, taken))} names another image already, so nothing was pushed.",
            "\n".join(f"{tag}: {there[tag]} is there, {digest or 'another one'} was to come" for tag in taken),
            "Give this image a version of its own, or say `--overwrite` if nobody relies on the old one.",
        )
