"""SUP: what is installed is locked, and the same sources give the same image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockyard.audit.facts.installs import installs
from dockyard.audit.facts.locks import locked
from dockyard.audit.rule import Rule, part
from dockyard.audit.verdict import Place, Severity, broken, holds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.audit.read import TextFile
    from dockyard.audit.trials import Twice
    from dockyard.audit.verdict import Proof
    from dockyard.dockerfile import Dockerfile


class LockedWithHashes(Rule):
    """Every Python package is locked to one version and its hashes, and every install insists on them.

    A version alone can be uploaded again, or come from another index; a range gives another image tomorrow. Hashes that
    the installer is not told to require protect nothing: one line without them switches the check off.

    Remedy: Compile the lock with hashes (`uv pip compile --generate-hashes`) and install it with `--require-hashes`;
    with `uv sync` give `--locked`.
    """

    id = "SUP-01"
    title = "Dependencies locked with hashes"
    severity = Severity.HIGH
    references = ("CIS 4.11", "NIST 800-190 4.1.3")

    @part
    def lock(self, lock: TextFile) -> Iterator[Proof]:
        """Every requirement of the lock is exact and has a hash."""
        lines = list(locked(lock))
        faults = [broken(f"`{each.text}` {each.fault}", each.place) for each in lines if each.fault]
        yield from faults
        whole = Place(subject=lock.path, file=lock.path, line=1)
        if not lines:
            yield broken(f"{lock.path} has no requirement", whole)
        elif not faults:
            yield holds(f"{len(lines)} requirements of {lock.path} are pinned and have hashes", whole)

    @part
    def installs(self, dockerfile: Dockerfile) -> Iterator[Proof]:
        """Every install of every stage is held to a lock."""
        found = list(installs(dockerfile))
        for each in found:
            if each.fault:
                yield broken(f"`{each.command}`: {each.fault}", each.place)
            else:
                yield holds(f"`{each.command}` is held to hashes", each.place)
        if not found:
            yield holds("no instruction installs Python packages", Place(subject="RUN", file=dockerfile.name, line=1))


class BitForBit(Rule):
    """Two builds without cache give the same image, to the bit.

    Only then can anybody check that an image was made from the sources it names, and a rebuild for a fix changes
    nothing but the fix.

    Remedy: Set `SOURCE_DATE_EPOCH` and `rewrite-timestamp`; find what the files that differ have of time, order or
    chance in them.
    """

    id = "SUP-06"
    title = "Bit-for-bit rebuild"
    severity = Severity.MEDIUM
    references = ("SLSA Build", "SOURCE_DATE_EPOCH")

    @part
    def same(self, rebuild: Twice) -> Iterator[Proof]:
        """The digests of the builds are one, and no file differs."""
        place = Place(subject="two builds without cache")
        told = ", ".join(each[:19] for each in rebuild.digests)
        for path in rebuild.differing:
            yield broken(f"{path} differs between two builds", Place(subject=path))
        if len(rebuild.digests) < 2 or len(set(rebuild.digests)) != 1:  # noqa: PLR2004 - it takes two
            yield broken(f"two builds gave {told or 'no digest'}: the digests differ between two builds", place)
        elif not rebuild.differing:
            yield holds(f"{len(rebuild.digests)} builds gave {told.partition(',')[0]}", place)
