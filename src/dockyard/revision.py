"""What git knows of the sources: the facts behind an image's labels."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from dockyard.engines import process

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Revision:
    """The commit that is built.

    Attributes:
        commit: 40 hex digits, with `-dirty` when tracked files differ from it; empty outside git.
        created: Time of the commit in RFC 3339, UTC; empty outside git. It is the image's creation time too, so the
            same sources give the same image.
        url: The remote `origin`, without credentials; empty if there is none, or if it is a folder of this machine.
    """

    commit: str = ""
    created: str = ""
    url: str = ""


def read(root: Path) -> Revision:
    """Ask git; answer an empty Revision where there is no git, no repository or no commit."""
    known = _git(root, "show", "-s", "--format=%H %ct", "HEAD").split()
    if not known:
        return Revision()
    commit, seconds = known
    dirty = _git(root, "status", "--porcelain", "--untracked-files=no")
    moment = datetime.fromtimestamp(int(seconds), UTC)
    return Revision(
        commit=commit + ("-dirty" if dirty else ""),
        created=moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        url=without_credentials(_git(root, "remote", "get-url", "origin")),
    )


def branch(root: Path) -> str:
    """Return the branch that is checked out; empty outside git, and where a commit is checked out instead."""
    return _git(root, "symbolic-ref", "--quiet", "--short", "HEAD")


def without_credentials(url: str) -> str:
    """Return a URL without user and password, and `git@host:path` as it is; nonsense and folders become empty."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if parts.scheme == "file" or (not parts.scheme and not re.match(r"[^/@]+@[^/:]+:", url)):
        return ""
    if not parts.scheme or "@" not in parts.netloc:
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _git(root: Path, *arguments: str) -> str:
    done = process.run(["git", "-C", str(root), *arguments])
    return done.output.strip() if done.ok else ""
