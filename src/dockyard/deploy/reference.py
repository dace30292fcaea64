"""Which image is deployed: by digest, because a tag can be moved to another one after the audit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockyard.errors import SettingsError

if TYPE_CHECKING:
    from dockyard.engines.daemon import Daemon
    from dockyard.settings import Settings

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
REPOSITORY = r"(?P<repository>[A-Za-z0-9._-]+(?::\d+(?=/))?(?:/[a-z0-9._-]+)*)"
REFERENCE = re.compile(REPOSITORY + r"(?::(?P<tag>\w[\w.-]{0,127}))?")


@dataclass(frozen=True, kw_only=True)
class Reference:
    """An image's name in its parts; those that are not there are empty."""

    repository: str
    tag: str
    digest: str

    @property
    def registry(self) -> str:
        """The registry's host; empty if none is named, and then everybody looks on Docker Hub."""
        first, slash, _ = self.repository.partition("/")
        return first if slash and (set(first) & set(".:") or first == "localhost") else ""

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.repository}{tag}{digest}"


def read(text: str) -> Reference:
    """Take a reference apart.

    Raises:
        SettingsError: It is none.
    """
    name, at, digest = text.partition("@")
    found = REFERENCE.fullmatch(name)
    if not found or (at and not DIGEST.fullmatch(digest)):
        raise SettingsError(
            f"{text} is no image.",
            "It must be a name, with a tag or a digest: sha256: and 64 digits of 0-9a-f.",
            "Write it as registry.corp/team/api@sha256:…",
        )
    return Reference(repository=found["repository"], tag=found["tag"] or "", digest=digest)


def resolve(settings: Settings, given: str, *, daemon: Daemon, allow_tag: bool) -> str:
    """Return the image to deploy, by digest: the one that was said, or the one that the engine has.

    The digest of a registry's repository is what the engine knows of it. An image that was built here and never pushed
    has one too where images live in containerd's store: a push sends those very bytes.

    Args:
        settings: `deploy.image` is taken where nothing is given, and then the name of `image`.
        given: Of the command line.
        daemon: Asked for the digest, where none is said.
        allow_tag: Be content with a tag where no digest can be had.

    Raises:
        EngineError: There is no engine to ask.
        SettingsError: No digest can be had.
    """
    wanted = read(given or settings.deploy.image or settings.image)
    if wanted.digest or (allow_tag and wanted.tag):
        return str(wanted)
    local = str(wanted) if wanted.tag else settings.reference
    facts = daemon.image(str(wanted)) or daemon.image(local)
    digests = [each.partition("@") for each in facts.digests] if facts else []
    found = [digest for repository, _, digest in digests if repository == wanted.repository]
    if not found and digests and daemon.server().containerd_store:
        found = [digest for _, _, digest in digests]
    if found:
        return f"{wanted.repository}@{found[0]}"
    if allow_tag:
        return f"{wanted.repository}:{wanted.tag or settings.tag}"
    why = f"The engine knows {local}, but no digest of it in {wanted.repository}: it was not pushed there."
    raise SettingsError(
        f"There is no digest of {wanted}, and a tag can be moved to another image.",
        why if facts else f"The engine has no image {local}.",
        "Build or push it first, say `--image NAME@sha256:…`, or accept the tag with `--allow-tag`.",
    )
