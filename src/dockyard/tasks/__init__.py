"""The Invoke tasks: parse, call, print.

A project takes them with `from dockyard.tasks import namespace`, or adds its own with `namespace = collection(mine)`.
Nothing heavy is imported here: `invoke --list` must cost no more than it does for an empty tasks.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke.collection import Collection

from dockyard.tasks.audit import audit
from dockyard.tasks.bundle import bundle
from dockyard.tasks.cache import cache
from dockyard.tasks.ci import ci, notes
from dockyard.tasks.container import clean, run, settings, shell, smoke, stop, up
from dockyard.tasks.deploy import deploy
from dockyard.tasks.doctor import doctor
from dockyard.tasks.explain import explain
from dockyard.tasks.image import build, setup
from dockyard.tasks.observe import logs, stats, status
from dockyard.tasks.pin import pin
from dockyard.tasks.push import push
from dockyard.tasks.release import rollback, rotate_key
from dockyard.tasks.reproduce import reproduce
from dockyard.tasks.sbom import sbom
from dockyard.tasks.size import size

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["collection", "namespace"]

TASKS = (
    *(setup, build, cache, explain, audit, sbom, pin, size, reproduce, bundle, push),
    *(run, up, rollback, rotate_key, status, doctor, logs, stats, shell, stop, smoke, deploy, clean, settings),
    *(ci, notes),
)


def collection(*own: Callable[..., object]) -> Collection:
    """Return dockyard's tasks together with those of a project."""
    return Collection(*TASKS, *own)


namespace = collection()
