"""The fields of RUN --mount."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dockyard.dockerfile.problem import Refused
from dockyard.dockerfile.tree import Mount

if TYPE_CHECKING:
    from collections.abc import Callable

# As in a table of comma-separated values: a field with a comma is quoted.
FIELD = re.compile(r'(?:(?<=,)|(?<![^\0]))(?:"(?:[^"]|"")*+"|[^",]*+)')
ROW = re.compile(r'(?:"(?:[^"]|"")*+"|[^",]*+)(?:,(?:"(?:[^"]|"")*+"|[^",]*+))*+')
# Every name that BuildKit knows, and what we call it.
NAMES = {
    **{name: name for name in ("type", "target", "source", "id", "sharing", "size", "mode", "uid", "gid", "env")},
    "from": "from_",
    "src": "source",
    "dst": "target",
    "destination": "target",
    "required": "required",
    "readonly": "readonly",
    "ro": "readonly",
    "readwrite": "readwrite",
    "rw": "readwrite",
}
BARE = ("readonly", "readwrite", "required")
FIELDS = ("type", "target", "source", "id", "from_", "sharing")
# What each type allows besides target, source, from, id, readonly and readwrite.
TYPES = {
    "bind": (),
    "cache": ("sharing", "mode", "uid", "gid"),
    "tmpfs": ("size",),
    "secret": ("required", "mode", "uid", "gid", "env"),
    "ssh": ("required", "mode", "uid", "gid"),
}
BOOLEANS = ("1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False")
VALUES: dict[str, re.Pattern[str]] = {
    "sharing": re.compile("shared|private|locked"),
    "mode": re.compile("[0-7]+"),
    "uid": re.compile(r"\d+"),
    "gid": re.compile(r"\d+"),
    **{name: re.compile("|".join(BOOLEANS)) for name in BARE},
}


def fields(text: str) -> list[str]:
    """Cut the value of --mount at its commas.

    Raises:
        Refused: It is no line of CSV.
    """
    if not text or not ROW.fullmatch(text):
        raise Refused(f"--mount={text} is no list of fields with commas between them.")
    return [each[0][1:-1].replace('""', '"') if each[0].startswith('"') else each[0] for each in FIELD.finditer(text)]


def read(text: str, expand: Callable[[str], str]) -> Mount:
    """Read the value of --mount.

    Args:
        text: The value.
        expand: Replaces the variables in a field's value.

    Raises:
        Refused: BuildKit knows no such field, or not with such a value.
    """
    found: dict[str, str] = {}
    for each in fields(text):
        key, separator, value = each.partition("=")
        name = NAMES.get(key.lower())
        if name is None or not (separator or name in BARE):
            raise Refused(f"--mount has no field {each}.")
        if name == "from_" and "$" in value.removesuffix("$"):
            raise Refused("--mount takes no variable in from; name a stage that is built FROM it.")
        value = expand(value) if separator else "true"
        found[name] = value.lower() if name in ("type", "sharing") else value
    return _mount(found)


def _mount(found: dict[str, str]) -> Mount:
    kind = found.get("type", "bind")
    if kind not in TYPES:
        raise Refused(f"--mount has no type {kind}.")
    for name, value in found.items():
        if name in VALUES and not VALUES[name].fullmatch(value):
            raise Refused(f"--mount has {name}={value}, which is no value of it.")
        if name not in (*FIELDS[:5], "readonly", "readwrite", *TYPES[kind], "env"):
            raise Refused(f"--mount=type={kind} takes no {name}.")
    if kind == "secret" and (found.get("from_") or not any(map(found.get, ("source", "target", "id")))):
        raise Refused("A secret mount has an id, a source or a target, and no from.")
    if kind == "secret" and found.get("source") and found.get("id"):
        raise Refused("A secret mount has an id or a source, not both.")
    options = {name: value for name, value in found.items() if name not in FIELDS}
    given = {name: value for name, value in found.items() if name in FIELDS}
    return Mount(**{"type": kind, **given}, options=options)
