"""SEED-08 and SEED-09: what a rebuild does again, and what it finds in a cache."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dockyard.audit.facts.installing import assigned, folders, installers, installing
from dockyard.audit.facts.instructions import on
from dockyard.audit.rule import Rule, part
from dockyard.audit.verdict import Place, Severity, broken, holds, unknown
from dockyard.units import amount

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dockyard.audit.trials import Rebuild
    from dockyard.audit.verdict import Proof
    from dockyard.dockerfile import Dockerfile, Instruction, Stage
    from dockyard.image import Image

NOTHING_INSTALLED = "No RUN installs packages with pip, uv or poetry"
SWITCHES = {"pip": ("--no-cache-dir",), "uv": ("--no-cache", "--no-cache-dir", "-n"), "poetry": ("--no-cache",)}
VARIABLES = ("PIP_NO_CACHE_DIR", "UV_NO_CACHE")
OFF = ("", "0", "false", "no", "off")
LEFT = re.compile(r"(/root|/home/[^/]+)?/\.cache/(pip|uv|pypoetry)/.+")
# The folders and markers that a tool makes before it keeps anything.
EMPTY = 100_000


class CacheMounts(Rule):
    """Installers keep their downloads in a cache mount, and a rebuild after a change of the lock takes them from there.

    Without it each change of one line downloads everything again; with the cache in a layer instead, each user of the
    image does. A mount at another folder than the tool's looks right and keeps nothing.

    Remedy: `RUN --mount=type=cache,target=/root/.cache/pip pip install …` (uv: `/root/.cache/uv`), without
    `--no-cache-dir`, `PIP_NO_CACHE_DIR` or `UV_NO_CACHE`.
    """

    id = "SEED-08"
    title = "Installers' cache mounts used and useful"
    severity = Severity.LOW
    references = ("hadolint DL3042",)

    @part
    def mounted(self, dockerfile: Dockerfile) -> Iterator[Proof]:
        """Each installer has a cache mount where it keeps its downloads."""
        for each in installers(dockerfile):
            targets = [mount.target for mount in each.mounts if mount.type == "cache"]
            for tool in installing(each):
                wanted = folders(tool, each, _stage(dockerfile, each))
                if any(_covers(target, folder) for target in targets for folder in wanted):
                    yield holds(f"{tool} has a cache mount at {', '.join(targets)}", on(dockerfile, each))
                else:
                    has = f"its cache mount is at {', '.join(targets)}" if targets else "it has no cache mount"
                    yield broken(f"{tool} keeps its cache in {wanted[0]}; {has}", on(dockerfile, each))
        if not installers(dockerfile):
            yield unknown(NOTHING_INSTALLED)

    @part
    def allowed(self, dockerfile: Dockerfile) -> Iterator[Proof]:
        """Nothing tells an installer to keep none."""
        clean = True
        for place, told in _forbidding(dockerfile):
            clean = False
            yield broken(f"{told} switches the cache off", on(dockerfile, place))
        if clean:
            yield holds("Nothing switches an installer's cache off", Place(subject="RUN", file=dockerfile.name))

    @part
    def shipped(self, image: Image) -> Iterator[Proof]:
        """No installer's cache is in the image."""
        left = [entry for path, entry in image.files.items() if entry.is_file and LEFT.fullmatch(path)]
        for entry in left[:1]:
            total = amount(sum(each.size for each in left))
            place = Place(subject=entry.path, layer=entry.layer)
            yield broken(f"An installer's cache is in the image: {entry.path}, {len(left)} files, {total}", place)
        if not left:
            yield holds("No installer's cache is in the image", Place(subject="/root/.cache"))

    @part
    def useful(self, dockerfile: Dockerfile, cache_trial: tuple[Rebuild, ...]) -> Iterator[Proof]:
        """A changed lock installs anew, from a mount that holds something."""
        steps = {each.printed: each for each in installers(dockerfile)}
        rebuilds = _of("lock", cache_trial)
        if not rebuilds:
            yield unknown("Nothing was built after an edit of the lock")
        for rebuild in rebuilds:
            ran = [steps[told] for told in rebuild.ran if told in steps]
            place = on(dockerfile, ran[0]) if ran else Place(subject=rebuild.edit, file=dockerfile.name)
            told = ", ".join(f"{target} holds {amount(count)}" for target, count in rebuild.mounts.items())
            if not ran:
                yield broken(f"After {_said(rebuild)} no installer ran: it does not read that file", place)
            elif not rebuild.mounts:
                yield broken(f"After {_said(rebuild)} the installer used no cache mount", place)
            elif max(rebuild.mounts.values()) < EMPTY:
                yield broken(f"After {_said(rebuild)} the cache mount was empty: {told}", place)
            else:
                yield holds(f"After {_said(rebuild)} the installer ran with its cache: {told}", place)


