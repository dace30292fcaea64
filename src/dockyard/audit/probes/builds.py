"""Where the evidence of builds comes from: what BuildKit says of the Dockerfile, and the trial builds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockyard.audit.evidence import Missing
from dockyard.audit.gather import Trial
from dockyard.audit.observed import Ran
from dockyard.audit.probes.builds_cache import cache_trial
from dockyard.audit.probes.builds_canary import canary_build
from dockyard.audit.probes.builds_secret import secret_trial
from dockyard.audit.probes.builds_twice import rebuild

if TYPE_CHECKING:
    from dockyard.build.workshop import Workshop

# The first buildx that knows `--check`.
CHECKS = (0, 15)


# They know nothing of each other and may run side by side; the longest stand first.
GROUPS: tuple[Trial[Workshop], ...] = (
    Trial(
        names=("rebuild",),
        label="builds twice without cache, and compares",
        take=lambda shop: {"rebuild": rebuild(shop)},
    ),
    Trial(
        names=("secret_trial",),
        label="builds with canary secrets, and searches for them",
        take=lambda shop: {"secret_trial": secret_trial(shop)},
    ),
    Trial(
        names=("cache_trial",),
        label="rebuilds after edits of source, configuration and lock",
        take=lambda shop: {"cache_trial": cache_trial(shop)},
    ),
    Trial(
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
