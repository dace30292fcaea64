"""Text -> logical lines: directives, comments, continuations, and the heredocs below a line."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from dockyard.dockerfile.heredoc import chomped, openings
from dockyard.dockerfile.problem import DockerfileError, Refused
from dockyard.dockerfile.tree import Heredoc
from dockyard.dockerfile.words import SPACE, json_list, split_flags, split_keyword

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.dockerfile.heredoc import Opening

LONGEST = 2**16  # bytes of a line with its end; BuildKit's scanner gives up beyond
DIRECTIVE = re.compile(rf"#[{SPACE}]*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*")
DIRECTIVES = ("syntax", "escape", "check")
WITH_HEREDOCS = ("ADD", "COPY", "RUN")


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One instruction's text.

    Attributes:
        text: Its lines joined, without comments.
        raw: Its lines as they are in the file, without the last one's end.
        line: Its first line, from 1.
        end_line: Its last line.
    """

    text: str
    raw: str
    line: int
    end_line: int
    heredocs: tuple[Heredoc, ...]


class Source:
    """The lines of a Dockerfile.

    Args:
        text: Bytes are decoded as UTF-8; a byte order mark is dropped.
        name: Of the file, for errors.

    Raises:
        DockerfileError: It is no UTF-8, a line is too long, or a directive is wrong.
    """

    def __init__(self, text: str | bytes, name: str) -> None:
        self.name = name
        try:
            decoded = text.decode() if isinstance(text, bytes) else text
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            raise self.refuse(line, f"It holds a byte that is no UTF-8: {error.object[error.start]:#04x}.") from None
        # Only a line feed ends a line; Python's splitlines would cut at eight more.
        self.lines = list(io.StringIO(decoded.removeprefix("\ufeff"), newline="\n"))
        for number, each in enumerate(self.lines, 1):
            if len(each) > LONGEST // 4 and len(each.encode("utf-8", "replace")) > LONGEST - (not each.endswith("\n")):
                raise self.refuse(number, f"The line is longer than {LONGEST - 1} bytes.")
        self.directives = self._directives()
        self.escape = self.directives.get("escape", ("\\", 0))[0]

    def refuse(self, line: int, why: str) -> DockerfileError:
        """Return the error for a line."""
        return DockerfileError(self.name, line, why)

    def _directives(self) -> dict[str, tuple[str, int]]:
        """Return the parser directives and their lines: comments at the very top, nothing else before them."""
        found: dict[str, tuple[str, int]] = {}
        # The line that makes a script of the file is skipped where `syntax` is looked for, and ends the others.
        shebang = bool(self.lines) and self.lines[0].startswith("#!")
        for number, line in enumerate(self.lines[shebang:], 1 + shebang):
            match = DIRECTIVE.fullmatch(line.strip(SPACE))
            key = match[1].lower() if match else ""
            if not match or key not in DIRECTIVES or (shebang and key != "syntax"):
                break
            if key in found:
                raise self.refuse(number, f"The directive {key} is given twice.")
            if key == "escape" and match[2] not in ("\\", "`"):
                raise self.refuse(number, f"The escape is a backslash or a backquote, not {match[2]}.")
            found[key] = (match[2], number)
        return found

    def statements(self) -> Iterator[Statement]:
        """Yield the instructions' texts in their order.

        Raises:
            DockerfileError: A heredoc does not end.
        """
        at = 0
        while at < len(self.lines):
            first = self.lines[at].rstrip("\r\n").lstrip(SPACE)
            at += 1
            if not first or first.startswith("#"):
                continue
            line = at
            text, at = self._joined(first, at)
            heredocs = self._heredocs(text, line, at)
            at = heredocs[-1].end_line if heredocs else at
            raw = "".join(self.lines[line - 1 : at])
            raw = raw.removesuffix("\n").removesuffix("\r")
            yield Statement(text=text, raw=raw, line=line, end_line=at, heredocs=heredocs)

    def _joined(self, first: str, at: int) -> tuple[str, int]:
        """Join a line with those that continue it, comments and empty ones left out; return where it ends, too."""
        part, goes_on = self._cut(first)
        parts = [part]
        while goes_on and at < len(self.lines):
            line = self.lines[at].rstrip("\r\n")
            at += 1
            stripped = line.lstrip(SPACE)
            if stripped and not stripped.startswith("#"):
                part, goes_on = self._cut(line)
                parts.append(part)
        return "".join(parts), at

    def _cut(self, line: str) -> tuple[str, bool]:
        """Cut off the escape at the end of a line, unless another one stands before it."""
        cut = line.rstrip(" \t")
        goes_on = cut.endswith(self.escape) and cut[-2:-1] != self.escape
        return (cut[:-1], True) if goes_on else (line, False)

    def _heredocs(self, text: str, line: int, at: int) -> tuple[Heredoc, ...]:
        """Read the heredocs that an instruction opens; its own lines end at `at`."""
        found = []
        for each in openings(text) if self._may_open(text) else ():
            heredoc = self._heredoc(each, at)
            if heredoc is None and each.apart:
                continue
            if heredoc is None:
                raise self.refuse(line, f"The heredoc {each.name} does not end: no line holds just that.")
            found.append(heredoc)
            at = heredoc.end_line
        return tuple(found)

    @cached_property
    def _known(self) -> frozenset[str]:
        """Every line's content, so that a name which none holds is not looked for line by line."""
        contents = {line.rstrip("\r\n") for line in self.lines}
        return frozenset(contents | {line.lstrip("\t") for line in contents})

    def _heredoc(self, each: Opening, at: int) -> Heredoc | None:
        for end in range(at, len(self.lines)) if each.name in self._known else ():
            line = self.lines[end].rstrip("\r\n")
            if (line.lstrip("\t") if each.chomp else line) == each.name:
                body = "".join(self.lines[at:end])
                body = chomped(body) if each.chomp else body
                return Heredoc(
                    name=each.name, body=body, expand=each.expand, expanded=body, line=at + 1, end_line=end + 1
                )
        return None

    def _may_open(self, text: str) -> bool:
        """Whether an instruction, or what ONBUILD keeps for later, is one that takes heredocs, and no JSON list."""
        keyword, rest = split_keyword(text)
        if keyword.upper() == "ONBUILD":
            keyword, rest = split_keyword(split_flags(rest, self.escape)[1])
        if keyword.upper() not in WITH_HEREDOCS or "<<" not in rest:
            return False
        try:
            return json_list(split_flags(rest, self.escape)[1]) is None
        except Refused:
            return False
