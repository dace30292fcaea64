"""What can make a step run, as data; the words are the report's."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The kinds of causes."""

    CONTENT = "content"
    ADDED = "added"
    DELETED = "deleted"
    RENAMED = "renamed"
    MODE = "mode"
    LINK = "link"
    LET_IN = "let-in"
    KEPT_OUT = "kept-out"
    FILES = "files"
    ARGUMENT = "argument"
    VARIABLE = "variable"
    USER = "user"
    SHELL = "shell"
    FOLDER = "folder"
    EDITED = "edited"
    BLANKS = "blanks"
    HEREDOC = "heredoc"
    INSERTED = "inserted"
    REMOVED = "removed"
    STAGE_ADDED = "stage-added"
    STAGE_REMOVED = "stage-removed"
    BASE = "base"
    PLATFORM = "platform"
    REMOTE = "remote"
    SECRET = "secret"  # noqa: S105 - it names a kind
    FIRST = "first"
    NO_CACHE = "no-cache"
    BUILDER = "builder"
    PRUNED = "pruned"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Cause:
    """Why a step ran.

    Attributes:
        subject: The file, the variable, the instruction, the stage, the image or the builder it is about.
        before: What was; for a file that was renamed its old name.
        after: What is.
        line: Of the Dockerfile or, where .dockerignore decides, of that; 0 is none.
        plus: Lines that came, where the texts are known.
        minus: Lines that went.
        size: Of the file now, in bytes.
        origin: `ARG`, `ENV`, `build argument` or `base`, of a variable. Of a secret what became of it: `changed`,
            `given`, `gone`; `on` and `off` are the setting's, `lost` is its mark's.
    """

    kind: Kind
    subject: str = ""
    before: str = ""
    after: str = ""
    line: int = 0
    plus: int | None = None
    minus: int | None = None
    size: int = 0
    origin: str = ""
