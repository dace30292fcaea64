"""In what the configurations of two images differ."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dockyard.image.documents import items, mapping, text
from dockyard.reproduce.difference import How, Seen
from dockyard.reproduce.shown import is_secret, line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dockyard.image import Image

ABSENT = "nothing"
# Told apart from the others: the layers are compared before, and each has a place of its own.
APART = {"config", "rootfs", "history", "created"}


def differing(one: Image, other: Image) -> Iterator[tuple[str, Seen]]:
    """Yield the names of the configuration that differ, and how."""
    first, second = (mapping(each.config.get("config")) for each in (one, other))
    yield from _pairs(How.ENVIRONMENT, "Env", _environment(first), _environment(second))
    yield from _pairs(How.LABEL, "Labels", mapping(first.get("Labels")), mapping(second.get("Labels")))
    yield from _pairs(How.SETTING, "config", _rest(first, {"Env", "Labels"}), _rest(second, {"Env", "Labels"}))
    yield from _pairs(How.CREATED, "", _only(one.config, "created"), _only(other.config, "created"))
    yield from _history(one, other)
    yield from _pairs(How.SETTING, "", _rest(one.config, APART), _rest(other.config, APART))


def _environment(config: Mapping[str, Any]) -> dict[str, Any]:
    return dict(each.partition("=")[::2] for each in map(text, items(config.get("Env"))))


def _rest(config: Mapping[str, Any], apart: set[str]) -> dict[str, Any]:
    return {name: value for name, value in config.items() if name not in apart}


def _only(config: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {name: config[name]} if name in config else {}


def _pairs(how: How, section: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[tuple[str, Seen]]:
    """Yield the names that have other values; if none has, whether they stand in another order."""
    found = False
    for name in [*one, *(each for each in other if each not in one)]:
        if one.get(name, ABSENT) != other.get(name, ABSENT):
            found = True
            yield f"{section}.{name}".lstrip("."), Seen(how=how, detail=_both(name, one, other))
    if not found and section == "Env" and list(one) != list(other):
        yield section, Seen(how=How.ORDER, detail="its variables are equal, in another order")


def _both(name: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """Return both values, unless they may be secret."""
    values = [each.get(name, ABSENT) for each in (one, other)]
    plain = [each if isinstance(each, str) else json.dumps(each) for each in values]
    if any(is_secret(name, each) for each in plain):
        return "two values, which are not shown: the name sounds like that of a secret"
    return " and ".join(map(line, plain))


def _history(one: Image, other: Image) -> Iterator[tuple[str, Seen]]:
    """Yield the first step of the history that differs."""
    if len(one.history) != len(other.history):
        yield "history", Seen(how=How.HISTORY, detail=f"{len(one.history)} and {len(other.history)} steps")
        return
    for number, pair in enumerate(zip(one.history, other.history, strict=True)):
        for name in ("created_by", "created", "comment", "empty"):
            values = [getattr(each, name) for each in pair]
            if values[0] != values[1]:
                told = " and ".join(line(str(each)) for each in values)
                yield f"history[{number}].{name}", Seen(how=How.HISTORY, detail=told)
                return
