"""Where a release can go. A new target is a line here, a module that renders it and one that brings it up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockyard.deploy import compose, kubernetes, swarm

if TYPE_CHECKING:
    from collections.abc import Callable

    from dockyard.deploy.workload import Workload


@dataclass(frozen=True, kw_only=True)
class Target:
    """What is written for one orchestrator.

    Attributes:
        files: Every file, by its path in the folder of deployments.
        main: Of them the one that names the image.
        owns: Which files of that folder are this target's, as glob patterns.
    """

    name: str
    files: Callable[[Workload], dict[str, str]]
    main: str
    owns: tuple[str, ...]


TARGETS = {
    each.name: each
    for each in (
        Target(
            name="kubernetes",
            files=kubernetes.files,
            main=kubernetes.MANIFESTS,
            owns=(f"{kubernetes.BASE}/*.yaml", kubernetes.overlay_folder("*") + "/kustomization.yaml"),
        ),
        Target(name="compose", files=compose.files, main=compose.COMPOSE, owns=(compose.COMPOSE,)),
        Target(name="swarm", files=swarm.files, main=swarm.STACK, owns=(swarm.STACK,)),
    )
}
