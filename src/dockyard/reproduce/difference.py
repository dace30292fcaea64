"""One thing in which two images differ: what, where, how, and what helps."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class How(StrEnum):
    """In what way."""

    LAYERS = "number of layers"
    MISSING = "missing"
    EXTRA = "extra"
    KIND = "kind"
    CONTENT = "content"
    TIME = "embedded time"
    PATH = "embedded path"
    BYTECODE = ".pyc header"
    GZIP = "gzip header"
    LINK = "link target"
    MODE = "mode"
    OWNER = "owner"
    ATTRIBUTE = "extended attribute"
    MTIME = "mtime"
    ORDER = "order"
    HEADERS = "tar headers"
    COMPRESSION = "compression"
    ENVIRONMENT = "environment"
    LABEL = "label"
    CREATED = "created"
    HISTORY = "history"
    SETTING = "setting"
    MANIFEST = "manifest"


@dataclass(frozen=True, kw_only=True)
class Place:
    """A layer, and what made it.

    Attributes:
        layer: Index from the lowest, which is 0.
        line: Of the Dockerfile; 0 if it is not known.
        instruction: Its text, or what the image's history says of it.
        source: The stage that the layer's files were copied from; empty if from none.
    """

    layer: int
    line: int
    instruction: str
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """How two values differ.

    Attributes:
        detail: In what, with both values where they are short.
        diff: Lines of both, the first's with `-` and the other's with `+`, and no secret in them.
        packed: Whether it is an archive's member that differs.
    """

    how: How
    detail: str = ""
    diff: tuple[str, ...] = ()
    packed: bool = False

    @property
    def told(self) -> str:
        """How, and the detail, without a word said twice."""
        return self.detail if self.detail.startswith(self.how) else f"{self.how}: {self.detail}"


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One thing in which two images differ.

    Attributes:
        place: The layer; None is the configuration.
        subject: The file's path, or the name in the configuration; empty is the layer itself.
        remedy: A sentence.
    """

    place: Place | None
    subject: str
    seen: Seen
    remedy: str
