"""Which image of an archive is meant: by name, by platform, and from either kind of manifest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dockyard.errors import DockyardError, SettingsError
from dockyard.image.documents import blob_of, items, mapping, text
from dockyard.image.notes import shown, unreadable
from dockyard.image.tar import normal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dockyard.image.documents import Documents
    from dockyard.image.notes import Notes

INDEX, LIST = "/index.json", "/manifest.json"
MAX_DEPTH = 4
MAX_MANIFESTS = 1000
NAMES = ("io.containerd.image.name", "org.opencontainers.image.ref.name")
KIND, REFERS = "vnd.docker.reference.type", "vnd.docker.reference.digest"
ATTESTATION = "attestation-manifest"
STATEMENT = "application/vnd.in-toto+json"


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """One manifest of an index.

    Attributes:
        group: Which descriptor of index.json it is, or is below.
        refers: Digest of the manifest that it attests; empty for an image's own.
    """

    group: int
    names: tuple[str, ...]
    digest: str
    refers: str
    document: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """An image of the archive: paths of its configuration and its layers, from the lowest."""

    names: tuple[str, ...]
    digest: str
    config: str
    layers: tuple[str, ...]

    def answers_to(self, reference: str) -> bool:
        """Whether a reference, an id or a digest means it."""
        wanted = reference.rpartition("@")[2]
        own = {self.digest, f"sha256:{self.config.rpartition('/')[2].removesuffix('.json')}"}
        return wanted in own or canonical(reference) in {canonical(each) for each in self.names}


def canonical(reference: str) -> str:
    """Return a reference with the parts that docker lets one leave out."""
    name, _, tag = reference.rpartition(":") if ":" in reference.rpartition("/")[2] else (reference, "", "latest")
    first, slash, rest = name.partition("/")
    if not slash:
        name = f"docker.io/library/{name}"
    elif "." not in first and ":" not in first and first != "localhost":
        name = f"docker.io/{first}/{rest}"
    return f"{name}:{tag}"


def choose(documents: Documents, reference: str) -> tuple[Candidate, tuple[Manifest, ...]]:
    """Return the image that is meant, and all manifests that the archive has.

    Raises:
        SettingsError: There are several, and none or more than one is meant.
        EngineError: There is none.
    """
    manifests = tuple(_manifests(documents))
    candidates = tuple(_listed(documents, manifests)) or tuple(_first_of_each(manifests))
    images = {each.config: each for each in reversed(candidates)}
    meant = {each.config: each for each in reversed(candidates) if reference and each.answers_to(reference)}
    if len(meant) == 1 or len(images) == 1:
        return next(iter((meant or images).values())), manifests
    if not images:
        raise unreadable("the archive", "It has neither manifest.json nor index.json with an image in it.")
    raise _ambiguous(candidates, reference)


def _ambiguous(candidates: tuple[Candidate, ...], reference: str) -> DockyardError:
    names = ", ".join(shown(each) for candidate in candidates[:20] for each in candidate.names or (candidate.config,))
    return SettingsError(
        f"The archive does not tell which image {reference or 'of it'} is.", f"It holds {names}.", "Name one of them."
    )


def _manifests(documents: Documents) -> Iterator[Manifest]:
    """Yield the manifests of index.json that the archive has, those of indexes in it included."""
    if documents.find(INDEX) is None:
        return
    found = 0
    descriptors = items(mapping(documents.document(INDEX)).get("manifests"))
    unnamed: tuple[str, ...] = ()
    waiting = [(each, number, unnamed, 1) for number, each in enumerate(descriptors)][::-1]
    while waiting and found < MAX_MANIFESTS:
        descriptor, group, above, depth = waiting.pop()
        found += 1
        notes = mapping(mapping(descriptor).get("annotations"))
        names: tuple[str, ...] = above or tuple(text(notes.get(key)) for key in NAMES if text(notes.get(key)))
        digest = text(mapping(descriptor).get("digest"))
        # The engine saves one platform of an index that names many.
        if documents.find(blob_of(digest)) is None:
            continue
        document = mapping(documents.document(blob_of(digest)))
        if "manifests" in document and depth < MAX_DEPTH:
            waiting += [(each, group, names, depth + 1) for each in items(document["manifests"])][::-1]
        elif "config" in document:
            refers = text(notes.get(REFERS)) if notes.get(KIND) == ATTESTATION else ""
            yield Manifest(group=group, names=names, digest=digest, refers=refers, document=document)


def _listed(documents: Documents, manifests: tuple[Manifest, ...]) -> Iterator[Candidate]:
    """Yield the images of manifest.json."""
    if documents.find(LIST) is None:
        return
    digests = {_config_of(each): each.digest for each in reversed(manifests)}
    for each in map(mapping, items(documents.document(LIST))):
        config = normal(text(each.get("Config"))) or ""
        yield Candidate(
            names=tuple(name for name in items(each.get("RepoTags")) if isinstance(name, str)),
            digest=digests.get(config, ""),
            config=config,
            layers=tuple(normal(text(layer)) or text(layer) for layer in items(each.get("Layers"))),
        )


def _first_of_each(manifests: tuple[Manifest, ...]) -> Iterator[Candidate]:
    """Yield the first image below each descriptor of index.json: one of its platforms."""
    groups: set[int] = set()
    for each in manifests:
        if not each.refers and each.group not in groups:
            groups.add(each.group)
            layers = (mapping(layer).get("digest") for layer in items(each.document.get("layers")))
            yield Candidate(
                names=each.names, digest=each.digest, config=_config_of(each), layers=tuple(map(blob_of, layers))
            )


def _config_of(manifest: Manifest) -> str:
    return blob_of(mapping(manifest.document.get("config")).get("digest"))


def attestations(
    documents: Documents, manifests: tuple[Manifest, ...], digest: str, notes: Notes
) -> Iterator[Mapping[str, Any]]:
    """Yield the in-toto statements about an image; one that cannot be read is a problem."""
    for manifest in manifests:
        if not digest or manifest.refers != digest:
            continue
        for layer in map(mapping, items(manifest.document.get("layers"))):
            if layer.get("mediaType") == STATEMENT:
                try:
                    yield mapping(documents.document(blob_of(layer.get("digest"))))
                except DockyardError as error:
                    notes.problem(f"An attestation cannot be read. {error.why}")
