"""Pins, outcomes and compiled locks to judge and to print."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from dockyard import pin, sbom
from dockyard.machine.pins import Pin

OLD = Pin(
    reference="python:3.12-slim-bookworm",
    platform="linux/amd64",
    digest="sha256:" + "a" * 64,
    contents="sha256:" + "b" * 64,
    pinned=date(2026, 10, 1),
    system="debian 12.11",
    python="3.12.11",
    packages=("deb bash 5.2", "deb libc6 2.36-9", "pypi pip 25.0"),
)
NEW = replace(
    OLD,
    digest="sha256:" + "c" * 64,
    pinned=date(2026, 11, 23),
    system="debian 12.12",
    python="3.12.12",
    packages=("deb libc6 2.36-10", "deb zlib1g 1.2", "pypi pip 25.0"),
)


def outcome(state: pin.State = "as pinned", **changed: object) -> pin.Outcome:
    """Return how a base stands."""
    return pin.Outcome(
        **{"reference": OLD.reference, "state": state, "detail": "asked", "pin": OLD, "age": 3, **changed}
    )


MOVED = outcome("moved", moved=pin.moved(OLD, NEW), ends=pin.ends(NEW, date(2026, 11, 23)), problems=("odd\x1b",))
REFUSED = outcome("refused", pin=None, age=0, detail="no such host", todo="Wait.")


def compiled(old: str, new: str, **files: tuple[int, int]) -> pin.Compiled:
    """Return a lock with `name version` lines, then and now, and the distributions whose files are others."""
    lists = ([sbom.Listed("pypi", *line.split()) for line in text.splitlines()] for text in (old, new))
    changes = sbom.compare(*lists, reference="lock.txt")
    return pin.Compiled(name="lock.txt", text=new, differs=old != new or bool(files), changes=changes, files=files)
