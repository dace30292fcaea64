"""RunPlan beside a running container -> in what they differ."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockyard.machine.corporate import REDACTED, redacted
from dockyard.observe.running import Running, planned, variables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dockyard.engines.facts import ImageFacts
    from dockyard.plan import RunPlan

SECRET = re.compile(r"KEY|TOKEN|SECRET|PASS|PWD|CREDENTIAL|AUTH|DSN|PRIVATE", re.IGNORECASE)
PORT = re.compile(r":\d+ to ")
# The docker command line gives these to every container, where its own configuration has them.
PROXIES = frozenset({"HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"})
NONE = "none"


@dataclass(frozen=True, kw_only=True)
class Drift:
    """One difference.

    Attributes:
        what: For instance `memory` or `env LOG_LEVEL`.
        running: What the container has.
        configured: What a start by the present settings would give it.
    """

    what: str
    running: str
    configured: str


def differences(plan: RunPlan, running: Running, image: ImageFacts | None) -> tuple[Drift, ...]:
    """Return in what a container differs from its plan; nothing right after it was started by that plan.

    What each start has of its own is not compared: the name of the key's volume, the labels, a free port that was
    taken.

    Args:
        plan: What a start by the present settings would ask for.
        running: The container.
        image: What the plan's image is now; None where the engine does not have it.
    """
    wanted = planned(plan, running.came_with)
    drifts = [*_image(plan, running, image)]
    for what, asked in wanted.values.items():
        has = running.values[what]
        if has != asked and not _as_good(what, has, asked):
            drifts.append(Drift(what=what, running=has or NONE, configured=asked or NONE))
    drifts += _tables("mount", running.mounts, wanted.mounts)
    drifts += _tables("env", *_environments(running, plan))
    # An engine adds options of its own configuration.
    drifts += _tables("log option", {name: running.log[name] for name in wanted.log if name in running.log}, wanted.log)
    return tuple(drifts)


def _as_good(what: str, has: str, asked: str) -> bool:
    """Whether a value that differs is what a start may give for the one that was asked for."""
    if what == "port":
        return PORT.sub(":0 to ", has) == asked
    if what == "command":
        return not asked
    # The engine notes this where its kernel cannot limit swap.
    return what == "swap" and has == "unlimited"


def _image(plan: RunPlan, running: Running, image: ImageFacts | None) -> Iterator[Drift]:
    if image is None:
        yield Drift(what="image", running=running.image, configured=f"{plan.image}, which the engine does not have")
    elif image.id != running.image:
        yield Drift(what="image", running=running.image, configured=f"{image.id} ({plan.image})")


def _environments(running: Running, plan: RunPlan) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Return the variables that can be compared; whose image is gone, of that only those of the plan can."""
    has = running.env
    if running.came_with is None:
        return {name: has[name] for name in plan.env if name in has}, plan.env
    # What came with the image that runs is no setting: a newer image is a difference of its own.
    asked = {**variables(running.came_with.env), **plan.env}
    ignored = {name for name in has if name.upper() in PROXIES and name not in asked}
    return {name: value for name, value in has.items() if name not in ignored}, asked


def _tables(kind: str, has: Mapping[str, str], asked: Mapping[str, str]) -> Iterator[Drift]:
    for name in dict.fromkeys((*asked, *has)):
        one, other = has.get(name), asked.get(name)
        if one != other:
            yield Drift(what=f"{kind} {name}", running=_shown(name, one), configured=_shown(name, other))


def _shown(name: str, value: str | None) -> str:
    """Return a value that may be read by all; what sounds like a secret is not."""
    if value is None:
        return NONE
    if SECRET.search(name) and not name.endswith("_FILE"):
        return REDACTED
    return redacted(value) or "empty"
