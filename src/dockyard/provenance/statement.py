"""A SLSA provenance as BuildKit writes it, in both of its versions, read as what anyone may have written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote

from dockyard.image.documents import items, mapping, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

SLSA = "https://slsa.dev/provenance/v"
ARGUMENT, LABEL = "build-arg:", "label:"
# Of a registry, and of a layout that was lent to the builder.
IMAGES = ("pkg:docker/", "pkg:oci/")


@dataclass(frozen=True, kw_only=True)
class Material:
    """Something that a build was made of.

    Attributes:
        uri: As it is told.
        name: Of an image, without tag and digest; of all else the same as `uri`.
        digests: Every digest by which it is told, `sha256:…`.
    """

    uri: str
    name: str
    digests: frozenset[str]

    @property
    def is_image(self) -> bool:
        """Whether it is an image."""
        return self.uri.startswith(IMAGES)


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One provenance.

    Attributes:
        kind: Its predicate's type.
        subjects: Digests of what it is about.
        whole: Whether it tells how the build was asked for (mode max), and not only what of.
        args: Build arguments; not all of them unless it is whole.
        labels: Likewise.
    """

    kind: str
    subjects: frozenset[str]
    materials: tuple[Material, ...]
    whole: bool
    args: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """SLSA's version, for instance 0.2."""
        return self.kind.removeprefix(SLSA)


def statements(attestations: Iterable[Mapping[str, Any]]) -> Iterator[Statement]:
    """Yield the provenances among the attestations of an image."""
    for each in attestations:
        kind = text(each.get("predicateType"))
        if kind.startswith(SLSA):
            yield _read(kind, each)


def _read(kind: str, told: Mapping[str, Any]) -> Statement:
    predicate = mapping(told.get("predicate"))
    definition = mapping(predicate.get("buildDefinition"))
    # Of version 1 in the definition, before that in the predicate itself.
    request = mapping(mapping(definition.get("externalParameters")).get("request"))
    request = request or mapping(mapping(predicate.get("invocation")).get("parameters"))
    given = mapping(request.get("args"))
    run = mapping(mapping(predicate.get("runDetails")).get("metadata"))
    # A `min` one may have some arguments too: only this says whether it has all.
    complete = mapping(run.get("buildkit_completeness")).get("request")
    old = mapping(mapping(predicate.get("metadata")).get("completeness")).get("parameters")
    return Statement(
        kind=kind,
        subjects=frozenset(digest for each in items(told.get("subject")) if (digest := _sha256(mapping(each)))),
        materials=tuple(
            _material(mapping(each))
            for each in [*items(predicate.get("materials")), *items(definition.get("resolvedDependencies"))]
        ),
        whole=(complete or old) is True,
        args=_named(given, ARGUMENT),
        labels=_named(given, LABEL),
    )


def _named(given: Mapping[str, Any], prefix: str) -> dict[str, str]:
    return {name.removeprefix(prefix): text(value) for name, value in given.items() if name.startswith(prefix)}


def _material(told: Mapping[str, Any]) -> Material:
    uri = text(told.get("uri"))
    place, _, query = uri.partition("?")
    digests = {_sha256(told), *(each for each in parse_qs(query).get("digest", []) if each.startswith("sha256:"))}
    name = unquote(place.partition("/")[2]).partition("@")[0] if uri.startswith(IMAGES) else uri
    return Material(uri=uri, name=name, digests=frozenset(filter(None, digests)))


def _sha256(told: Mapping[str, Any]) -> str:
    value = text(mapping(told.get("digest")).get("sha256"))
    return f"sha256:{value}" if value else ""
