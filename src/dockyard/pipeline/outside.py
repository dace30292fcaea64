"""The images that the Dockerfile names itself: which they are, and what a build takes in their places."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dockyard import machine, plan
from dockyard.dockerfile import DockerfileError, load, parse
from dockyard.dockerfile.outside import hiding, meant, pinnable, platform_arguments
from dockyard.machine.others import others_for
from dockyard.plan.build import SYNTAX
from dockyard.plan.labels import BASE_DIGEST, BASE_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dockyard.dockerfile import Dockerfile
    from dockyard.pipeline.project import Project
    from dockyard.plan import BuildPlan


def named(project: Project, python: str) -> dict[str, str]:
    """Return each image that the Dockerfile names for a Python, whichever stage is built, to the stage that hides it.

    Raises:
        SettingsError: The Dockerfile cannot be read.
    """
    settings = project.settings
    base = project.wanted.reference(python)
    args = plan.arguments(settings, python=python, base=base)
    file = settings.root / settings.build.dockerfile
    found: dict[str, str] = {}
    for platform in settings.build.platforms or ("",):
        tree = load(file, args={**platform_arguments(platform), **args}, name=settings.build.dockerfile)
        found |= {each.reference: hiding(tree, each.reference) for each in pinnable(tree, base)}
    return found


def with_pins(project: Project, asked: BuildPlan) -> BuildPlan:
    """Return a build in which each image that is pinned stands in the place of its name; one that has its place stays.

    BuildKit takes a named context wherever FROM, COPY and RUN name that image; the frontend it takes by an argument.

    Raises:
        EngineError: An image cannot be had as it is pinned, or has no pin though that is required.
        SettingsError: The pins cannot be read.
    """
    search = machine.searching(project.wanted, project.engine)
    used = dict.fromkeys(each for tree in _trees(asked) for each in _used(tree, asked))
    found = others_for(search, (each for each in used if each not in {*asked.images, *asked.lent}))
    note = "\n".join(filter(None, (asked.note, *found.notes)))
    return with_images(replace(asked, note=note), found.images)


def with_images(asked: BuildPlan, images: Mapping[str, str]) -> BuildPlan:
    """Return a build in which others stand in the places of images that the Dockerfile names, its frontend too."""
    args = {**_frontend(asked, images), **asked.args}
    return replace(asked, images={**asked.images, **images}, args=args)


def with_base(project: Project, asked: BuildPlan) -> BuildPlan:
    """Return a build whose base stands in the place of its name, for a Dockerfile that has that and no `BASE_IMAGE`."""
    wanted = meant(project.wanted.reference(asked.python))
    found = [(tree, each.reference) for tree in _trees(asked) for each in tree.outside]
    names = [name for tree, name in found if meant(name) == wanted and not hiding(tree, name)]
    given = asked.args["BASE_IMAGE"]
    if not names and not any(name in (given, asked.base) for _, name in found):
        return _on_another(project, asked)
    base = asked.images.get(given, given)
    if base in asked.lent:
        return replace(asked, lent={**asked.lent, **dict.fromkeys(names, asked.lent[base])})
    return replace(asked, images={**asked.images, **dict.fromkeys(names, base)})


def _on_another(project: Project, asked: BuildPlan) -> BuildPlan:
    """Return a build that does not say of the base that was found, which it does not use, that it stands on it."""
    own = project.settings.build.labels
    labels = {
        name: value for name, value in asked.labels.items() if name in own or name not in (BASE_NAME, BASE_DIGEST)
    }
    return replace(asked, base_note="", labels=labels)


def pinned(project: Project, asked: BuildPlan) -> dict[str, str]:
    """Return every image that the Dockerfile names and that is pinned, whichever stage uses it, to its digest.

    Raises:
        SettingsError: The pins cannot be read.
    """
    search = machine.searching(project.wanted, project.engine)
    names = {each for tree in _trees(asked) for each in _pinnable(tree, asked)} if search.pins else set()
    found = ((each, search.pin(each)) for each in sorted(names))
    return {name: pin.digest for name, pin in found if pin}


def _trees(asked: BuildPlan) -> Iterator[Dockerfile]:
    """Yield the Dockerfile as it is for each platform; none that BuildKit would refuse, which the build will say."""
    try:
        text = asked.dockerfile.read_bytes()
        for platform in asked.platforms or ("",):
            yield parse(text, args={**platform_arguments(platform), **asked.args}, name=asked.dockerfile.name)
    except (OSError, DockerfileError):
        return


def _pinnable(tree: Dockerfile, asked: BuildPlan) -> Iterator[str]:
    """Yield the images that a pin can take the place of."""
    found = (each.reference for each in pinnable(tree, asked.args["BASE_IMAGE"]))
    yield from (each for each in found if not hiding(tree, each))


def _used(tree: Dockerfile, asked: BuildPlan) -> Iterator[str]:
    """Yield those of them that this build uses."""
    stages = {None, *(each.index for each in tree.needed(tree.built(asked.target)))}
    used = {each.reference for each in tree.outside if each.stage in stages}
    yield from (each for each in _pinnable(tree, asked) if each in used)


def _frontend(asked: BuildPlan, images: Mapping[str, str]) -> dict[str, str]:
    """Return the argument by which BuildKit takes the pinned frontend, with what the file tells it besides."""
    tree = next(_trees(asked), None) if images else None
    named, space, rest = tree.directives.get("syntax", "").partition(" ") if tree else ("", "", "")
    return {SYNTAX: f"{images[named]}{space}{rest}"} if named in images else {}
