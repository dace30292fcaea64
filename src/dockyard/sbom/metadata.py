"""The headers of METADATA: names that may come more than once."""

from __future__ import annotations

import email.parser
import email.policy

# Headers alone: some have a whole licence in them, folded over many lines.
MOST = 1 << 18


class Headers:
    """What is above the description.

    Args:
        content: Of METADATA or PKG-INFO.
    """

    def __init__(self, content: bytes) -> None:
        head = content[:MOST].replace(b"\r\n", b"\n").partition(b"\n\n")[0]
        parser = email.parser.HeaderParser(policy=email.policy.compat32)
        self._message = parser.parsestr(head.decode("utf-8", "replace"))

    def one(self, name: str) -> str:
        """Return a header on one line, or an empty text."""
        return " ".join(str(self._message.get(name, "")).split())

    def every(self, name: str) -> tuple[str, ...]:
        """Return every header of a name."""
        return tuple(" ".join(str(each).split()) for each in self._message.get_all(name, ()))
