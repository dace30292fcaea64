"""Images whose sizes are told."""

from __future__ import annotations

from dockyard.size import Base, Breach, Measured, Sized, compare, measure
from images import file, image_of, whiteout
from unit.size.installed import installed

LOWER = [file("usr/lib/libc.so", b"c" * 400_000), file("usr/bin/sh", b"s" * 50_000, mode=0o755)]
NUMPY = installed("numpy", "2.5.5", {"numpy/core.so": b"n" * 300_000})
OLD_NUMPY = installed("numpy", "2.4", {"numpy/core.so": b"n" * 200_000})
PYDANTIC = installed("pydantic", "2", {"pydantic/a.py": b"p" * 20_000})
APP = [file("app/main.py", b"a" * 9_000), file("app/copy.py", b"a" * 9_000), whiteout("usr/bin/sh")]
BREACH = Breach(key="size.total", budget="1k", allowed=1024, bytes=2048, place="most is layer 0")


def measured(*layers, name: str = "api:prod", base: int = 1, **changed) -> Measured:
    """Measure an image of these layers; without any, of a service on a base."""
    image = image_of(*(layers or (LOWER, [*NUMPY, *PYDANTIC], APP)), **changed)
    below = Base(reference="base:1", layers=base) if base else None
    return measure(image, name=name, base=below, dockerfile="Dockerfile", lines={0: 1, 1: 3, 2: 4})


def sized() -> Sized:
    """Return a service's size, compared with an older one, over its budget."""
    now, before = measured(), measured(LOWER, OLD_NUMPY, name="api:older")
    return Sized(measured=now, comparison=compare(before, now), breaches=(BREACH,))
