"""The base image: as the engine has it, and as its registry has it now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockyard.audit.evidence import Missing
from dockyard.audit.read import BaseFacts
from dockyard.machine.search import is_official

if TYPE_CHECKING:
    from dockyard.engines import Engine

REGISTRY_SECONDS = 5


def base_facts(engine: Engine, reference: str) -> BaseFacts | Missing:
    """Return what the engine knows of a base.

    Args:
        engine: That has it.
        reference: As a build names it, maybe with its digest.
    """
    facts = engine.daemon.image(reference)
    if facts is None:
        return Missing(f"The engine has no {reference}.")
    return BaseFacts(
        reference=reference,
        digest=facts.digest,
        diff_ids=facts.diff_ids,
        assembled=not is_official(reference, facts),
    )


def published(engine: Engine, base: BaseFacts) -> str | Missing:
    """Return the digest that the registry has for a base's tag; empty for an assembled base, which is in none.

    Raises:
        EngineError: The registry does not answer.
    """
    if base.assembled:
        return ""
    tag = base.reference.partition("@")[0]
    found = engine.daemon.published(tag, seconds=REGISTRY_SECONDS)
    return found or Missing(f"The registry has no {tag}.")
