"""Paragraphs of fields, as dpkg and DEP-5 write them; METADATA's headers are one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def read(content: bytes) -> Iterator[dict[str, str]]:
    """Yield each paragraph: its fields by their names in small letters; further lines follow after a line break."""
    fields: dict[str, str] = {}
    last = ""
    for line in content.decode("utf-8", "replace").split("\n"):
        name, colon, value = line.partition(":")
        if not line.strip():
            if fields:
                yield fields
            fields, last = {}, ""
        elif line[0] in " \t":
            if last:
                fields[last] += f"\n{line.strip()}"
        elif colon:
            last = name.strip().lower()
            fields[last] = value.strip()
    if fields:
        yield fields
