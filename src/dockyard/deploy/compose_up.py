"""Brings a release up on this host with Compose; brings the last good file back if it does not become healthy."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dockyard.deploy.rollout import Deployed
from dockyard.engines import process
from dockyard.engines.buildx import last_useful_line
from dockyard.errors import DeployError, EngineError, Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable

    from dockyard.deploy.workload import Workload
    from dockyard.state import State

COMPOSE = ("docker", "compose", "--ansi=never")
LAST_LINES = 15
# The file that was brought up last and became healthy.
GOOD = "deploy/compose.yaml"


def up(workload: Workload, file: Path, *, state: State, announce: Callable[[str], None]) -> Deployed:
    """Start or replace the service, and wait until it is healthy.

    Raises:
        DeployError: There is no key on the host, or the service did not become healthy.
        EngineError: Docker has no Compose.
        Interrupted: Ctrl-C.
    """
    _require(workload, file)
    began = time.monotonic()
    announce(f"starting, and waiting until it is healthy, {workload.wanted.wait} s at most")
    try:
        why = _up(workload, file, folder=file.parent)
        if why:
            raise _taken_back(workload, file, state, why)
    except KeyboardInterrupt:
        raise Interrupted(
            f"Nobody waits for {workload.name} any more.",
            "Ctrl-C was pressed; what Compose had begun stays.",
            f"Look at it: `docker compose --file {file} ps`",
        ) from None
    state.write(GOOD, file.read_bytes())
    return Deployed(name=workload.name, image=workload.image, where="this host", seconds=time.monotonic() - began)


def _require(workload: Workload, file: Path) -> None:
    """Refuse what cannot work before anything changes."""
    told = process.run((*COMPOSE, "version"))
    if not told.ok:
        raise EngineError(
            "Docker has no Compose here, so nothing was started.",
            last_useful_line(told.error),
            f"Install Docker's Compose plugin, version 2; {file} is written.",
        )
    if not Path(file.parent, workload.secret_file).is_file():
        raise DeployError(
            "There is no API key for the service, so nothing was started.",
            f"There is no file {workload.secret_file}.",
            f"Make it: `install -D -m 0440 -g {workload.container.group} FILE {workload.secret_file}`",
        )


def _up(workload: Workload, file: Path, *, folder: Path) -> str:
    """Bring a file up and return why it is not healthy, nothing if it is; relative paths in it are those of a folder.

    Compose is not believed: at its deadline it sometimes ends with 0 although nothing became healthy.
    """
    wait = workload.wanted.wait
    project = (*COMPOSE, f"--project-directory={folder}", f"--file={file}")
    words = ("up", "--detach", "--wait", f"--wait-timeout={wait}", "--quiet-pull")
    done = process.run((*project, *words), timeout=wait + 60)
    if not done.ok:
        return done.last_line
    told = process.run((*project, "ps", "--all", "--format=json"))
    states = [_state(each) for line in told.output.splitlines() for each in _listed(line)]
    return "; ".join(filter(None, states)) if states else "Compose shows no container of it."


def _listed(line: str) -> list[dict[str, Any]]:
    """Return the containers of a line: one, or all of them where Compose is older."""
    found = json.loads(line)
    return found if isinstance(found, list) else [found]


def _state(container: dict[str, Any]) -> str:
    """Return what is wrong with a container; nothing if it runs, and is healthy where it has a health check."""
    state, health = container.get("State", ""), container.get("Health", "")
    good = state == "running" and health in ("", "healthy")
    return "" if good else f"{container.get('Name')} is {', '.join(filter(None, (state, health)))}."


def _taken_back(workload: Workload, file: Path, state: State, why: str) -> DeployError:
    """Say why the service is not healthy, and bring back what was up before."""
    log = process.run((*COMPOSE, f"--file={file}", "logs", "--no-color", "--no-log-prefix", f"--tail={LAST_LINES}"))
    why = "\n".join(filter(None, (why, log.output.strip())))
    look = f"Look at it: `docker compose --file {file} logs`"
    good, what = state.folder / GOOD, f"{workload.name} did not become healthy"
    if not good.is_file():
        return DeployError(f"{what}; there is nothing to go back to.", why, look)
    back = _up(workload, good, folder=file.parent)
    if back:
        return DeployError(f"{what}, and what was there before does not either.", f"{why}\n{back}", look)
    return DeployError(
        f"{what} and was taken back.", why, "What was there before serves again. Mend what is said above."
    )
