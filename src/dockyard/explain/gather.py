"""BuildPlan -> what goes into it, read before the build: the steps of the stages it needs, and the files they take."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dockyard import context
from dockyard.build.anchor import alone
from dockyard.dockerfile import DockerfileError, parse
from dockyard.dockerfile.outside import platform_arguments
from dockyard.errors import SettingsError
from dockyard.explain.files import Context
from dockyard.explain.instructions import Reader
from dockyard.explain.ledger import Ledger
from dockyard.explain.nodes import Graph, Node, StageNote
from dockyard.explain.scopes import ROOT, Scope
from dockyard.explain.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from dockyard.dockerfile import Dockerfile, Instruction, Stage
    from dockyard.engines.facts import ImageFacts
    from dockyard.plan import BuildPlan
    from dockyard.state import State

STEPS = ("RUN", "COPY", "ADD", "WORKDIR")
SCRATCH = "scratch"


def gather(
    plan: BuildPlan,
    *,
    state: State,
    image: Callable[[str], ImageFacts | None],
    builder: str = "",
    edited: Iterable[str] = (),
    keep: bool = True,
) -> Graph:
    """Return what goes into a build.

    Args:
        plan: The build.
        state: Where digests of files are kept.
        image: Returns what the engine knows of an image.
        builder: Who will build, where the plan does not say.
        edited: Files below the context that are taken for edited.
        keep: Whether a build follows; only then the next one is told what was touched since this one.

    Raises:
        SettingsError: The Dockerfile or the .dockerignore cannot be read.
    """
    ignore = context.effective(plan.context, plan.dockerfile)
    ledger, store = Ledger(state, plan.context), Store(state)
    files = Context(plan.context, ignore, ledger, edited=edited)
    text = _read(plan.dockerfile)
    nodes: list[Node] = []
    for platform in plan.platforms or ("",):
        tree = parse(text, args={**platform_arguments(platform), **plan.args}, name=plan.dockerfile.name)
        walker = _Walker(tree, plan, platform, image, Reader(files, store.salted, plan.marks))
        nodes += walker.nodes()
        for taken in walker.reader.taken:
            store.keep(taken, plan.context)
    store.prune()
    if keep:
        ledger.keep()
    return Graph(
        kind={
            "dockerfile": str(plan.dockerfile),
            "context": str(plan.context),
            "target": plan.target,
            "platforms": list(plan.platforms),
            "python": plan.python,
        },
        builder=plan.builder or builder,
        cache=plan.cache and not plan.reproducible,
        ignore=tuple(ignore.file.read_text("utf-8-sig", "surrogateescape").split("\n")) if ignore.file else (),
        ignore_name=ignore.file.name if ignore.file else "",
        dockerfile=plan.dockerfile.name,
        secrets={name: store.salted(path.read_bytes()) for name, path in plan.secrets.items() if path.is_file()},
        stages=tuple(StageNote(name=each.name, base=each.base, line=each.line) for each in tree.stages),
        nodes=tuple(nodes),
        edited=tuple(sorted(files.used)),
    )


def _read(dockerfile: Path) -> bytes:
    try:
        return dockerfile.read_bytes()
    except OSError as error:
        raise SettingsError(
            f"{dockerfile} cannot be read.", str(error), "Correct `build.dockerfile`, or make it a file you can read."
        ) from None


class _Walker:
    """Makes the nodes of one platform's build."""

    def __init__(
        self,
        tree: Dockerfile,
        plan: BuildPlan,
        platform: str,
        image: Callable[[str], ImageFacts | None],
        reader: Reader,
    ) -> None:
        self._tree = tree
        self._plan = plan
        self._platform = platform
        self._several = len(plan.platforms) > 1
        self._image = image
        self._scopes: dict[int, Scope] = {}
        self._last: dict[int, str] = {}
        self._images: dict[str, str] = {}
        self._alone = alone(tree)
        self._outer = {name: each.line for each in tree.instructions if each.stage is None for name in each.pairs}
        self.reader = reader

    def nodes(self) -> Iterator[Node]:
        """Yield the steps in an order in which they can be built."""
        target = self._tree.built(self._plan.target)
        for stage in self._tree.needed(target):
            yield from self._stage(stage)

    def _stage(self, stage: Stage) -> Iterator[Node]:
        # WORKDIR / makes nothing: BuildKit counts it among all steps of a stage, and gives it no number.
        counted = [each for each in stage.instructions if each.keyword in STEPS]
        outside = stage.parent is None and stage.reference != SCRATCH
        total = len(counted) + outside
        number = 0
        scope, parent = Scope(), ""
        if outside:
            number = 1
            node, scope = self._from(stage, total)
            parent = node.id
            yield node
        elif stage.parent is not None:
            scope, parent = self._scopes[stage.parent].below(), self._last[stage.parent]
        for each in (*self._triggered(stage, scope), *stage.instructions[1:]):
            # WORKDIR's own folder is already the new one for its step.
            scope.take(each, self._plan.args, self._outer)
            if each.keyword in STEPS and not (each.keyword == "WORKDIR" and scope.folder == ROOT):
                number += 1
                label = self._label(stage, number, total)
                node = replace(
                    self._step(each, scope, stage), id=f"{self._platform}|{label}", label=label, parent=parent
                )
                parent = node.id
                yield node
        self._scopes[stage.index], self._last[stage.index] = scope, parent

    def _triggered(self, stage: Stage, scope: Scope) -> tuple[Instruction, ...]:
        """Return what a stage's image has kept for it by ONBUILD; BuildKit numbers that, and counts it not."""
        kept, scope.triggers = scope.triggers, ()
        with suppress(DockerfileError):
            found = parse("\n".join(("FROM scratch", *kept)), args=self._plan.args).final.instructions[1:]
            return tuple(replace(each, line=stage.line) for each in found)
        return ()

    def _step(self, instruction: Instruction, scope: Scope, stage: Stage) -> Node:
        """Return an instruction's step, but for its place."""
        made = self.reader.read(instruction, scope)
        named = {name: self._source(stage, name) for name in made.pop("from")}
        # A stage that took nothing from anywhere has no steps, and an image from outside none of this build.
        outside = {name: self._base(name, stage.platform)[0]["digest"] for name, at in named.items() if at is None}
        platform = {"platform": stage.platform or self._platform} if instruction.keyword == "RUN" else {}
        return Node(
            id="",
            stage=stage.index,
            label="",
            line=instruction.line,
            keyword=instruction.keyword,
            text=made["text"],
            printed=instruction.printed,
            parts={**made["parts"], **platform, "images": outside},
            told=made["told"],
            sources=tuple(each for each in named.values() if each),
            apart=made["apart"],
            loose=made["loose"],
        )

    def _from(self, stage: Stage, total: int) -> tuple[Node, Scope]:
        parts, scope = self._base(stage.reference, stage.platform)
        names, label = self._tree.arguments, self._label(stage, 1, total)
        node = Node(
            id=f"{self._platform}|{label}",
            stage=stage.index,
            label=label,
            line=stage.line,
            keyword="FROM",
            text=f"FROM {stage.base}",
            printed=f"FROM {stage.reference}",
            parts=parts,
            told={
                "reference": stage.reference,
                "values": {name: [value, "ARG", 0, name in self._plan.args] for name, value in names.items() if value},
            },
        )
        return node, scope

    def _base(self, reference: str, platform: str) -> tuple[dict[str, Any], Scope]:
        """Return what an image from outside is, and what instructions on it see."""
        if reference in self._plan.contexts:
            # A folder in a stage's place, which nothing here has read.
            return {"digest": f"folder {reference}"}, Scope()
        reference = self._plan.images.get(reference, reference)
        facts = self._image(reference)
        given = reference.rpartition("@")[2] if "@" in reference else ""
        platform = platform or self._platform
        if facts is None:
            digest = given or reference
            return {"digest": digest, "layers": digest, "platform": platform}, Scope()
        # An engine has the layers of its own platform only.
        layers = hashlib.sha256("\n".join(facts.diff_ids).encode()).hexdigest()[:32] if facts.diff_ids else facts.id
        parts = {"digest": given or facts.id, "layers": facts.id if platform else layers, "platform": platform}
        return parts, Scope.on(facts)

    def _source(self, stage: Stage, name: str) -> str | None:
        """Return the last step of the stage that a source names; None is an image from outside."""
        if name in self._plan.contexts:
            return None
        for other in reversed(self._tree.stages[: stage.index]):
            if name.lower() == other.name or name == str(other.index):
                return self._last.get(other.index, "")
        return "" if name == SCRATCH else None

    def _label(self, stage: Stage, number: int, total: int) -> str:
        name = "" if self._alone else stage.name or f"stage-{stage.index}"
        platform = (stage.platform or self._platform) if self._several else ""
        return " ".join(filter(None, (platform, name, f"{number}/{total}")))
