"""Where a base image may come from, short of assembling it: the engine, a registry, a folder of saved images."""

from __future__ import annotations

import json
import tarfile
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from dockyard.errors import DockyardError, EngineError
from dockyard.machine import interpreters, names, pins
from dockyard.machine.findings import Base

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dockyard.engines import Engine
    from dockyard.engines.facts import ImageFacts
    from dockyard.machine.findings import Wanted
    from dockyard.machine.pins import Pin

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

    @cached_property
    def pins(self) -> tuple[Pin, ...]:
        """The pins of the project."""
        return pins.read(self.wanted.pinning.file) if self.wanted.pinning else ()

    @cached_property
    def platform(self) -> str:
        """The engine's platform, for instance linux/amd64."""
        machine = self.engine.daemon.server().architecture
        return f"linux/{names.ARCHITECTURES.get(machine, machine)}"

    def of(self, reference: str) -> Search:
        """Return the search for another image than the base, one that is of no Python."""
        return replace(self, wanted=replace(self.wanted, base=reference))

    def pin(self, reference: str) -> Pin | None:
        """Return the pin of a base for this engine's platform."""
        pinned = any(each.reference == reference for each in self.pins)
        return pins.find(self.pins, reference, self.platform) if pinned else None

    def local(self, python: str, *, official: bool) -> Base | None:
        """Return a base that the engine has, an assembled one or an official one that is as pinned."""
        pin = self.pin(self.wanted.reference(python)) if official else None
        return next((base for base, facts in self.here(python) if _is(base, facts, pin, official=official)), None)

    def here(self, python: str) -> Iterator[tuple[Base, ImageFacts]]:
        """Yield what the engine has under the names of a base; its labels tell whether it is official, not its name."""
        wanted = self.wanted.reference(python)
        for reference in (*self._names(wanted), *self._by_digest(wanted)):
            facts = self.engine.daemon.image(reference)
            if facts:
                yield self._base(wanted, reference, facts), facts

    def _by_digest(self, wanted: str) -> tuple[str, ...]:
        """Return the names under which the pinned base was pulled, if it was; what no registry has was not."""
        pin = self.pin(wanted)
        if pin is None or pin.unpublished:
            return ()
        return tuple(f"{name}@{pin.digest}" for name in published_as(wanted, self.wanted.mirror))

    def _names(self, wanted: str) -> tuple[str, ...]:
        return wanted, *published_as(wanted, self.wanted.mirror), names.reference_of(wanted)

    def published(self, python: str, reasons: list[str]) -> tuple[str, str] | None:
        """Return the name under which a registry has a base now, and its digest; `reasons` get why there is none."""
        return self._first_published(self.wanted.reference(python), "", reasons)

    def _first_published(self, wanted: str, digest: str, reasons: list[str]) -> tuple[str, str] | None:
        for name in published_as(wanted, self.wanted.mirror):
            registry, reference = registry_of(name), f"{name}{digest}"
            try:
                if registry in self.silent:
                    reasons.append(self.silent[registry])
                elif (found := self.engine.daemon.published(reference)) is None:
                    reasons.append(f"There is no {reference}.")
                else:
                    return reference, found
            except DockyardError as error:
                self.silent[registry] = f"Asking {registry} failed ({error.why})."
                reasons.append(self.silent[registry])
        return None

    def pulled(self, python: str, reasons: list[str]) -> Base | None:
        """Pull a base, the pinned one if there is a pin; give it the plain name too, for a plain `docker build`."""
        wanted = self.wanted.reference(python)
        pin = self.pin(wanted)
        found = self._first_published(wanted, f"@{pin.digest}" if pin else "", reasons)
        if found is None:
            return None
        registry = registry_of(found[0])
        try:
            self.engine.buildx.pull(found[0])
            return self._named(found[0], python, f"pulled from {registry}")
        except DockyardError as error:
            self.silent[registry] = f"Asking {registry} failed ({error.why})."
            reasons.append(self.silent[registry])
        return None

    def loaded(self, python: str, reasons: list[str]) -> Base | None:
        """Load a base from the folder of saved images."""
        wanted = self.wanted.reference(python)
        names, pin = set(self._names(wanted)), self.pin(wanted)
        for path in sorted(self.wanted.archives.glob("*.tar*")) if self.wanted.archives else ():
            try:
                fitting = sorted(names & saved_references(path))
                if fitting:
                    self.engine.buildx.load(path)
                    base = self._named(fitting[0], python, f"loaded from {path}")
                    if not base.official or not pin or self._fits(base, pin):
                        return base
                    reasons.append(f"{path} holds another {wanted} than the pinned one.")
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
        wanted = self.wanted.reference(python)
        plain = is_official(reference, facts) and "@" not in wanted and reference != wanted
        # A tag that names another image was given to that by somebody, and stays.
        if plain and not ("@" in reference and self.engine.daemon.image(wanted)):
            self.engine.buildx.tag(reference, wanted)
            reference = reference if "@" in reference else wanted
        return self._base(wanted, reference, facts, how)

    def _fits(self, base: Base, pin: Pin) -> bool:
        facts = self.engine.daemon.image(base.reference)
        return facts is not None and pin.fits(facts)

    def _base(self, wanted: str, reference: str, facts: ImageFacts, came: str = "") -> Base:
        official = is_official(reference, facts)
        pulled = self._by_digest(wanted) if official and "@" not in reference else ()
        fitting = (each for each in pulled if each.endswith(facts.digest) and self.engine.daemon.image(each))
        how = came or "official" if official else "; ".join(filter(None, (came, ASSEMBLED)))
        return Base(
            reference=reference,
            official=official,
            pinned=next(fitting, None) or self._pinned(wanted, reference, facts),
            digest=facts.digest,
            how=how,
        )

    def _pinned(self, wanted: str, reference: str, facts: ImageFacts) -> str:
        """Return a reference with its digest, where every engine knows the image by it.

        One that was assembled or loaded, or came from a mirror and got its plain name here, containerd's store does not
        find by digest, and would ask a registry for.
        """
        pin = self.pin(wanted)
        if pin and pin.unpublished:
            return reference
        elsewhere = self.wanted.mirror or self.wanted.archives or not is_official(reference, facts)
        known = facts.digests and "@" not in reference and not elsewhere
        return f"{reference}@{facts.digest}" if known else reference

    def interpreter(self, python: str) -> interpreters.Interpreter | None:
        """Return a CPython of this machine that can go into a base."""
        return interpreters.find(python, Path.home(), self.environment)


def _is(base: Base, facts: ImageFacts, pin: Pin | None, *, official: bool) -> bool:
    return base.official == official and (pin is None or pin.fits(facts))


def is_official(reference: str, facts: ImageFacts) -> bool:
    """Whether an image is not one of the assembled, whatever it is called."""
    return facts.labels.get(names.LABEL) != "assembled" and not reference.startswith(f"{names.HOST}/")


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
