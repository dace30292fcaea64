"""The image of the gateway: HAProxy from the packages of the project's own base, built once on each engine."""

from __future__ import annotations

import hashlib
import tempfile
from collections import deque
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from dockyard.engines.buildx import CommandError
from dockyard.errors import BuildError
from dockyard.gateway.config import FOLDER, NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dockyard.engines import Engine
    from dockyard.machine import Base

REPOSITORY = "dockyard.local/gateway"
LABEL = "dev.dockyard.gateway.recipe"
SECRETS = ("ca", "proxy", "no_proxy")
DOCKERFILE = f"""\
ARG BASE_IMAGE
FROM ${{BASE_IMAGE}}
USER 0:0
RUN --mount=type=secret,id=ca --mount=type=secret,id=proxy --mount=type=secret,id=no_proxy <<'EOT'
set -eu
options=
if [ -f /run/secrets/ca ]; then options="-o Acquire::https::CAInfo=/run/secrets/ca"; fi
if [ -f /run/secrets/proxy ]; then
    https_proxy=$(cat /run/secrets/proxy)
    no_proxy=$(cat /run/secrets/no_proxy 2> /dev/null || :)
    export https_proxy no_proxy http_proxy="$https_proxy"
fi
apt-get $options -qq update
DEBIAN_FRONTEND=noninteractive apt-get $options -qq install --yes --no-install-recommends haproxy socat
rm -rf /var/lib/apt/lists/* /var/log/apt /var/log/dpkg.log
EOT
# Ends it without a cut: what was begun is finished.
STOPSIGNAL SIGUSR1
USER 65534:65534
ENTRYPOINT []
CMD ["haproxy", "-db", "-f", "{FOLDER}/{NAME}"]
"""


def recipe(base: Base) -> str:
    """Return twelve digits that are the same for the same base and the same Dockerfile."""
    return hashlib.sha256(f"{base.digest}\n{DOCKERFILE}".encode()).hexdigest()[:12]


def image_for(
    base: Base, *, secrets: Mapping[str, Path], engine: Engine, announce: Callable[[str], None] = lambda _: None
) -> str:
    """Return the gateway's image on a base; build it if this engine has none.

    Raises:
        BuildError: The packages cannot be had.
    """
    label = f"{LABEL}={recipe(base)}"
    found = engine.daemon.images(label)
    if found:
        return found[0]
    announce("building the gateway's image, once")
    made = f"{REPOSITORY}:{recipe(base)}"
    _build(base, made, label, secrets, engine)
    ask = ["dpkg-query", "--show", "--showformat=${Version}", "haproxy"]
    version = engine.buildx.run(made, ask, remove=True, networks=["none"])
    named = f"{REPOSITORY}:{version.replace('+', '-')}"
    engine.buildx.tag(made, named)
    engine.buildx.remove_image(made)
    return named


def _build(base: Base, tag: str, label: str, secrets: Mapping[str, Path], engine: Engine) -> None:
    name, _, value = label.partition("=")
    with tempfile.TemporaryDirectory(prefix="dockyard-") as folder:
        file = Path(folder, "Dockerfile")
        file.write_text(DOCKERFILE, "utf-8")
        messages = engine.buildx.build(
            Path(folder),
            file=file,
            tags=[tag],
            labels={name: value},
            build_args={"BASE_IMAGE": base.pinned},
            secrets=[f"id={each},src={secrets[each]}" for each in SECRETS if each in secrets],
            load=True,
            provenance=False,
        )
        try:
            with closing(messages):
                deque(messages, maxlen=0)
        except CommandError as error:
            raise BuildError(
                "The gateway's image could not be built.",
                error.why,
                "Make the package mirror of the base reachable, or set `gateway = false` in [tool.dockyard.run].",
            ) from None
