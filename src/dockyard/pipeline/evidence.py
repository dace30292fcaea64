"""Where each piece of evidence comes from, for one subject of an audit."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from dockyard import context, image, revision, sbom
from dockyard.audit import base, files, probes
from dockyard.audit.evidence import Missing
from dockyard.audit.gather import Source, missing
from dockyard.audit.patterns import PATTERNS
from dockyard.audit.probes import builds
from dockyard.audit.read import PinnedImage, TextFile
from dockyard.audit.rules import supply_models
from dockyard.audit.scans import read_scan
from dockyard.build.workshop import Workshop
from dockyard.dockerfile import load
from dockyard.errors import DockyardError
from dockyard.pipeline.outside import pinned
from dockyard.pipeline.planned import planned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import ExitStack
    from datetime import date

    from dockyard.audit.observed import Ran
    from dockyard.audit.read import BaseFacts
    from dockyard.audit.scans import Scan
    from dockyard.dockerfile import Dockerfile
    from dockyard.image import Image
    from dockyard.pipeline.project import Project
    from dockyard.pipeline.subject import Subject
    from dockyard.plan import BuildPlan

FOREIGN = "It is not an image of this project: what its service claims is not known."
STATIC = "--static was given: nothing was built or started."
NO_IMAGE = "No image was given: --image names one."
NO_DOCKERFILE = "No Dockerfile was given: --dockerfile names it."
NO_IMPORT = "No results of other tools were given: --import names them."


class Sources:
    """The sources of one audit.

    Args:
        project: Whose settings hold.
        subject: What is audited.
        imports: Files with results of other tools.
        static: Whether to start nothing: no build, no container.
        stack: Keeps the files of the build's secrets for as long as the audit lasts.
        today: The day of the audit.
    """

    def __init__(
        self,
        project: Project,
        subject: Subject,
        stack: ExitStack,
        *,
        today: date,
        imports: tuple[str, ...] = (),
        static: bool = False,
    ) -> None:
        self._project = project
        self._subject = subject
        self._imports = imports
        self._static = static
        self._today = today
        self._session = probes.Session(settings=project.settings, engine=project.engine, image=subject.reference)
        self._plan = self._planned(stack)
        self._shop = self._workshop()

    def release(self) -> None:
        """End what the trials wait for."""
        self._session.release()
        if isinstance(self._shop, Workshop):
            self._shop.release()

    def read(self) -> Iterator[Source]:
        """Yield the sources that start nothing."""
        settings, subject = self._project.settings, self._subject
        known = {"today": self._today, "settings": settings}
        yield Source(names=tuple(known), label="reading the settings", take=lambda: known)
        yield _one("image", "reading every layer of the image", lambda: self._image)
        yield _one("dockerfile", "reading the Dockerfile", self._dockerfile)
        yield _one("context", "reading .dockerignore", self._ignore)
        yield _one("pins", "reading the pins", self._pins)
        yield _one("scans", "reading imported results", self._scans)
        own = (
            _one("revision", "asking git", lambda: revision.read(settings.root)),
            _one("base", "looking at the base image", self._base),
            _one("published", "asking the registry for the base", self._published),
            _one("build_check", "checking the Dockerfile with BuildKit", self._build_check),
            *files.sources(settings, listed=self._listed),
        )
        yield from own if subject.ours else (each.without(FOREIGN) for each in own)

    def tried(self) -> Iterator[tuple[Source, ...]]:
        """Yield what builds or starts something: the builds in turn, and beside them each trial of containers.

        BuildKit merges equal steps of builds that run side by side; 0.13 may then look for who made a step that never
        began, and takes its engine down. Trial builds are alike on purpose, so they are in one lane.
        """
        shop = self._shop
        if not self._subject.ours or self._static:
            reason = STATIC if self._subject.ours else FOREIGN
            built = [each.without(reason) for each in builds.GROUPS]
            yield (*built, *(each.without(reason) for each in probes.GROUPS))
            return
        started = [each.at(self._session) for each in probes.GROUPS]
        # A health state takes its minute whatever else goes on: the first trial of containers begins first.
        yield (started[0],)
        yield tuple(each.without(shop.reason) if isinstance(shop, Missing) else each.at(shop) for each in builds.GROUPS)
        yield from ((each,) for each in started[1:])

    def _planned(self, stack: ExitStack) -> BuildPlan | Missing:
        """Return the build that makes the image, or why it cannot be known."""
        if not self._subject.ours:
            return Missing(FOREIGN)
        try:
            return stack.enter_context(planned(self._project))
        except DockyardError as error:
            return missing(error)

    @cached_property
    def _image(self) -> Image | Missing:
        models = self._project.settings.audit.models

        def keep(path: str, size: int, begin: bytes) -> bool:
            known = image.keep_known(path, size, begin) or sbom.keeps(path, size, models)
            return known or supply_models.keeps(path, size, models)

        if self._subject.archive:
            return image.read(self._subject.archive, keep=keep, patterns=PATTERNS)
        if not self._subject.reference:
            return Missing(NO_IMAGE)
        stream = self._project.engine.daemon.save(self._subject.reference)
        return image.read(stream, keep=keep, patterns=PATTERNS, reference=self._subject.reference)

    def _listed(self) -> TextFile | Missing:
        """Return an SBOM of the image that is audited, made of what was read of it."""
        if isinstance(self._image, Missing):
            return self._image
        bill = sbom.bill(self._image, self._project.settings.audit.models)
        return TextFile(path=files.MADE, text=sbom.written(bill))

    def _dockerfile(self) -> Dockerfile | Missing:
        path = self._subject.dockerfile
        if path is None:
            return Missing(NO_DOCKERFILE)
        args = self._project.settings.build.args if isinstance(self._plan, Missing) else self._plan.args
        root = self._project.settings.root
        return load(path, args=args, name=str(path.relative_to(root) if path.is_relative_to(root) else path))

    def _ignore(self) -> context.Ignore | Missing:
        path, settings = self._subject.dockerfile, self._project.settings
        if path is None:
            return Missing(NO_DOCKERFILE)
        folder = settings.root / settings.build.context if self._subject.ours else path.parent
        return context.effective(folder.resolve(), path)

    def _workshop(self) -> Workshop | Missing:
        """Return where trial builds are made, or why there can be none."""
        if isinstance(self._plan, Missing):
            return self._plan
        try:
            dockerfile, ignore = self._dockerfile(), self._ignore()
        except DockyardError as error:
            return missing(error)
        if isinstance(dockerfile, Missing) or isinstance(ignore, Missing):
            return Missing(NO_DOCKERFILE)
        lock = self._project.settings.audit.lock
        return Workshop(plan=self._plan, dockerfile=dockerfile, ignore=ignore, lock=lock, engine=self._project.engine)

    def _base(self) -> BaseFacts | Missing:
        if isinstance(self._plan, Missing):
            return self._plan
        return base.base_facts(self._project.engine, self._plan.base)

    def _pins(self) -> tuple[PinnedImage, ...]:
        """Return what is pinned beside the base; nothing is where no build is known that would use it."""
        if isinstance(self._plan, Missing):
            return ()
        used = self._plan.images
        return tuple(
            PinnedImage(reference=reference, digest=digest, used=reference in used)
            for reference, digest in pinned(self._project, self._plan).items()
        )

    def _published(self) -> str | Missing:
        facts = self._base()
        return facts if isinstance(facts, Missing) else base.published(self._project.engine, facts)

    def _build_check(self) -> Ran | Missing:
        return self._shop if isinstance(self._shop, Missing) else builds.build_check(self._shop)

    def _scans(self) -> tuple[Scan, ...] | Missing:
        return tuple(read_scan(Path(name)) for name in self._imports) or Missing(NO_IMPORT)


def _one(name: str, label: str, take: Callable[[], object]) -> Source:
    return Source(names=(name,), label=label, take=lambda: {name: take()})
