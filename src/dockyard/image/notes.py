"""What reading an image may cost, and what was refused on the way: no archive makes it grow without an end."""

from __future__ import annotations

from dockyard.errors import EngineError

MAX_ENTRIES = 160_000
MAX_NAMES = 24 << 20
MAX_PROBLEMS = 200
MAX_KEPT_FILE = 8 << 20
MAX_KEPT = 48 << 20
MAX_MATCHES = 10_000
SHOWN = 200


class Fault(ValueError):  # noqa: N818 - it is told of a member, and raised as our error
    """Something of the archive is not what it should be; its reader says of which member."""


def unreadable(member: str, why: str) -> EngineError:
    """Return the error of an image that cannot be read."""
    return EngineError(
        f"The saved image cannot be read: {shown(member)}.",
        why,
        "Save or build it again; if that does not help, whoever made it must mend it.",
    )


def shown(name: str) -> str:
    """Return a name of the archive as it can be printed: bounded, one line, nothing that a terminal obeys."""
    text = name if len(name) <= SHOWN else f"{name[: SHOWN // 2]}…{name[-SHOWN // 2 :]}"
    return "".join(each if each.isprintable() else each.encode("utf-8", "backslashreplace").hex() for each in text)


class Notes:
    """Counts what is taken in, and keeps the problems."""

    def __init__(self) -> None:
        self._problems: dict[str, None] = {}
        self._untold = 0
        self._entries = 0
        self._names = 0
        self._kept = 0
        self._matches = 0

    @property
    def problems(self) -> tuple[str, ...]:
        """The problems in the order of their finding; the last one tells how many more there were."""
        more = (f"{self._untold} more problems of the image are not listed.",) if self._untold else ()
        return (*self._problems, *more)

    def problem(self, text: str) -> None:
        """Keep a sentence."""
        if len(self._problems) < MAX_PROBLEMS:
            self._problems[text] = None
        else:
            self._untold += text not in self._problems

    def name(self, *names: str | bytes) -> None:
        """Count an entry.

        Raises:
            Fault: The image has more of them than can be held.
        """
        self._entries += 1
        self._names += sum(map(len, names))
        if self._entries > MAX_ENTRIES or self._names > MAX_NAMES:
            raise Fault(f"It has more than {MAX_ENTRIES} entries, or {MAX_NAMES >> 20} MiB of names.")

    def keeps(self, path: str, size: int) -> bool:
        """Whether the bytes of a file can be kept; they count as kept then."""
        if size > MAX_KEPT_FILE:
            self.problem(f"{shown(path)} is over {MAX_KEPT_FILE >> 20} MiB, so its content was not looked at.")
            return False
        if self._kept + size > MAX_KEPT:
            self.problem(f"Over {MAX_KEPT >> 20} MiB of files to look at: {shown(path)} and others were left out.")
            return False
        self._kept += size
        return True

    def matches(self) -> bool:
        """Whether another match can be kept; it counts then."""
        self._matches += 1
        if self._matches > MAX_MATCHES:
            self.problem(f"Patterns matched more than {MAX_MATCHES} times; the rest is not listed.")
            return False
        return True
