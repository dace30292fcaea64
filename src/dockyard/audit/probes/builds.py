"""Where the evidence of builds comes from: what BuildKit says of the Dockerfile, and the trial builds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockyard.audit.evidence import Missing
from dockyard.audit.observed import Ran
from dockyard.audit.probes.builds_cache import cache_trial
from dockyard.audit.probes.builds_canary import canary_build
from dockyard.audit.probes.builds_secret import secret_trial
from dockyard.audit.probes.builds_twice import rebuild

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dockyard.build.workshop import Workshop

# The first buildx that knows `--check`.
CHECKS = (0, 15)


@dataclass(frozen=True, kw_only=True)
class Group:
    """Trial builds that belong together.

    Attributes:
        names: The evidence that they give.
        label: What they do, for those who wait.
        take: Does it; a DockyardError makes all of it missing.
    """

    names: tuple[str, ...]
    label: str
    take: Callable[[Workshop], Mapping[str, object]]


# They know nothing of each other and may run side by side; the longest stand first.
GROUPS = (
    Group(
        names=("rebuild",),
        label="builds twice without cache, and compares",
        take=lambda shop: {"rebuild": rebuild(shop)},
    ),
    Group(
        names=("secret_trial",),
        label="builds with canary secrets, and searches for them",
        take=lambda shop: {"secret_trial": secret_trial(shop)},
    ),
    Group(
        names=("cache_trial",),
        label="rebuilds after edits of source, configuration and lock",
        take=lambda shop: {"cache_trial": cache_trial(shop)},
    ),
    Group(
        names=("canary_build",),
        label="builds a context of canary files",
        take=lambda shop: {"canary_build": canary_build(shop)},
    ),
)


def build_check(shop: Workshop) -> Ran | Missing:
    """Return what BuildKit has against the Dockerfile."""
    plan, version = shop.plan, shop.engine.buildx.version()
    if not version or version < CHECKS:
        has = ".".join(map(str, version)) if version else "none"
        return Missing(f"`docker buildx build --check` needs buildx {'.'.join(map(str, CHECKS))}; here is {has}.")
    done = shop.engine.buildx.check(plan.context, file=plan.dockerfile, args=plan.args, target=plan.target)
    return Ran(command="docker buildx build --check", code=done.code, output=f"{done.output}{done.error}".strip())
