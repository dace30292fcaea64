"""Two builds without cache, from copies that differ in all that should not matter, compared by digest."""

from __future__ import annotations

import calendar
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from dockyard import image
from dockyard.audit.evidence import Missing
from dockyard.audit.trials import Twice
from dockyard.plan import OCI

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.audit.probes.builds_workshop import Workshop
    from dockyard.image import Entry, Image

SHOWN = 20
# What two checkouts of one commit may differ in: their umask, and how many seconds after the commit they were made.
CHECKOUTS = ((0o022, 3600), (0o077, 86400))
# Stands for the time of the commit outside git.
SOME_TIME = 1_000_000_000
COMPARED = ("kind", "mode", "uid", "gid", "size", "mtime", "target", "capability", "sha256")


def rebuild(shop: Workshop) -> Twice | Missing:
    """Build twice without the layer cache, and name the files that differ if the digests do."""
    if not shop.archives():
        return Missing("Only containerd's image store, or a builder of its own, writes images with their own times.")
    with tempfile.TemporaryDirectory(prefix="dockyard-") as folder:
        archives = [Path(folder, f"{number}.tar") for number in range(len(CHECKOUTS))]
        digests = [_built(shop, archive, *how) for archive, how in zip(archives, CHECKOUTS, strict=True)]
        same = len(set(digests)) == 1
        differing = () if same else tuple(_differing(*(image.read(archive) for archive in archives)))[:SHOWN]
    return Twice(digests=tuple(digests), differing=differing)


def _built(shop: Workshop, archive: Path, umask: int, later: int) -> str:
    """Build a copy as another checkout would be, and return the image's digest."""
    epoch = _epoch(shop)
    with shop.copied() as copy:
        for path in [copy, *copy.rglob("*")]:
            if not path.is_symlink():
                path.chmod((path.stat().st_mode | 0o666) & ~umask | 0o600)
            os.utime(path, (epoch + later, epoch + later), follow_symlinks=False)
        # Its layers are compared, not sent: gzip would take a third of the time.
        output = {"type": "oci", "dest": str(archive), "rewrite-timestamp": "true", "compression": "uncompressed"}
        args = {**shop.plan.args, "SOURCE_DATE_EPOCH": str(epoch)}
        return shop.build(copy, cache=False, output=output, build_args=args).digest


def _epoch(shop: Workshop) -> int:
    """Return the time of the commit that is built; outside git any one does."""
    created = shop.plan.labels.get(f"{OCI}.created", "")
    return calendar.timegm(time.strptime(created, "%Y-%m-%dT%H:%M:%SZ")) if created else SOME_TIME


def _differing(one: Image, other: Image) -> Iterator[str]:
    """Yield what differs, file by file, then in what belongs to no file."""
    if len(one.layers) != len(other.layers):
        yield f"{len(one.layers)} and {len(other.layers)} layers"
    for first, second in zip(one.layers, other.layers, strict=False):
        if first.diff_id != second.diff_id:
            paths = sorted({*first.entries, *second.entries})
            told = [
                f"{path}: {how}" for path in paths if (how := _how(first.entries.get(path), second.entries.get(path)))
            ]
            yield from told or [f"layer {first.index}: the order of its files"]
    if one.id != other.id and one.config.get("rootfs") == other.config.get("rootfs"):
        yield "the configuration"


def _how(first: Entry | None, second: Entry | None) -> str:
    """Return in what two entries differ, with both values where they are short; empty if in nothing."""
    if first is None or second is None:
        return "only in one of them"
    told = []
    for name in COMPARED:
        values = getattr(first, name), getattr(second, name)
        if values[0] != values[1]:
            shown = tuple(f"{value:o}" if name == "mode" else str(value) for value in values)
            told.append("content" if name == "sha256" else f"{name} {shown[0]} and {shown[1]}")
    return ", ".join(told)
