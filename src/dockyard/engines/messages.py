"""BuildKit's `rawjson` progress -> its messages."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


class MessageDecoder:
    """Cuts the `rawjson` stream into messages: older buildx spreads one over many lines, newer writes one a line.

    Attributes:
        rest: Lines that belong to no message; buildx writes its errors there.
    """

    def __init__(self) -> None:
        self.rest: list[str] = []
        self._pending = ""
        self._decoder = json.JSONDecoder()

    def feed(self, line: str) -> Iterator[dict[str, Any]]:
        """Take one line and yield the messages that it completes."""
        if not self._pending and not line.lstrip().startswith("{"):
            if line.strip():
                self.rest.append(line.rstrip())
            return
        one_line = not self._pending and line.rstrip() != "{"
        self._pending += line
        if not one_line and line.rstrip() != "}":
            return
        whole, self._pending = self._pending, ""
        try:
            message, _ = self._decoder.raw_decode(whole.lstrip())
        except json.JSONDecodeError:
            self.rest += whole.splitlines()
        else:
            yield message
