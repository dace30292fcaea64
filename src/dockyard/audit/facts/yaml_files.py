"""YAML files of a project, read so that every value knows its line and that no odd shape is in the way."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import yaml

from dockyard.audit.verdict import Place, Proof, broken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.audit.read import TextFile

NULL = "tag:yaml.org,2002:null"
MERGE = "tag:yaml.org,2002:merge"
# How deep merges may lie in each other; an alias can lead back to itself.
MERGES = 8


@dataclass(frozen=True)
class Node:
    """A value of a YAML file, or the lack of one: asking it for more never fails.

    Attributes:
        file: Path of the file.
        path: What leads to it, for instance `spec.containers[0].image`.
        line: Its own; of what is not there, that of what it was looked for in.
    """

    node: yaml.Node | None
    file: str
    path: str
    line: int

    @property
    def there(self) -> bool:
        """Whether it is given, and is not null."""
        return self.node is not None and self.node.tag != NULL

    @property
    def text(self) -> str:
        """A scalar as it is written; empty for all else."""
        return str(self.node.value) if self.there and isinstance(self.node, yaml.ScalarNode) else ""

    @property
    def value(self) -> Any:
        """A scalar as true, false or a number, where it is one; else its text."""
        if not self.text or not isinstance(self.node, yaml.ScalarNode):
            return self.text or None
        try:
            return yaml.constructor.SafeConstructor().construct_object(self.node)
        except (yaml.YAMLError, ValueError):
            return self.text

    @property
    def place(self) -> Place:
        """Where a person finds it."""
        return Place(subject=self.path or "the document", file=self.file, line=self.line)

    @cached_property
    def _fields(self) -> dict[str, tuple[yaml.Node, yaml.Node]]:
        """Name to key and value; the last of equal ones counts, and a merged one only where there is no other."""
        return _fields(self.node, MERGES)

    def get(self, *names: str) -> Node:
        """Return what stands below these names."""
        at = self
        for name in names:
            key, value = at._fields.get(name, (None, None))
            line = key.start_mark.line + 1 if key else at.line
            at = Node(value, at.file, f"{at.path}.{name}".lstrip("."), line)
        return at

    def names(self) -> tuple[str, ...]:
        """Return the names of a table."""
        return tuple(self._fields)

    def fields(self) -> Iterator[tuple[str, Node]]:
        """Yield the names of a table with their values."""
        for name in self._fields:
            yield name, self.get(name)

    def each(self) -> Iterator[Node]:
        """Yield the members of a list."""
        if isinstance(self.node, yaml.SequenceNode):
            for index, member in enumerate(self.node.value):
                yield Node(member, self.file, f"{self.path}[{index}]", member.start_mark.line + 1)


def _fields(node: yaml.Node | None, depth: int) -> dict[str, tuple[yaml.Node, yaml.Node]]:
    if not isinstance(node, yaml.MappingNode) or not depth:
        return {}
    found: dict[str, tuple[yaml.Node, yaml.Node]] = {}
    merged: dict[str, tuple[yaml.Node, yaml.Node]] = {}
    for key, value in node.value:
        if key.tag == MERGE:
            for each in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                merged = {**_fields(each, depth - 1), **merged}
        elif isinstance(key, yaml.ScalarNode):
            found[str(key.value)] = (key, value)
    return {**merged, **found}


def documents(file: TextFile) -> tuple[tuple[Node, ...], tuple[Proof, ...]]:
    """Return the documents of a file, and as a broken proof why it could not be read, if it could not."""
    try:
        composed = list(yaml.compose_all(file.text, Loader=yaml.SafeLoader))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        why = getattr(error, "problem", None) or type(error).__name__
        place = Place(subject="YAML", file=file.path, line=mark.line + 1 if mark else 1)
        return (), (broken(f"{file.path} is no YAML: {why}", place),)
    found = (Node(each, file.path, "", each.start_mark.line + 1) for each in composed if each is not None)
    return tuple(found), ()