class LayerOrder(Rule):
    """What changes seldom stands before what changes often: dependencies, then configuration, then source.

    Each step that runs makes all later ones of its stage run. Source that is copied before the installer runs makes
    every edit an installation.

    Remedy: copy the lock alone, install, copy `config/`, and copy the source last.
    """

    id = "SEED-09"
    title = "Dependencies and configuration stay cached after an edit of the source"
    severity = Severity.LOW
    references = ("Docker build best practices: order of layers",)

    @part
    def order(self, dockerfile: Dockerfile) -> Iterator[Proof]:
        """No installer stands below a COPY of the whole context."""
        clean = True
        for run in installers(dockerfile):
            before = (each for each in _stage(dockerfile, run).instructions if each.line < run.line)
            for copy in filter(_copies_all, before):
                clean = False
                yield broken("The whole context is copied before the dependencies are installed", on(dockerfile, copy))
        if clean:
            yield holds("No installer stands below a COPY of everything", Place(subject="COPY", file=dockerfile.name))

    @part
    def source(self, dockerfile: Dockerfile, cache_trial: tuple[Rebuild, ...]) -> Iterator[Proof]:
        """An edit of the source reruns neither the installers nor the copy of the configuration."""
        yield from _kept(dockerfile, cache_trial, "source", _dependencies(dockerfile), "the dependencies")
        copies = _copies_of_config(cache_trial)
        if copies:
            yield from _kept(dockerfile, cache_trial, "source", copies, "the configuration's copy")
        else:
            yield unknown("No configuration file that is copied apart from the source could be edited")

    @part
    def config(self, dockerfile: Dockerfile, cache_trial: tuple[Rebuild, ...]) -> Iterator[Proof]:
        """An edit of the configuration does not rerun the installers."""
        yield from _kept(dockerfile, cache_trial, "config", _dependencies(dockerfile), "the dependencies")


def _forbidding(dockerfile: Dockerfile) -> Iterator[tuple[Instruction, str]]:
    """Yield what switches a cache off, and where."""
    for each in dockerfile.instructions:
        variables = each.pairs if each.keyword in ("ENV", "ARG") else assigned(each) if each.keyword == "RUN" else {}
        for name in VARIABLES:
            if (variables.get(name) or "").lower() not in OFF:
                yield each, name
        for tool, called in installing(each).items():
            words = {word for command in called for word in command}
            yield from ((each, f"{tool} {switch}") for switch in SWITCHES[tool] if switch in words)


def _kept(
    dockerfile: Dockerfile, trial: Iterable[Rebuild], kind: str, wanted: set[str], called: str
) -> Iterator[Proof]:
    """Say whether steps were cached in the rebuilds of a kind."""
    rebuilds = _of(kind, trial)
    if not rebuilds:
        yield unknown(f"Nothing was built after an edit of the {kind}")
    for rebuild in rebuilds:
        place = Place(subject=rebuild.edit, file=dockerfile.name)
        ran = [told for told in rebuild.ran if told in wanted]
        cached = [told for told in rebuild.cached if told in wanted]
        if ran:
            line = next((each for each in dockerfile.instructions if each.printed == ran[0]), None)
            yield broken(f"After {_said(rebuild)} {called} ran again", on(dockerfile, line) if line else place)
        elif cached:
            yield holds(f"After {_said(rebuild)} {called} stayed cached", place)
        else:
            yield unknown(f"After {_said(rebuild)} the build did not name {called}", place)


def _dependencies(dockerfile: Dockerfile) -> set[str]:
    """Return BuildKit's names for the installers' steps."""
    return {each.printed for each in installers(dockerfile)}


def _copies_of_config(trial: Iterable[Rebuild]) -> set[str]:
    """Return the copies from the context that an edit of the configuration makes run, and one of the source does not.

    The source's own copy stands behind them and so runs with them. If nothing tells them apart, all are theirs.
    """
    copies = {told for rebuild in _of("config", trial) for told in rebuild.ran if _copies(told)}
    sources = {told for rebuild in _of("source", trial) for told in rebuild.ran if _copies(told)}
    return copies - sources or copies


def _copies(told: str) -> bool:
    return told.startswith(("COPY", "ADD")) and "--from=" not in told


def _of(kind: str, trial: Iterable[Rebuild]) -> list[Rebuild]:
    return [each for each in trial if each.kind == kind]


def _said(rebuild: Rebuild) -> str:
    return f"{rebuild.edit} ({rebuild.seconds:.1f} s)"


def _stage(dockerfile: Dockerfile, instruction: Instruction) -> Stage:
    return dockerfile.stages[instruction.stage or 0]


def _covers(target: str, folder: str) -> bool:
    return f"{folder.rstrip('/')}/".startswith(f"{target.rstrip('/')}/")


def _copies_all(instruction: Instruction) -> bool:
    """Whether an instruction brings the whole context."""
    if instruction.keyword not in ("COPY", "ADD") or instruction.flag("from"):
        return False
    return any(source.strip("./*") == "" for source in instruction.expanded[:-1])
