"""Which image a base's name stands for now: what a registry says, else what is here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockyard.errors import EngineError
from dockyard.machine.search import registry_of

if TYPE_CHECKING:
    from dockyard.machine.search import Search


@dataclass(frozen=True, kw_only=True)
class Resolved:
    """What a base's name stands for.

    Attributes:
        reference: The base's name, which is that of its pin.
        image: Under which it can be pulled, or is here.
        digest: Of what the registry has; of the image itself where none was asked.
        assembled: Whether it is an assembled one.
        published: Whether a registry said so.
        how: Where that comes from, for people.
        reasons: Why no registry said so, a sentence each.
    """

    reference: str
    image: str
    digest: str
    assembled: bool
    published: bool
    how: str
    reasons: tuple[str, ...] = ()


def resolve(search: Search, python: str) -> Resolved:
    """Return what a base's name stands for: in a registry or mirror, else in this engine, official before assembled.

    Args:
        search: Where it is looked for.
        python: The base's; empty for an image that is of no Python, which the search is for.

    Raises:
        EngineError: No registry has it, and neither has the engine.
    """
    wanted = search.wanted.reference(python)
    reasons: list[str] = []
    found = search.published(python, reasons)
    if found:
        name, digest = found
        return Resolved(
            reference=wanted,
            image=f"{name}@{digest}",
            digest=digest,
            assembled=False,
            published=True,
            how=f"asked {registry_of(name)}",
        )
    here = sorted((base for base, _ in search.here(python)), key=lambda base: not base.official)
    if not here:
        raise EngineError(
            f"{wanted} cannot be resolved.",
            " ".join(dict.fromkeys(reasons)),
            f"Make the registry or a mirror reachable, or {_other_way(python)}.",
        )
    base = here[0]
    return Resolved(
        reference=wanted if base.official else base.reference,
        image=base.reference,
        digest=base.digest,
        assembled=not base.official,
        published=False,
        how="of this engine" if base.official else "assembled on this machine",
        reasons=tuple(dict.fromkeys(reasons)),
    )


def _other_way(python: str) -> str:
    return f"run `invoke setup --python {python}`" if python else "load the image into the engine: `docker load`"
