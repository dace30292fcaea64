"""SUP: the model that the image serves."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from dockyard.audit.facts.configured import at, ours, rights
from dockyard.audit.rule import Rule, part
from dockyard.audit.verdict import Place, Severity, broken, holds, unknown
from dockyard.sbom import is_model

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.audit.verdict import Proof
    from dockyard.image import Entry, Image
    from dockyard.settings import Settings

PICKLES = re.compile(
    r".+\.(pkl|pickle|joblib|dill|cloudpickle|pt|pth|ckpt|sav)(\.(gz|bz2|xz|lzma|z|lz4))?", re.IGNORECASE
)
# Where Python's own and its packages' files are: those have their own hashes (SUP-02).
PACKAGES = re.compile(r"/(?:.*/)?(?:(?:site|dist)-packages|python\d[\d.]*)/.*")
MAGIC = re.compile(rb"\x80[\x02-\x05]|\x93NUMPY.{0,200}'descr': '\|O'|ZF0x", re.DOTALL)
COMPRESSED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"\x04\x22\x4d\x18", b"\x78\x01", b"\x78\x9c", b"\x78\xda")
ZIP, ZIP_PICKLES = b"PK\x03\x04", re.compile(rb"\.pkl|\.pickle")
DIGEST = re.compile(r"\b([0-9a-f]{64})\b(?:[ \t]+\*?(\S+))?")
SUMS = ("SHA256SUMS", "sha256sums.txt", "checksums.txt")
# What is kept of a model to look into it.
MAX_KEPT = 16 << 20
OTHERS_WRITE = 0o022


def keeps(path: str, size: int, patterns: tuple[str, ...]) -> bool:
    """Whether the rule below needs a file's bytes: a model of a size that can be held, or a list of digests."""
    if posixpath.basename(path) in SUMS:
        return size < MAX_KEPT
    return size < MAX_KEPT and (is_model(path, patterns) or is_model(path.removesuffix(".sha256"), patterns))


class ModelIntegrity(Rule):
    """Every model file is the one that its manifest names, belongs to root, and is no pickle.

    A model decides what the service answers, and a pickle runs whatever its maker put in when it is loaded. The
    manifest is a file beside it, `MODEL.sha256` or `SHA256SUMS`, written when the model was trained.

    Remedy: Export the model to ONNX or safetensors, write its SHA-256 beside it (`sha256sum model.onnx >
    model.onnx.sha256`), and copy both with owner root and mode 644.
    """

    id = "SUP-07"
    title = "Model artefact integrity"
    severity = Severity.HIGH
    references = ("OWASP Secure AI Model Ops", "NIST 800-190 4.1.3")

    @part
    def models(self, image: Image, settings: Settings) -> Iterator[Proof]:
        """Each model is what its manifest says, and nobody but root can change it."""
        patterns = settings.audit.models
        if not patterns:
            yield unknown("`models` is not set in [tool.dockyard.audit].")
        elif not ours(image, settings):
            yield unknown(f"{image.reference} is no image of {settings.image}, whose models are known")
            return
        for pattern in patterns:
            if not any(is_model(entry.path, (pattern,)) for entry in image.files.values() if entry.kind != "directory"):
                yield broken(f"no file of the image matches {pattern}", Place(subject=pattern))
        for entry in image.files.values():
            if entry.kind != "directory" and is_model(entry.path, patterns) and not entry.path.endswith(".sha256"):
                yield from _model(image, entry)

    @part
    def strays(self, image: Image) -> Iterator[Proof]:
        """No pickle lies anywhere else in the image."""
        found = [
            entry
            for entry in image.files.values()
            if entry.kind != "directory" and PICKLES.fullmatch(entry.path) and not PACKAGES.fullmatch(entry.path)
        ]
        told = holds("no file outside of Python's own is named like a pickle", Place(subject="/"))
        yield from [broken(f"{entry.path} is a pickle by its name", at(entry)) for entry in found] or [told]


def _model(image: Image, entry: Entry) -> Iterator[Proof]:
    real = image.resolve(entry.path)
    if real is None or not real.is_file:
        yield broken(f"{entry.path} leads to no file", at(entry))
        return
    folder = image.resolve(posixpath.dirname(entry.path))
    for each in (real, *((folder,) if folder else ())):
        if each.uid != 0 or each.mode & OTHERS_WRITE:
            yield broken(f"{each.path} can be changed: {rights(each)}", at(each))
    yield from _digest(image, entry, real)
    yield from _content(image, entry, real)


def _digest(image: Image, entry: Entry, real: Entry) -> Iterator[Proof]:
    """The file's digest is the one that its manifest names."""
    folder, name = posixpath.split(entry.path)
    manifests = [f"{entry.path}.sha256", *(f"{folder}/{each}" for each in SUMS)]
    for path in manifests:
        lines = DIGEST.findall((image.read(path) or b"").decode("utf-8", "replace"))
        named = [digest for digest, file in lines if posixpath.basename(file) in ("", name)]
        if named:
            same = real.sha256 in named
            told = f"{entry.path} has the SHA-256 that {path} names" if same else (
                f"{entry.path} has SHA-256 {real.sha256[:12]}…, {path} names {named[0][:12]}…"
            )  # fmt: skip
            yield (holds if same else broken)(told, at(real))
            return
    yield broken(f"{entry.path} has no manifest beside it that names its SHA-256", at(real))


def _content(image: Image, entry: Entry, real: Entry) -> Iterator[Proof]:
    """The file is no pickle, by its name and by what is in it."""
    content = image.read(entry.path)
    if PICKLES.fullmatch(entry.path) or (content is not None and _is_pickle(content)):
        yield broken(f"{entry.path} is a pickle: loading it runs code", at(real))
    elif content is None:
        yield unknown(f"{entry.path} was not looked into: {real.size} bytes are too many, or were not kept.")
    else:
        yield holds(f"{entry.path} is no pickle", at(real))


def _is_pickle(content: bytes) -> bool:
    """Whether it is a pickle, holds one, or is compressed, as only pickles are among models."""
    if content.startswith(ZIP):
        return bool(ZIP_PICKLES.search(content))
    return bool(MAGIC.match(content)) or content.startswith(COMPRESSED)
