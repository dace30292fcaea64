"""What is deployed, wherever to: the hardened container of `invoke run --prod`, under a name that a cluster takes."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dockyard.deploy.health import health_of
from dockyard.errors import SettingsError
from dockyard.plan import production_plan
from dockyard.settings.fields import DNS_LABEL

if TYPE_CHECKING:
    from dockyard.deploy.health import Health
    from dockyard.plan import RunPlan
    from dockyard.settings import Settings
    from dockyard.settings.deploys import Deploy

# The kubelet needs some of the grace for itself.
SLACK = 5


@dataclass(frozen=True, kw_only=True)
class Workload:
    """What every target derives its files from, as data.

    Attributes:
        name: Of all that is made; a DNS label.
        image: By digest, unless a tag was allowed.
        container: The hardened container; of it, `key_volume` and `binds` mean something on one engine only.
        logs: Where the service writes its logs.
        secret: Name of the secret that holds the key.
        secret_file: The same as a file of a host.
        wanted: The settings of [tool.dockyard.deploy].
    """

    name: str
    image: str
    container: RunPlan
    logs: str
    secret: str
    secret_file: str
    namespace: str
    health: Health
    wanted: Deploy

    @property
    def grace(self) -> int:
        """Seconds from the decision to end a pod until SIGKILL: what precedes SIGTERM, the stop, and a little more."""
        return self.wanted.pre_stop + self.container.stop_timeout + SLACK

    @property
    def uid(self) -> int:
        """The UID of the container's user."""
        return int(self.container.user.split(":")[0])


def workload_of(settings: Settings, image: str) -> Workload:
    """Return the release of an image.

    Raises:
        SettingsError: No name can be made of the image's.
    """
    wanted, run = settings.deploy, settings.run
    name = wanted.name or re.sub(r"[._]", "-", settings.image.rpartition("/")[2])
    if not re.match(DNS_LABEL, name):
        raise SettingsError(
            f"Nothing in a cluster can be called {name}.",
            "It takes small letters, digits and dashes, at most 50, a letter first.",
            "Set `name` in [tool.dockyard.deploy].",
        )
    container = replace(
        production_plan(settings, token="deploy"),  # noqa: S106 - a name's end
        image=image,
        memory=wanted.memory or run.memory,
        cpus=wanted.cpus or run.cpus,
    )
    return Workload(
        name=name,
        image=image,
        container=container,
        logs=run.logs_target,
        secret=wanted.secret or f"{name}-key",
        secret_file=wanted.secret_file or f"/etc/{name}/api_key",
        namespace=wanted.namespace or name,
        health=health_of(settings),
        wanted=wanted,
    )
