"""Data -> YAML that every reader takes for the same data: readers of YAML 1.1 and 1.2 disagree on what needs quotes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterable

# What no version of YAML takes for anything but text: begins with a letter or a slash, ends with no colon.
PLAIN = re.compile(r"[A-Za-z/](?:[\w./@:+-]*[\w/])?", re.ASCII)
# Words of YAML 1.1 or 1.2 that are true, false or nothing.
WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


class Block(str):
    """A text of several lines that is shown as such."""

    __slots__ = ()


class Dumper(yaml.SafeDumper):
    """Writes mappings in their own order, without anchors, and in quotes whatever could be anything but text."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML gives it
        """Write a value in full wherever it stands."""
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 - likewise
        """Indent lists below their key."""
        super().increase_indent(flow, indentless=False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    plain = PLAIN.fullmatch(text) and text.lower() not in WORDS
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if plain else '"')


def _block(dumper: yaml.SafeDumper, text: Block) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style="|")


Dumper.add_representer(str, _text)
Dumper.add_representer(Block, _block)


def emit(document: Any) -> str:
    """Return a document; the same data give the same bytes."""
    text: str = yaml.dump(
        document, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=2**31, default_flow_style=False
    )
    # PyYAML leaves the last end of line out where a block comes last.
    return text if text.endswith("\n") else f"{text}\n"


def emit_all(documents: Iterable[tuple[str, Any]]) -> str:
    """Return several documents, each below a comment that says what it is for; an empty one is none."""
    return "".join(
        "---\n" + "".join(f"# {line}\n" for line in comment.splitlines()) + emit(document)
        for comment, document in documents
    )
