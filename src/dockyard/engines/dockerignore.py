"""The patterns of .dockerignore, matched as the engine's own client matches them.

Not with docker.utils.build.PatternMatcher: it takes .ENV for .env, [^a] for a or ^, does not know escapes, lets
`**.pyc` pass a.pyc, and finds below `**/x` only what is as deep as the pattern is long. A file that it calls excluded
may well be in the image.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from functools import cached_property

from dockyard.engines import wildcards

SPECIAL = "*?[\\"
PIECE = re.compile(rf"(?P<any>\*\*/?)|{wildcards.PIECE.pattern}", re.DOTALL)


@dataclass(frozen=True)
class Pattern:
    """One pattern.

    Attributes:
        text: As written, without white space around it.
        line: Of its file, from 1.
        exception: It begins with `!` and brings back what earlier ones excluded.
        cleaned: What is matched, without `!`, leading slash, and `.` and `..`.
    """

    text: str
    line: int
    exception: bool
    cleaned: str

    def matches(self, path: str) -> bool:
        """Whether a path is matched itself; what is below a match is its caller's business."""
        if self._regex:
            return self._regex.fullmatch(path) is not None
        if self.cleaned.startswith("**"):
            # Without a slash behind the stars it is the end of the name that counts.
            return path.endswith(self.cleaned[2:]) or f"/{path}" == self.cleaned[2:]
        if self.cleaned.endswith("**"):
            return path.startswith(self.cleaned[:-2])
        return path == self.cleaned

    def reaches_below(self, folder: str) -> bool:
        """Whether it may match something below a folder."""
        plain = re.split(r"[*?\[\\]", self.cleaned, maxsplit=1)[0]
        return plain.startswith(f"{folder}/") or (plain != self.cleaned and f"{folder}/".startswith(plain))

    @cached_property
    def _regex(self) -> re.Pattern[str] | None:
        """Its regular expression, or None if all that is special are two stars at one end."""
        inner = self.cleaned.removeprefix("**")
        inner = inner if inner != self.cleaned else self.cleaned.removesuffix("**")
        if not any(character in inner for character in SPECIAL):
            return None
        return re.compile("".join(_translated(found, self.cleaned) for found in PIECE.finditer(self.cleaned)))


def _translated(found: re.Match[str], pattern: str) -> str:
    """Return a regular expression for a piece of a pattern."""
    if found.lastgroup == "any":
        return ".*" if found.end() == len(pattern) else "(?:.*/)?"
    return wildcards.translated(found)


def read_pattern(written: str, line: int) -> Pattern | None:
    """Read a line; None if it holds no pattern.

    Raises:
        ValueError: It is none that the engine takes.
    """
    text = written.strip()
    if written.startswith("#") or not text:
        return None
    cleaned = text.removeprefix("!").strip()
    if cleaned:
        # Python keeps two leading slashes, for they mean something on other systems.
        cleaned = posixpath.normpath(re.sub("^/+", "/", cleaned))
        cleaned = cleaned.removeprefix("/") or "/"
    if text.startswith("!") and cleaned in ("", "/"):
        raise ValueError("An exclamation mark needs a pattern.")
    if any(map(wildcards.broken, PIECE.finditer(cleaned))):
        raise ValueError("A bracket is not closed or empty, or an escape stands at the end.")
    return Pattern(text=text, line=line, exception=text.startswith("!"), cleaned=cleaned)
