"""How one registry is logged in to: with what docker keeps, or with a password that stays in its variable.

docker, cosign and notation ask a credential helper for a password. Ours answers from the variable, which it inherits:
the password is in no argument list and no file, not even for as long as a push lasts.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dockyard.errors import SettingsError
from dockyard.push.destination import HUB

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dockyard.settings.pushes import Push

HELPER = "dockyard"
VARIABLE = "DOCKYARD_PUSH_PASSWORD"
CONFIG = "config.json"
# Of the user's own configuration what says how docker is reached; no other registry is asked meanwhile.
KEPT = ("currentContext", "proxies", "HttpHeaders", "cliPluginsExtraDirs")
LINKED = ("contexts", "cli-plugins", "trust")
SCRIPT = """\
#!{python} -IS
import json, os, sys
if sys.argv[1:] != ["get"]:
    sys.exit("It keeps nothing.")
answer = {{"ServerURL": sys.stdin.read().strip(), "Username": {user!r}, "Secret": os.environ[{variable!r}]}}
print(json.dumps(answer))
"""


@dataclass(frozen=True, kw_only=True)
class Access:
    """What lets a program in.

    Attributes:
        environment: Of programs that talk to the registry; it has no secret.
        login: For the engine's socket; None where it finds what docker keeps.
    """

    environment: Mapping[str, str] = field(default_factory=dict)
    login: Mapping[str, str] | None = field(default=None, repr=False)


@contextmanager
def access(push: Push, registry: str, folder: Path, environment: Mapping[str, str]) -> Iterator[Access]:
    """Yield what lets programs into a registry; what was made for it is removed when the block ends.

    Args:
        push: Has the name and the password, if they are not docker's to know.
        registry: Its host.
        folder: Where something may be written for as long.
        environment: Of this process.

    Raises:
        SettingsError: One of the two is missing, or the password is not in its variable.
    """
    password = push.password.get_secret_value() if push.password else ""
    if not (push.user or password):
        yield Access()
        return
    if not (push.user and password):
        raise SettingsError(
            f"The login at {registry} is not whole, so nothing was done.",
            f"{'DOCKYARD_PUSH_USER' if password else VARIABLE} is not set.",
            "Set both, or none: then what `docker login` keeps is taken.",
        )
    if environment.get(VARIABLE) != password:
        raise SettingsError(
            "The registry's password is in pyproject.toml, so nothing was done.",
            "Everybody who sees the project would have it.",
            f"Take it out of there, change it, and set {VARIABLE} in the environment.",
        )
    if registry == HUB:
        raise SettingsError(
            "The registry is not named, so nothing was done.",
            f"Without a host in the repository's name it is Docker Hub, for which {VARIABLE} is not taken.",
            "Name the registry, or log in with `docker login` and unset both variables.",
        )
    own = Path(environment.get("DOCKER_CONFIG") or Path.home() / ".docker")
    with tempfile.TemporaryDirectory(prefix="registry-", dir=folder) as made:
        place = Path(made).resolve()
        _lay(place, own, push.user, registry)
        path = os.pathsep.join([str(place), *filter(None, [environment.get("PATH")])])
        yield Access(
            environment={"DOCKER_CONFIG": str(place), "PATH": path},
            login={"username": push.user, "password": password},
        )


def _lay(place: Path, own: Path, user: str, registry: str) -> None:
    """Write a configuration of docker's that asks our helper for one registry, and the helper."""
    helper = place / f"docker-credential-{HELPER}"
    helper.write_text(SCRIPT.format(python=sys.executable, user=user, variable=VARIABLE), "utf-8")
    helper.chmod(0o700)
    config = {**{name: value for name, value in _read(own).items() if name in KEPT}, "credHelpers": {registry: HELPER}}
    (place / CONFIG).write_text(json.dumps(config), "utf-8")
    for name in LINKED:
        if (own / name).exists():
            (place / name).symlink_to(own / name)


def _read(own: Path) -> dict[str, Any]:
    """Return the user's own configuration; docker itself says what is wrong with one that cannot be read."""
    try:
        told = json.loads((own / CONFIG).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}
