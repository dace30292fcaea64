"""A stream of `docker save` -> Image, in one pass; three threads share it: receiving, decompressing, looking."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dockyard.image.archive import Archive, Blob
from dockyard.image.choose import attestations, choose
from dockyard.image.content import Reader
from dockyard.image.documents import Documents, items, mapping, text
from dockyard.image.keep import keep_known
from dockyard.image.merge import merge
from dockyard.image.model import HistoryStep, Image, Layer, Match
from dockyard.image.notes import Fault, Notes, shown, unreadable
from dockyard.image.scan import Scanner
from dockyard.image.source import ahead, chunks_of, grouped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from dockyard.image.choose import Candidate
    from dockyard.image.model import Pattern
    from dockyard.image.names import Content

MAX_LAYERS = 256


def read(
    source: Iterator[bytes] | Path,
    *,
    keep: Callable[[str, int, bytes], bool] = keep_known,
    patterns: Sequence[Pattern] = (),
    reference: str = "",
) -> Image:
    """Read a saved image.

    Args:
        source: The archive, as the engine sends it, or its file.
        keep: Told a file's path, size and first 256 bytes, says whether its bytes are kept.
        patterns: What to look for in every file of every layer.
        reference: Which image of the archive; needed only if it holds several.

    Raises:
        EngineError: The archive is broken, cut off, or larger than can be held; its bad member is named.
        SettingsError: It holds several images, and `reference` does not tell which.
    """
    notes = Notes()
    reader = Reader(keep, Scanner(patterns, notes), notes)
    received = chunks_of(source) if isinstance(source, Path) else source
    try:
        archive = Archive(ahead(grouped(received)))
        contents = _contents(archive, reader)
        return _image(archive, contents, reference, notes)
    except OSError as error:
        raise unreadable(str(source), error.strerror or str(error)) from None


def _contents(archive: Archive, reader: Reader) -> dict[Blob, Content]:
    """Read every layer of an archive; one that cannot be read has its fault in its blob."""
    contents = {}
    with closing(ahead(archive.events())) as events:
        for blob in events:
            if isinstance(blob, Blob):
                chunks = _until_next(events)
                fault = ""
                try:
                    if blob.kind == "layer":
                        contents[blob] = reader.read(chunks)
                except Fault as error:
                    fault = str(error)
                for _ in chunks:
                    pass
                blob.fault = blob.fault or fault
    return contents


def _until_next(events: Iterator[Blob | bytes]) -> Iterator[bytes]:
    """Yield the bytes of the blob that began: all events before it is named again."""
    for event in events:
        if isinstance(event, Blob):
            return
        yield event


def _image(archive: Archive, contents: Mapping[Blob, Content], reference: str, notes: Notes) -> Image:
    """Put together the image that is meant."""
    documents = Documents(archive.blobs, archive.links)
    chosen, manifests = choose(documents, reference)
    config = mapping(documents.document(chosen.config))
    blobs = [documents.need(name) for name in chosen.layers]
    _check(chosen, config, blobs)
    own = [_placed(contents[blob], index, again=blob in blobs[:index]) for index, blob in enumerate(blobs)]
    history = _history(config, len(blobs))
    steps = {step.layer: number for number, step in enumerate(history)}
    layers = tuple(_layer(index, blob, steps.get(index, -1), own[index]) for index, blob in enumerate(blobs))
    for problem in archive.problems:
        notes.problem(problem)
    for blob in archive.blobs.values():
        if blob.fault and blob not in blobs:
            notes.problem(f"{shown(blob.name)} is broken, though the image is not made of it. {blob.fault}")
    try:
        files, seen = merge(layers, own, notes)
    except Fault as fault:
        raise unreadable("the archive", str(fault)) from None
    return Image(
        reference=reference or next(iter(chosen.names), ""),
        id=f"sha256:{documents.need(chosen.config).digest}",
        digest=chosen.digest,
        config=config,
        history=history,
        layers=layers,
        files=files,
        contents=seen,
        kept={(index, path): data for index, content in enumerate(own) for path, data in content.kept.items()},
        matches=_matches(own),
        attestations=tuple(attestations(documents, manifests, chosen.digest, notes)),
        problems=notes.problems,
    )


def _check(chosen: Candidate, config: Mapping[str, Any], blobs: Sequence[Blob]) -> None:
    """See that the layers are those that the configuration wants.

    Raises:
        EngineError: They are not.
    """
    wanted = [text(each) for each in items(mapping(config.get("rootfs")).get("diff_ids"))]
    if len(wanted) != len(blobs) or len(blobs) > MAX_LAYERS:
        why = f"It wants {len(wanted)} layers, the manifest has {len(blobs)}; at most {MAX_LAYERS} can be read."
        raise unreadable(chosen.config, why)
    for blob, diff_id in zip(blobs, wanted, strict=True):
        if blob.kind != "layer":
            raise unreadable(blob.name, "It is no tar, compressed with gzip, zstd or not at all.")
        if f"sha256:{blob.inner_digest}" != diff_id:
            why = f"The configuration wants the layer {shown(diff_id)[:19]}, it holds {blob.inner_digest[:12]}."
            raise unreadable(blob.name, why)


def _placed(content: Content, index: int, *, again: bool) -> Content:
    """Return what a layer holds, told which one it is; one blob can be several layers, most are one and not copied."""
    placed = replace(content, entries=dict(content.entries)) if again else content
    for path, entry in placed.entries.items():
        placed.entries[path] = entry.in_layer(index)
    return placed


def _layer(index: int, blob: Blob, step: int, content: Content) -> Layer:
    return Layer(
        index=index,
        digest=f"sha256:{blob.digest}",
        diff_id=f"sha256:{blob.inner_digest}",
        size=blob.size,
        compressed=blob.compressed,
        history=step,
        entries=content.entries,
        whiteouts=frozenset(content.whiteouts),
        opaque=frozenset(content.opaque),
    )


def _matches(own: Sequence[Content]) -> tuple[Match, ...]:
    found = [replace(match, layer=index) for index, content in enumerate(own) for match in content.matches]
    return tuple(sorted(found, key=lambda match: (match.layer, match.path, match.offset, match.pattern)))


def _history(config: Mapping[str, Any], layers: int) -> tuple[HistoryStep, ...]:
    """Return the steps of the build; those that are not empty made the layers, in their order."""
    history = []
    made = 0
    for told in map(mapping, items(config.get("history"))):
        empty = told.get("empty_layer") is True
        history.append(
            HistoryStep(
                created_by=text(told.get("created_by")),
                created=text(told.get("created")),
                comment=text(told.get("comment")),
                empty=empty,
                layer=None if empty or made >= layers else made,
            )
        )
        made += not empty
    return tuple(history)
