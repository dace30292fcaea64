"""Settings -> one archive with everything that the image is built from."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dockyard import bundle, image, machine, plan, revision, sbom
from dockyard.bundle import toolkit
from dockyard.dockerfile import load
from dockyard.errors import EngineError, SettingsError
from dockyard.pipeline.lending import lending
from dockyard.pipeline.need import need_of, platform_of
from dockyard.pipeline.outside import with_pins
from dockyard.pipeline.planned import build_secrets
from dockyard.pipeline.project import wanted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dockyard.bundle import Fetched, Manifest, Matrix, SavedImage
    from dockyard.machine import Base
    from dockyard.pipeline.project import Project
    from dockyard.plan import BuildPlan


@dataclass(frozen=True, kw_only=True)
class BundleOptions:
    """How a bundle is asked for.

    Attributes:
        output: The archive.
        pythons: Those that it must have; none are those of the matrix that have a base.
    """

    output: Path
    pythons: tuple[str, ...] = ()


def write_bundle(project: Project, options: BundleOptions) -> bundle.Verified:
    """Write a bundle.

    Raises:
        BuildError: A wheel cannot be had.
        EngineError: An image cannot be had, or the archive cannot be written.
        SettingsError: Several platforms are asked for, or a lock does not lock.
    """
    settings = project.settings
    if len(settings.build.platforms) > 1:
        raise SettingsError(
            "A bundle is of one platform.",
            f"{', '.join(settings.build.platforms)} are asked for.",
            "Set DOCKYARD_BUILD_PLATFORMS to each in turn, and write a bundle for it.",
        )
    output = options.output.absolute()
    if not output.parent.is_dir() or output.is_dir():
        why = "It is a folder." if output.is_dir() else f"There is no folder {output.parent}."
        raise SettingsError(
            f"--output {options.output} is not possible.", why, "Name a file in a folder that is there."
        )
    build = settings.build
    folder, dockerfile = (settings.root / build.context).resolve(), (settings.root / build.dockerfile).resolve()
    locks = bundle.locks_of(settings.root, folder, dockerfile, settings.bundle.locks)
    bases, left_out = _bases(project, options.pythons)
    driver = project.engine.buildx.driver(build.builder or None)
    with bundle.staging(output) as staged, build_secrets(project) as secrets:
        making = _Making(project, staged)
        fetching = bundle.Fetching(
            engine=project.engine,
            locks=locks,
            secrets=secrets,
            platform=next(iter(build.platforms), ""),
            builder=build.builder,
        )
        for python, base in bases.items():
            making.images_of(python, base)
            project.announce(f"fetching the wheels for Python {python}")
            fetched = tempfile.TemporaryDirectory(prefix="fetched-", dir=staged)
            with fetched as place, lending(project, base, driver) as lent:
                making.wheels_of(python, base, fetching.fetch(python, base, Path(place), lent))
        for lock in locks:
            making.write("lock", lock.name, lock.text)
        making.list_all()
        project.announce("writing and verifying the archive")
        manifest = making.manifest(left_out)
        _say_missing(project, manifest)
        return bundle.Verified(path=options.output, digest=bundle.write(staged, manifest, output), manifest=manifest)


def _bases(project: Project, asked: tuple[str, ...]) -> tuple[dict[str, Base], dict[str, str]]:
    """Return the bases by their Pythons, and why others of the matrix have none.

    Raises:
        EngineError: One that was asked for, or that of the image, has none.
    """
    settings = project.settings
    pythons = asked or tuple(dict.fromkeys((*settings.pythons, settings.python)))
    found, left_out = {}, {}
    for python in pythons:
        try:
            asked_for = wanted(settings, (python,))
            found[python] = _by_tag(project, machine.base_for(python, asked_for, project.engine), asked_for, python)
        except EngineError as error:
            if asked or python == settings.python:
                raise
            # Why names what this machine's network is like, which is nobody's business where the bundle goes.
            left_out[python] = error.what
            project.console.note(f"Python {python} is left out. {error.what} {error.why}", style="yellow")
    return found, left_out


class _Making:
    """A bundle that is being made.

    Args:
        project: For which.
        staged: The folder that its members are gathered in.
    """

    def __init__(self, project: Project, staged: Path) -> None:
        self._project = project
        self._staged = staged
        self._platform = platform_of(project)
        self._revision = revision.read(project.settings.root)
        self._images: dict[str, SavedImage] = {}
        self._of: dict[str, tuple[str, ...]] = {}
        self._pythons: list[Matrix] = []

    def images_of(self, python: str, base: Base) -> None:
        """Save every image that a Python's build uses, once."""
        asked = self._plan(python, base)
        tree = load(asked.dockerfile, args=asked.args)
        stages = {stage.index for stage in tree.needed(tree.built(asked.target))}
        used = {base.reference: "FROM"}
        for each in tree.externals():
            if each.reference != base.pinned and (each.stage is None or each.stage in stages):
                used[each.reference] = each.why
        for reference, why in used.items():
            if reference not in self._images:
                _require_name(reference, why)
                self._project.announce(f"saving {reference}")
                own = base if reference == base.reference else None
                _give_tag(self._project, asked.images.get(reference, reference), reference, why)
                self._images[reference] = bundle.save(self._project.engine, reference, self._staged, why=why, base=own)
        self._of[python] = tuple(used)

    def _plan(self, python: str, base: Base) -> BuildPlan:
        settings = self._project.settings.model_copy(update={"python": python})
        return with_pins(self._project, plan.build_plan(settings, base=base, revision=self._revision, secrets={}))

    def wheels_of(self, python: str, base: Base, fetched: Fetched) -> None:
        """Take in what was fetched for a Python; a wheel that several want is there once."""
        self._pythons.append(
            bundle.Matrix(
                python=python,
                base=base.reference,
                images=self._of[python],
                environment=fetched.environment,
                wheels=self._put("wheel", fetched.wheels),
                toolkit=self._put("toolkit", fetched.toolkit),
            )
        )

    def _put(self, kind: bundle.Kind, files: Iterable[Path]) -> tuple[str, ...]:
        names = []
        for file in files:
            names.append(f"{bundle.FOLDERS[kind]}{file.name}")
            bundle.put(file, self._staged / names[-1])
        return tuple(names)

    def write(self, kind: bundle.Kind, name: str, text: str) -> None:
        """Write a member."""
        path = self._staged / f"{bundle.FOLDERS[kind]}{name}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())

    def list_all(self) -> None:
        """Write what each image and the wheels are, as CycloneDX."""
        settings = self._project.settings
        for each in self._images.values():
            self._project.announce(f"listing what is in {each.reference}")
            read = image.read(
                self._staged / each.member,
                keep=lambda path, size, _: sbom.keeps(path, size, ()),
                reference=each.reference,
            )
            name = each.member.removeprefix(bundle.FOLDERS["image"]).removesuffix(".tar")
            self.write("sbom", f"{name}.cdx.json", sbom.written(sbom.bill(read)))
        there = [member for member in bundle.staged(self._staged) if member.kind in ("wheel", "toolkit")]
        bill = bundle.bill_of_wheels(
            self._staged, there, name=settings.image, version=settings.version, platform=self._platform
        )
        self.write("sbom", "wheels.cdx.json", sbom.written(bill))

    def manifest(self, left_out: dict[str, str]) -> Manifest:
        """Return what is in it."""
        settings = self._project.settings
        return bundle.Manifest(
            project=settings.image,
            project_version=settings.version,
            commit=self._revision.commit,
            platform=self._platform,
            tool=toolkit.version(),
            pythons=tuple(self._pythons),
            images=tuple(self._images.values()),
            members=bundle.staged(self._staged),
            left_out=left_out,
        )


