"""Settings -> one archive with everything that the image is built from."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dockyard import bundle, image, plan, revision, sbom
from dockyard.bundle import toolkit
from dockyard.dockerfile import load
from dockyard.errors import SettingsError
from dockyard.pipeline.bundle_bases import bases_of, give_tag
from dockyard.pipeline.lending import lending
from dockyard.pipeline.need import need_of, platform_of
from dockyard.pipeline.outside import with_pins
from dockyard.pipeline.planned import build_secrets, on_its_base
from dockyard.push.files import signature_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dockyard.bundle import Fetched, Manifest, Matrix, SavedImage
    from dockyard.machine import Base
    from dockyard.pipeline.project import Project
    from dockyard.plan import BuildPlan

LOCK_IT = "Install from a lock: `uv pip compile --generate-hashes`, then `--require-hashes`."


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
    bases, left_out = bases_of(project, options.pythons)
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
            loose = making.images_of(python, base)
            project.announce(f"fetching the wheels for Python {python}")
            fetched = tempfile.TemporaryDirectory(prefix="fetched-", dir=staged)
            with fetched as place, lending(project, base, driver) as lent:
                making.wheels_of(python, base, fetching.fetch(python, base, Path(place), lent, loose))
        for lock in locks:
            making.write("lock", lock.name, lock.text)
        making.list_all()
        project.announce("writing and verifying the archive")
        manifest = making.manifest(left_out)
        making.say_loose()
        _say_missing(project, manifest)
        digest = bundle.write(staged, manifest, output)
        _drop_signature(project, output)
        return bundle.Verified(path=options.output, digest=digest, manifest=manifest)


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
        self._loose: dict[str, bundle.Loose] = {}
        self._of: dict[str, tuple[str, ...]] = {}
        self._pythons: list[Matrix] = []

    def images_of(self, python: str, base: Base) -> tuple[bundle.Loose, ...]:
        """Save every image that a Python's build uses, once; return what it installs without a lock."""
        asked = self._plan(python, base)
        tree = load(asked.dockerfile, args=asked.args)
        stages = {stage.index for stage in tree.needed(tree.built(asked.target))}
        used = {base.reference: "FROM"}
        for each in tree.externals():
            taken = asked.images.get(each.reference, each.reference)
            if base.pinned not in (each.reference, taken) and (each.stage is None or each.stage in stages):
                used[each.reference] = each.why
        for reference, why in used.items():
            if reference not in self._images:
                self._project.announce(f"saving {reference}")
                own = base if reference == base.reference else None
                give_tag(self._project, asked.images.get(reference, reference), reference, why)
                self._images[reference] = bundle.save(self._project.engine, reference, self._staged, why=why, base=own)
        self._of[python] = tuple(used)
        found = bundle.loose_of(tree, tree.built(asked.target), asked.context, asked.dockerfile)
        self._loose |= {each.place: each for each in found}
        return tuple(each for each in found if each.lines)

    def say_loose(self) -> None:
        """Say what was taken without a lock, or is not there because nobody can say what it is."""
        for each in self._loose.values():
            what = f"`{each.command}` ({each.place})"
            if each.unknown:
                told = f"Nobody can say what {what} installs: {each.unknown}. Of it nothing is in the bundle. {LOCK_IT}"
            else:
                told = f"{what} installs without hashes: the bundle has what the index gave now. {LOCK_IT}"
            self._project.console.note(told, style="yellow")

    def _plan(self, python: str, base: Base) -> BuildPlan:
        settings = self._project.settings.model_copy(update={"python": python})
        asked = plan.build_plan(settings, base=base, revision=self._revision, secrets={})
        return with_pins(self._project, on_its_base(self._project, asked))

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


def _drop_signature(project: Project, output: Path) -> None:
    """Remove the signature of the bundle that had this name before, and say so: it fits this one no more."""
    signature = signature_of(output)
    if signature.is_file():
        signature.unlink()
        project.console.note(f"{signature.name} was of the bundle that was here before; it is removed.", style="yellow")
