"""Brings a release up on this host with Compose; brings the last good file back if it does not become healthy."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from dockyard.deploy.rollout import Deployed
from dockyard.engines import process
from dockyard.errors import DeployError, EngineError, Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable

    from dockyard.deploy.release import Release
    from dockyard.state import State

COMPOSE = ("docker", "compose", "--ansi=never")
LAST_LINES = 15
# The file that was brought up last and became healthy.
GOOD = "deploy/compose.yaml"


def up(release: Release, file: Path, *, state: State, announce: Callable[[str], None]) -> Deployed:
    """Start or replace the service, and wait until it is healthy.

    Raises:
        DeployError: There is no key on the host, or the service did not become healthy.
        EngineError: Docker has no Compose.
        Interrupted: Ctrl-C.
    """
    _require(release, file)
    began = time.monotonic()
    announce(f"starting, and waiting until it is healthy, {release.wanted.wait} s at most")
    try:
        done = _up(release, file, folder=file.parent)
        if not done.ok:
            raise _taken_back(release, file, state, done.last_line)
    except KeyboardInterrupt:
        raise Interrupted(
            f"Nobody waits for {release.name} any more.",
            "Ctrl-C was pressed; what Compose had begun stays.",
            f"Look at it: `docker compose --file {file} ps`",
        ) from None
    state.write(GOOD, file.read_bytes())
    return Deployed(name=release.name, image=release.image, where="this host", seconds=time.monotonic() - began)


def _require(release: Release, file: Path) -> None:
    """Refuse what cannot work before anything changes."""
    told = process.run((*COMPOSE, "version"))
    if not told.ok:
        raise EngineError(
            "Docker has no Compose here, so nothing was started.",
            told.last_line,
            f"Install Docker's Compose plugin, version 2; {file} is written.",
        )
    if not Path(file.parent, release.secret_file).is_file():
        raise DeployError(
            "There is no API key for the service, so nothing was started.",
            f"There is no file {release.secret_file}.",
            f"Make it: `install -D -m 0440 -g {release.container.group} FILE {release.secret_file}`",
        )


def _up(release: Release, file: Path, *, folder: Path) -> process.Completed:
    """Bring a file up; relative paths in it are those of a folder."""
    wait = release.wanted.wait
    words = ("up", "--detach", "--wait", f"--wait-timeout={wait}", "--quiet-pull")
    return process.run((*COMPOSE, f"--project-directory={folder}", f"--file={file}", *words), timeout=wait + 60)


def _taken_back(release: Release, file: Path, state: State, why: str) -> DeployError:
    """Say why the service is not healthy, and bring back what was up before."""
    log = process.run((*COMPOSE, f"--file={file}", "logs", "--no-color", "--no-log-prefix", f"--tail={LAST_LINES}"))
    why = "\n".join(filter(None, (why, log.output.strip())))
    look = f"Look at it: `docker compose --file {file} logs`"
    good, what = state.folder / GOOD, f"{release.name} did not become healthy"
    if not good.is_file():
        return DeployError(f"{what}; there is nothing to go back to.", why, look)
    back = _up(release, good, folder=file.parent)
    if not back.ok:
        return DeployError(f"{what}, and what was there before does not either.", f"{why}\n{back.last_line}", look)
    return DeployError(
        f"{what} and was taken back.", why, "What was there before serves again. Mend what is said above."
    )
