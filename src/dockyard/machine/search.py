"""Where a base image may come from, short of assembling it: the engine, a registry, a folder of saved images."""

from __future__ import annotations

import json
import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dockyard.errors import DockyardError, EngineError
from dockyard.machine import assemble, interpreters
from dockyard.machine.findings import Base

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dockyard.engines import Engine
    from dockyard.engines.facts import ImageFacts
    from dockyard.machine.findings import Wanted

ASSEMBLED = "assembled on a machine, not the official image"


@dataclass(frozen=True, kw_only=True)
class Search:
    """The search for bases on one machine.

    Attributes:
        silent: Registries that did not answer, and why: each is asked once, not once for every Python.
    """

    wanted: Wanted
    engine: Engine
    environment: Mapping[str, str]
    root: Path = Path("/")
    silent: dict[str, str] = field(default_factory=dict)

    def local(self, python: str, *, official: bool) -> Base | None:
        """Return a base that the engine has, an official or an assembled one; its labels decide, not its name."""
        wanted = self.wanted.reference(python)
        for reference in (wanted, *published_as(wanted, self.wanted.mirror), assemble.reference_of(wanted)):
            facts = self.engine.daemon.image(reference)
            if facts and is_official(reference, facts) == official:
                return Base(
                    reference=reference,
                    official=official,
                    pinned=self._pinned(reference, facts),
                    digest=facts.digest,
                    how="official" if official else ASSEMBLED,
                )
        return None

    def pulled(self, python: str, reasons: list[str]) -> Base | None:
        """Pull a base, and give it the plain name too, so that a plain `docker build` finds it."""
        wanted = self.wanted.reference(python)
        for reference in published_as(wanted, self.wanted.mirror):
            registry = registry_of(reference)
            try:
                if registry in self.silent:
                    reasons.append(self.silent[registry])
                elif self.engine.daemon.published(reference) is None:
                    reasons.append(f"There is no {reference}.")
                else:
                    self.engine.buildx.pull(reference)
                    return self._named(reference, python, f"pulled from {registry}")
            except DockyardError as error:
                self.silent[registry] = f"Asking {registry} failed ({error.why})."
                reasons.append(self.silent[registry])
        return None

    def loaded(self, python: str, reasons: list[str]) -> Base | None:
        """Load a base from the folder of saved images."""
        wanted = self.wanted.reference(python)
        names = {wanted, *published_as(wanted, self.wanted.mirror), assemble.reference_of(wanted)}
        for path in sorted(self.wanted.archives.glob("*.tar*")) if self.wanted.archives else ():
            try:
                fitting = sorted(names & saved_references(path))
                if fitting:
                    self.engine.buildx.load(path)
                    return self._named(fitting[0], python, f"loaded from {path}")
            except DockyardError as error:
                reasons.append(f"{path} cannot be loaded ({error.why}).")
            except (tarfile.TarError, OSError, ValueError, KeyError) as error:
                reasons.append(f"{path} is no saved image ({error}).")
        return None

    def _named(self, reference: str, python: str, how: str) -> Base:
        """Return a base that has just come, under its plain name if it is an official one."""
        facts = self.engine.daemon.image(reference)
        if facts is None:
            raise EngineError(f"{reference} did not come.", "The engine has it not.", "Run `invoke setup` again.")
        official = is_official(reference, facts)
        wanted = self.wanted.reference(python)
        if official and reference != wanted and "@" not in wanted:
            self.engine.buildx.tag(reference, wanted)
            reference = wanted
        return Base(
            reference=reference,
            official=official,
            pinned=self._pinned(reference, facts),
            digest=facts.digest,
            how=how if official else f"{how}; {ASSEMBLED}",
        )

    def _pinned(self, reference: str, facts: ImageFacts) -> str:
        """Return a reference with its digest, where every engine knows the image by it.

        One that was assembled or loaded, or came from a mirror and got its plain name here, containerd's store does not
        find by digest, and would ask a registry for.
        """
        elsewhere = self.wanted.mirror or self.wanted.archives or not is_official(reference, facts)
        known = facts.digests and "@" not in reference and not elsewhere
        return f"{reference}@{facts.digest}" if known else reference

    def interpreter(self, python: str) -> interpreters.Interpreter | None:
        """Return a CPython of this machine that can go into a base."""
        return interpreters.find(python, Path.home(), self.environment)


def is_official(reference: str, facts: ImageFacts) -> bool:
    """Whether an image is not one of the assembled, whatever it is called."""
    return facts.labels.get(assemble.LABEL) != "assembled" and not reference.startswith(f"{assemble.HOST}/")


def registry_of(reference: str) -> str:
    """Return the registry of a reference, in words for the public one."""
    first, slash, _ = reference.partition("/")
    return first if slash and ("." in first or ":" in first or first == "localhost") else "the public registry"


def published_as(reference: str, mirror: str | None) -> tuple[str, ...]:
    """Return the names that a registry may have an image under; some mirrors want its hidden `library/`."""
    if not mirror or registry_of(reference) != "the public registry":
        return (reference,)
    plain = f"{mirror.rstrip('/')}/{reference}"
    return (plain,) if "/" in reference else (plain, f"{mirror.rstrip('/')}/library/{reference}")


def saved_references(path: Path) -> set[str]:
    """Return the names of the images in a saved archive, old and new form, without the public registry's own prefix."""
    with tarfile.open(path) as archive:
        member = archive.extractfile("manifest.json")
        images = json.load(member) if member else []
    names = {name for image in images for name in image.get("RepoTags") or ()}
    return {name.removeprefix("docker.io/").removeprefix("library/") for name in names}
