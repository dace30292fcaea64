"""What an ONNX file says of itself, read from its bytes: the graph is stepped over."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Fields of ModelProto, and of the entries of its metadata.
PRODUCER, PRODUCER_VERSION, DOC, METADATA = 2, 3, 6, 14
KEY, VALUE = 1, 2
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
MOST_BYTES_OF_VARINT = 10


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a model's file says.

    Attributes:
        producer: What wrote it, with its version.
        properties: Its metadata.
    """

    producer: str = ""
    description: str = ""
    properties: Mapping[str, str] = field(default_factory=dict)


def metadata(content: bytes) -> Told:
    """Return what a file says; nothing of one that is no ONNX."""
    texts: dict[int, str] = {}
    properties: dict[str, str] = {}
    try:
        for number, value in _fields(content):
            if number == METADATA:
                entry = {key: _text(part) for key, part in _fields(value)}
                properties[entry.get(KEY, "")] = entry.get(VALUE, "")
            elif number in {PRODUCER, PRODUCER_VERSION, DOC}:
                texts[number] = _text(value)
    except ValueError:
        return Told()
    producer = f"{texts.get(PRODUCER, '')} {texts.get(PRODUCER_VERSION, '')}".strip()
    return Told(producer=producer, description=texts.get(DOC, ""), properties=properties)


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def _fields(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield number and bytes of each field of a protobuf message; numbers are left out.

    Raises:
        ValueError: It is none.
    """
    at = 0
    while at < len(content):
        tag, at = _varint(content, at)
        kind = tag & 7
        if kind == VARINT:
            _, at = _varint(content, at)
        elif kind in {FIXED64, FIXED32}:
            at += 8 if kind == FIXED64 else 4
        elif kind == BYTES:
            size, at = _varint(content, at)
            if at + size > len(content):
                raise ValueError("a field is cut off")
            yield tag >> 3, content[at : at + size]
            at += size
        else:
            raise ValueError("no field begins here")


def _varint(content: bytes, at: int) -> tuple[int, int]:
    """Return a number, and where the next thing begins."""
    value = 0
    for count, byte in enumerate(content[at : at + MOST_BYTES_OF_VARINT]):
        value |= (byte & 0x7F) << (7 * count)
        if not byte & 0x80:
            return value, at + count + 1
    raise ValueError("a number is cut off")
