"""What a builder keeps between builds: finished steps, and the contents of cache mounts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockyard.engines import process
from dockyard.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MOUNT = re.compile(r"cached mount (?P<target>\S+) from exec ")
SIZE = re.compile(r"(?P<number>\d+(\.\d+)?)(?P<unit>[kKMGT]?)(?P<binary>i?)B")
MOUNTED = "exec.cachemount"


@dataclass(frozen=True, kw_only=True)
class CacheRecord:
    """One thing that BuildKit keeps.

    Attributes:
        kind: `regular` is what a step left, `exec.cachemount` a cache mount, `source.local` a context that was sent.
        size: In bytes.
        uses: How often a build had it.
        target: Where the step that made a cache mount has it; one mount may have several records. Empty for all else.
    """

    id: str
    kind: str
    size: int
    uses: int
    target: str = ""


class BuildCache:
    """The cache of the builders that one docker command reaches; a builder None is the current one.

    Args:
        call: How docker is called.
    """

    def __init__(self, call: Sequence[str]) -> None:
        self._call = list(call)

    def mounts(self, builder: str | None) -> tuple[CacheRecord, ...]:
        """Return what is kept for cache mounts."""
        told = self._ask(builder, "du", "--verbose", "--filter", f"type={MOUNTED}")
        return tuple(each for each in read_records(told) if each.target)

    def _ask(self, builder: str | None, command: str, *options: str) -> str:
        """Ask buildx; raise EngineError with its own words if it cannot be asked."""
        chosen = ["--builder", builder] if builder else []
        done = process.run([*self._call, "buildx", command, *chosen, *options])
        if not done.ok:
            raise EngineError(
                "The builder could not be asked for its cache.",
                done.last_line,
                "Run `invoke setup --check` to see what the engine has.",
            )
        return done.output


def read_records(told: str) -> Iterator[CacheRecord]:
    """Read an answer of `docker buildx du --verbose`: records of `Name: value` lines, an empty line between them."""
    for record in told.split("\n\n"):
        fields = {name: value.strip() for line in record.splitlines() for name, _, value in [line.partition(":")]}
        if "ID" in fields:
            mount = MOUNT.match(fields.get("Description", ""))
            yield CacheRecord(
                id=fields["ID"],
                kind=fields.get("Type", ""),
                size=_bytes(fields.get("Size", "")),
                uses=int(fields.get("Usage count", 0)),
                target=mount["target"] if mount else "",
            )


def _bytes(told: str) -> int:
    """Read a size as BuildKit writes it for people, for instance 4.096kB or 12.5MiB."""
    found = SIZE.fullmatch(told)
    if not found:
        return 0
    step = 1024 if found["binary"] else 1000
    return int(float(found["number"]) * step ** ("kmgt".find(found["unit"].lower()) + 1 if found["unit"] else 0))