def _say_missing(project: Project, manifest: Manifest) -> None:
    """Say what an offline build will lack, since no bundle can hold it."""
    lacking = [bundle.missing(manifest, need_of(project, manifest, each.python)) for each in manifest.pythons]
    for line in dict.fromkeys(line for lines in lacking for line in lines):
        project.console.note(f"An offline build will lack {line}.", style="yellow")


def _by_tag(project: Project, base: Base, asked: machine.Wanted, python: str) -> Base:
    """Return a base by its tag, which an engine that loads it has it by; one that was just pinned may have none yet."""
    wanted_name = asked.reference(python)
    if "@" not in base.reference or "@" in wanted_name:
        return base
    _give_tag(project, base.pinned, wanted_name, "FROM")
    return replace(base, reference=wanted_name)


def _give_tag(project: Project, pinned: str, reference: str, why: str) -> None:
    """Give a pinned image its tag, by which it is saved; a tag that is another image's stays, and nothing is saved.

    Raises:
        EngineError: It is another image's.
    """
    wanted_one, there = (project.engine.daemon.image(each) for each in (pinned, reference))
    if wanted_one is None or pinned == reference:
        return
    if there is None:
        project.engine.buildx.tag(pinned, reference)
    elif there.id != wanted_one.id:
        raise EngineError(
            f"{reference} ({why}) cannot go into a bundle as it is pinned.",
            f"{pinned} is pinned, and this engine has another image under that tag.",
            f"Give the tag to the pinned one: `docker tag {pinned} {reference}`.",
        )


def _require_name(reference: str, why: str) -> None:
    """Refuse an image that is named by its digest alone once it was loaded: engines do not find it again by that."""
    if "@" in reference:
        raise EngineError(
            f"{reference} ({why}) cannot go into a bundle.",
            "It is named by digest, and an engine that loads it has it by its tag alone.",
            "Name it by tag: the bundle says its digest, and an offline build holds it to that.",
        )
