"""The words of `invoke setup`: what is wanted, what was found, and the base that a build will use."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

    from dockyard.errors import DockyardError
    from dockyard.machine.pins import Pinning


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What this machine is to be ready for.

    Attributes:
        pythons: Versions, for instance ("3.12", "3.13").
        base: Pattern of the base image, for instance `python:{python}-slim-bookworm`.
        mirror: Registry prefix that is asked in place of the public one.
        archives: Folder of saved base images (*.tar).
        state: The .dockyard folder; the log of an engine that is started lies there.
        ca_bundle: The CA bundle of the settings, if they name one.
        index_url: The package index of the settings, if they name one; may hold a password.
        pinning: Where bases are pinned, and how much that counts; None where nobody asks.
        proxy: The forward proxy of the settings, if they name one; may hold a password.
        no_proxy: Hosts that the settings reach without it.
    """

    pythons: tuple[str, ...]
    base: str
    state: Path
    mirror: str | None = None
    archives: Path | None = None
    ca_bundle: Path | None = None
    index_url: str | None = field(default=None, repr=False)
    pinning: Pinning | None = None
    proxy: str | None = field(default=None, repr=False)
    no_proxy: str = ""

    def reference(self, python: str) -> str:
        """Return the base image of one Python version."""
        return self.base.format(python=python)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One line of the table.

    Attributes:
        subject: For instance `engine` or `base 3.12`.
        state: found (nothing to do), done (done now), missing (seen by `look`), refused (cannot be had).
        detail: What it is, or why it cannot be had.
        todo: The next step; empty if there is none.
    """

    subject: str
    state: Literal["found", "done", "missing", "refused"]
    detail: str
    todo: str = ""

    @property
    def ready(self) -> bool:
        """Whether a build can count on it."""
        return self.state in {"found", "done"}


@dataclass(frozen=True, kw_only=True)
class Base:
    """The base image of a build.

    Attributes:
        reference: Its name, for instance `python:3.12-slim-bookworm`.
        pinned: What the Dockerfile gets as BASE_IMAGE: the name with its digest, which nobody can move; the name alone
            for what did not come from its own registry.
        official: False for an image that was assembled on some machine, whatever its name.
        digest: The registry's digest, else the image's id.
        how: One sentence for people, for instance `pulled from the registry`.
        note: What a person should know of its pin before something is built on it; empty if nothing.
    """

    reference: str
    pinned: str
    official: bool
    digest: str
    how: str
    note: str = ""


def refused(subject: str, error: DockyardError) -> Finding:
    """Return an error as a line of the table."""
    return Finding(subject=subject, state="refused", detail=f"{error.what} {error.why}", todo=error.todo)
