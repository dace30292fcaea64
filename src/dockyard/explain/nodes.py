"""The steps of a build as BuildKit caches them: what each is made of, and which ones it stands on."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dockyard.build import Step

VERSION = 2


@dataclass(frozen=True, kw_only=True)
class Node:
    """One step: an instruction that BuildKit runs, or the FROM of an image from outside.

    Attributes:
        id: Platform, stage and number.
        stage: Index of its stage.
        label: What BuildKit prints in brackets, for instance `builder 4/8`, with the platform if there are several.
        text: The instruction with its blanks and comments made uniform, not expanded.
        printed: What BuildKit calls it.
        parts: What its cache key is made of, beside the steps it stands on.
        told: What is no part of the key, and helps to say what happened.
        parent: The id of the step whose files it begins with; empty is none.
        sources: The ids of steps whose files it takes; they count by their content.
        apart: COPY --link: the parent does not count for it.
        loose: RUN with a secret or an agent: BuildKit knows the parent again by its content, as it does with sources.
    """

    id: str
    stage: int
    label: str
    line: int
    keyword: str
    text: str
    printed: str
    parts: Mapping[str, Any]
    told: Mapping[str, Any] = field(default_factory=dict)
    parent: str = ""
    sources: tuple[str, ...] = ()
    apart: bool = False
    loose: bool = False


@dataclass(frozen=True, kw_only=True)
class StageNote:
    """A stage: its name as given (empty if none), the FROM as written, and its line."""

    name: str
    base: str
    line: int


@dataclass(frozen=True, kw_only=True)
class Graph:
    """What went into one build.

    Attributes:
        kind: What tells builds apart that are not to be compared: Dockerfile, target, platforms, Python, context.
        builder: Who built.
        cache: Whether finished steps were taken from the cache.
        ignore: The lines of .dockerignore.
        ignore_name: Its name; empty if there is none.
        secrets: Salted hashes of the secrets by id.
        edited: The files that a step takes and that were taken for edited.
    """

    kind: Mapping[str, Any]
    builder: str = ""
    cache: bool = True
    ignore: tuple[str, ...] = ()
    ignore_name: str = ""
    dockerfile: str = "Dockerfile"
    secrets: Mapping[str, str] = field(default_factory=dict)
    stages: tuple[StageNote, ...] = ()
    nodes: tuple[Node, ...] = ()
    edited: tuple[str, ...] = ()

    def plain(self) -> dict[str, Any]:
        """Return it as JSON takes it."""
        return {"version": VERSION, **asdict(self)}

    @cached_property
    def by_id(self) -> dict[str, Node]:
        """The nodes by their ids."""
        return {node.id: node for node in self.nodes}

    def below(self, node: Node) -> tuple[Node, ...]:
        """Return the steps that one stands on, the nearest first: COPY --link lies over what stood before it."""
        found: list[Node] = []
        at = None if node.apart else self.by_id.get(node.parent)
        while at is not None:
            found.append(at)
            at = self.by_id.get(at.parent) if at.apart else None
        return tuple(found)

    @cached_property
    def keys(self) -> dict[str, str]:
        """A model of BuildKit's cache keys by node: equal ones mean the same work."""
        keys: dict[str, str] = {}
        results: dict[str, str] = {}
        for node in self.nodes:
            # The nodes are in an order in which they can be built. A base is what its layers are, whatever its digest.
            stands_on = "" if node.apart else results.get(node.parent, "")
            takes = [results.get(each, "") for each in node.sources]
            parts = {**node.parts, "digest": ""} if node.keyword == "FROM" else node.parts
            key = _hash([node.keyword, parts, stands_on, takes])
            keys[node.id] = key
            results[node.id] = _hash([key, results.get(node.parent, "")]) if node.apart else key
        return keys


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:32]


def read(kept: Mapping[str, Any], steps: Mapping[str, Step] | None = None) -> Graph | None:
    """Return what a record holds, or None if it holds none of this version.

    Args:
        kept: What `Graph.plain` returned, through JSON or not.
        steps: The steps of the build by their labels: they know best which base was used.
    """
    if kept.get("version") != VERSION:
        return None
    fields = {name: value for name, value in kept.items() if name not in ("version", "stages", "nodes")}
    nodes = tuple(
        Node(**{**node, "sources": tuple(node["sources"]), "parts": _settled(node, steps or {})})
        for node in kept["nodes"]
    )
    stages = tuple(StageNote(**stage) for stage in kept["stages"])
    return Graph(**{**fields, "ignore": tuple(kept["ignore"])}, stages=stages, nodes=nodes)


def _settled(node: Mapping[str, Any], steps: Mapping[str, Step]) -> dict[str, Any]:
    """Return the parts of a node, with the base's digest as the builder found it."""
    parts = dict(node["parts"])
    step = steps.get(node["label"])
    if node["keyword"] != "FROM" or step is None:
        return parts
    _, at, digest = step.instruction.rpartition("@")
    if at and digest != parts["digest"]:
        # The engine's own image of that name is another one: its layers and variables say nothing.
        parts |= {"digest": digest, "layers": digest}
    return parts
