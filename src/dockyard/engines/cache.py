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
# A description is a step's own text, which may have lines of any form: it ends where all that follows it stands.
RECORD = re.compile(
    r"^ID:\s+(?P<id>\S+)\n(?P<before>(?:(?!Description:|Usage count:)[^\n]*\n)*)"
    r"(?:Description:[ \t]*(?P<description>.*?)\n)?"
    r"Usage count:\s+(?P<uses>\d+)\n(?:Last used:[ \t]+(?P<age>[^\n]*)\n)?Type:\s+(?P<kind>\S+)$",
    re.DOTALL | re.MULTILINE,
)
AGO = re.compile(r"(?P<number>\d+|About an?|Less than a) (?P<unit>second|minute|hour|day|week|month|year)s? ago")
SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800, "month": 2592000, "year": 31536000}
SIZE = re.compile(r"(?P<number>\d+(\.\d+)?)(?P<unit>[kKMGT]?)(?P<binary>i?)B")
MOUNTED = "exec.cachemount"
LIST_BUILDERS = "`docker buildx ls` lists the builders, and `docker buildx inspect --bootstrap NAME` starts one."


@dataclass(frozen=True, kw_only=True)
class CacheRecord:
    """One thing that BuildKit keeps.

    Attributes:
        kind: `regular` is what a step left, `exec.cachemount` a cache mount, `source.local` a context that was sent.
        size: In bytes.
        uses: How often a build had it.
        age: Seconds since a build had it last, as far as buildx tells: of minutes, hours, days; None if it does not.
        description: What made it: a step as BuildKit calls it, or what a step ran.
        parents: Ids of those it stands on.
        target: Where the step that made a cache mount has it; one mount may have several records. Empty for all else.
    """

    id: str
    kind: str
    size: int
    uses: int
    target: str = ""
    age: int | None = None
    description: str = ""
    parents: tuple[str, ...] = ()


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

    def records(self, builder: str | None) -> tuple[CacheRecord, ...]:
        """Return everything that is kept."""
        return tuple(read_records(self._ask(builder, "du", "--verbose")))

    def remove(self, builder: str | None, ids: Sequence[str]) -> int:
        """Remove records, and return how many went; those stay that another one stands on.

        BuildKit may forget results of other steps on the way, and of other projects: they run again.
        """
        told = self._ask(builder, "prune", "--all", "--force", "--filter", f"id=^({'|'.join(ids)})$")
        return sum(line.split("*")[0].split()[:1] == [each] for line in told.splitlines() for each in ids)

    def _ask(self, builder: str | None, command: str, *options: str) -> str:
        """Ask buildx; raise EngineError with its own words if it cannot be asked."""
        chosen = ["--builder", builder] if builder else []
        done = process.run([*self._call, "buildx", command, *chosen, *options])
        if not done.ok:
            raise EngineError(
                "The builder could not be asked for its cache.",
                done.last_line.removeprefix("ERROR: "),
                LIST_BUILDERS,
            )
        return done.output


def read_records(told: str) -> Iterator[CacheRecord]:
    """Read an answer of `docker buildx du --verbose`: records of `Name: value` lines, an empty line between them."""
    for found in RECORD.finditer(told):
        lines = (line.partition(":") for line in found["before"].splitlines())
        fields = {name: value.strip() for name, _, value in lines}
        description = (found["description"] or "").rstrip()
        mount = MOUNT.match(description)
        yield CacheRecord(
            id=found["id"],
            kind=found["kind"],
            size=_bytes(fields.get("Size", "")),
            uses=int(found["uses"]),
            target=mount["target"] if mount else "",
            age=_seconds(found["age"] or ""),
            description=description,
            parents=tuple(re.findall(r"\w+", fields.get("Parent", "") or fields.get("Parents", ""))),
        )


def _seconds(told: str) -> int | None:
    """Read an age as docker writes it for people, for instance `About an hour ago`."""
    found = AGO.fullmatch(told.strip())
    if not found:
        return None
    number = int(found["number"]) if found["number"].isdigit() else int(found["number"].startswith("About"))
    return number * SECONDS[found["unit"]]


def _bytes(told: str) -> int:
    """Read a size as BuildKit writes it for people, for instance 4.096kB or 12.5MiB."""
    found = SIZE.fullmatch(told)
    if not found:
        return 0
    step = 1024 if found["binary"] else 1000
    return int(float(found["number"]) * step ** ("kmgt".find(found["unit"].lower()) + 1 if found["unit"] else 0))
