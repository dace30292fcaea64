"""SUP: the workflows that build and release."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dockyard.audit.facts.yaml_files import documents
from dockyard.audit.rule import Rule, part
from dockyard.audit.verdict import Place, Severity, broken, holds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.audit.facts.yaml_files import Node
    from dockyard.audit.read import TextFile
    from dockyard.audit.verdict import Proof

COMMIT = re.compile(r"[^@\s]+@[0-9a-f]{40}")
DIGEST = re.compile(r"docker://\S+@sha256:[0-9a-f]{64}")
BUILDERS = ("docker/build-push-action@", "docker/bake-action@")
BUILD = re.compile(r"\bdocker\s+(buildx\s+)?(build|bake)\b")
CACHES = ("cache-from", "cache-to")
KEEPS_CACHE = "actions/cache"


class Pipeline(Rule):
    """Workflows use actions by commit, hold the least permissions, and keep the build cache where images are built.

    A tag of an action can be moved by whoever takes over its repository, and then runs with the job's token. Cache
    mounts and layers are gone with the runner: without `cache-to` no build of the pipeline is ever fast.

    Remedy: Write each `uses:` with the 40 digits of a commit, `permissions: {}` at the top and what each job needs in
    the job, and `cache-from` and `cache-to` where an image is built.
    """

    id = "SUP-08"
    title = "Pipeline pinned, and its cache really exported"
    severity = Severity.MEDIUM
    references = ("OWASP Docker 9", "OWASP Docker 13")

    @part
    def pinned(self, workflows: tuple[TextFile, ...]) -> Iterator[Proof]:
        """Every action is named by its commit."""
        count = 0
        for file in workflows:
            _, problems = documents(file)
            yield from problems
            for uses in _uses(file):
                count += 1
                if not _is_pinned(uses.text):
                    yield broken(f"uses {uses.text}: not pinned to a commit", uses.place)
        yield holds(f"{count} uses of actions looked at", _whole(workflows))

    @part
    def permissions(self, workflows: tuple[TextFile, ...]) -> Iterator[Proof]:
        """Every job's permissions are stated, and are not all."""
        for file in workflows:
            for document in documents(file)[0]:
                yield from _permissions(document)

    @part
    def cached(self, workflows: tuple[TextFile, ...]) -> Iterator[Proof]:
        """Each job that builds an image gets its cache and keeps it."""
        builds = [(job, step) for file in workflows for job in _jobs(file) for step in job.get("steps").each()]
        builds = [(job, step) for job, step in builds if _builds(step)]
        for job, step in builds:
            kept = any(each.get("uses").text.startswith(KEEPS_CACHE) for each in job.get("steps").each())
            missing = [] if kept else [name for name in CACHES if not _has_cache(step, name)]
            if missing:
                yield broken(f"an image is built without {' and '.join(missing)}", step.place)
            else:
                yield holds("an image is built with its cache kept", step.place)
        if not builds:
            yield holds("no workflow builds an image by itself", _whole(workflows))


def _whole(workflows: tuple[TextFile, ...]) -> Place:
    return Place(subject="workflows", file=workflows[0].path if workflows else "", line=1)


def _jobs(file: TextFile) -> list[Node]:
    return [job for document in documents(file)[0] for _, job in document.get("jobs").fields()]


def _uses(file: TextFile) -> Iterator[Node]:
    """Yield what jobs and steps use: actions and whole workflows; those of a composite action too."""
    runs = [document.get("runs") for document in documents(file)[0]]
    for job in [*_jobs(file), *runs]:
        found = [job.get("uses"), *(step.get("uses") for step in job.get("steps").each())]
        yield from (each for each in found if each.there)


def _is_pinned(uses: str) -> bool:
    """Whether it cannot change by itself: of this repository, by commit, or an image by digest."""
    if uses.startswith("docker://"):
        return bool(DIGEST.fullmatch(uses))
    return uses.startswith("./") or bool(COMMIT.fullmatch(uses))


def _permissions(document: Node) -> Iterator[Proof]:
    of_all = document.get("permissions")
    for given in [of_all, *(job.get("permissions") for _, job in document.get("jobs").fields())]:
        if given.text == "write-all":
            yield broken("permissions are write-all", given.place)
    for name, job in document.get("jobs").fields():
        if of_all.there or job.get("permissions").there:
            yield holds(f"job {name} states its permissions", job.place)
        else:
            yield broken(f"job {name} has no permissions stated: it gets the repository's default", job.place)


def _builds(step: Node) -> bool:
    return step.get("uses").text.startswith(BUILDERS) or bool(BUILD.search(step.get("run").text))


def _has_cache(step: Node, name: str) -> bool:
    """Whether a build gets or keeps its cache; a bake has both among its `set`."""
    return (
        bool(step.get("with", name).text) or name in step.get("with", "set").text or f"--{name}" in step.get("run").text
    )
