"""What is read for an audit besides the image and the Dockerfile, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class BaseFacts:
    """The base image as the engine has it.

    Attributes:
        reference: For instance `python:3.12-slim-bookworm`.
        digest: `sha256:…` of its manifest, or of its configuration where the engine knows no other.
        diff_ids: Digests of its layers, unpacked.
        assembled: Whether it was made on a machine, and is in no registry.
    """

    reference: str
    digest: str
    diff_ids: tuple[str, ...]
    assembled: bool


@dataclass(frozen=True, kw_only=True)
class PinnedImage:
    """An image that the Dockerfile names itself, and that is pinned.

    Attributes:
        reference: As the Dockerfile names it.
        digest: Of the pin.
        used: Whether the build that makes the image uses it.
    """

    reference: str
    digest: str
    used: bool


@dataclass(frozen=True, kw_only=True)
class TextFile:
    """A file of the project by its path from the root."""

    path: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Python sources by their path below `folder`, which is a path from the project's root."""

    folder: str
    files: Mapping[str, str]
