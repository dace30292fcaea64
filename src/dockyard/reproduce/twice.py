"""Two builds without cache, from copies that differ in all that should not matter; and one beside another's image."""

from __future__ import annotations

import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dockyard.build.archived import set_times
from dockyard.reproduce.compare import Comparison, compare
from dockyard.reproduce.masks import DAY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.build.workshop import Workshop
    from dockyard.reproduce.compare import Opened


@dataclass(frozen=True, kw_only=True)
class Checkout:
    """What two checkouts of one commit may differ in: the umask, and how many seconds after the commit it was made."""

    umask: int
    later: int

    def apply(self, folder: Path, commit: int) -> None:
        """Give what is in a folder the rights and the time that this checkout would; of rights git knows one bit."""
        for path in [folder, *folder.rglob("*")]:
            if not path.is_symlink():
                path.chmod((0o777 if path.stat().st_mode & 0o100 else 0o666) & ~self.umask)
        set_times(folder, commit + self.later)


CHECKOUTS = (Checkout(umask=0o022, later=3600), Checkout(umask=0o077, later=DAY))


@dataclass(frozen=True, kw_only=True)
class Rebuilt:
    """What came of it.

    Attributes:
        seconds: That each build took.
    """

    comparison: Comparison
    seconds: tuple[float, ...]


def build_twice(shop: Workshop) -> Rebuilt:
    """Build twice and compare; the builder must be one that writes archives."""
    begun = int(time.time()) - DAY
    # Both are copied before either is built, so that an edit meanwhile makes no difference.
    with _folder() as folder, shop.copied() as one, shop.copied() as other:
        first, second = folder / "0.tar", folder / "1.tar"
        for copy, checkout in zip((one, other), CHECKOUTS, strict=True):
            checkout.apply(copy, shop.plan.epoch)
        seconds = _built(shop, one, first), _built(shop, other, second)
        comparison = compare(lambda: first, lambda: second, dockerfile=shop.dockerfile, stage=shop.target, since=begun)
    return Rebuilt(comparison=comparison, seconds=seconds)


def build_beside(shop: Workshop, other: Opened) -> Rebuilt:
    """Build once, as `build --reproducible` does, and compare with an image that somebody made."""
    since = shop.plan.epoch - DAY
    with _folder() as folder, shop.copied() as copy:
        first = folder / "0.tar"
        set_times(copy, shop.plan.epoch)
        seconds = _built(shop, copy, first)
        comparison = compare(lambda: first, other, dockerfile=shop.dockerfile, stage=shop.target, since=since)
    return Rebuilt(comparison=comparison, seconds=(seconds,))


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="dockyard-") as folder:
        yield Path(folder)


def _built(shop: Workshop, copy: Path, archive: Path) -> float:
    """Build a copy into an archive, and return the seconds it took."""
    options = shop.plan.archived(archive)
    return shop.build(copy, **{name: options[name] for name in ("build_args", "cache", "output")}).seconds
