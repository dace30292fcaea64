"""A release on this host, kept by the real Compose."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from dockyard.errors import DeployError
from dockyard.pipeline import deploy as deploying
from dockyard.pipeline.deploy import DeployOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dockyard.pipeline import Project

CANARY = "canary-key-0123456789-0123456789-abcdef"
OPTIONS = DeployOptions(to="compose")


def docker(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)


@pytest.fixture
def composed(built: Project, tmp_path: Path, changed: Callable[..., Project]) -> Iterator[Callable[..., Project]]:
    """Return the built project with a key on this host and other settings; what Compose made is removed."""
    if docker("compose", "version").returncode != 0:
        pytest.skip("docker has no Compose here")
    key = tmp_path / "api_key"
    key.write_text(CANARY, "utf-8")
    key.chmod(0o444)
    yield lambda **more: changed(deploy__secret_file=str(key), deploy__settle=1, deploy__wait=8, **more)
    docker("compose", "--file", str(built.settings.root / "deploy/compose.yaml"), "down", "--volumes")


def inspected(project: Project) -> dict[str, Any]:
    """What the engine says of the one container."""
    file = str(project.settings.root / "deploy/compose.yaml")
    (name,) = docker("compose", "--file", file, "ps", "--quiet").stdout.split()
    return json.loads(docker("inspect", name).stdout)[0]


def test_release_and_a_broken_one(composed: Callable[..., Project]) -> None:
    """A release becomes healthy, confined and with its key; a broken one is taken back, and the good one serves."""
    good = composed()
    deploying.write_files(good, OPTIONS)
    done = deploying.bring_up(good, OPTIONS)
    told = inspected(good)

    assert "@sha256:" in done.image
    assert told["State"]["Health"]["Status"] == "healthy"
    assert told["HostConfig"]["ReadonlyRootfs"] is True
    assert told["HostConfig"]["CapDrop"] == ["ALL"]
    assert told["HostConfig"]["Memory"] == told["HostConfig"]["MemorySwap"] == 512 * 2**20
    assert CANARY not in json.dumps(told)

    broken = composed(run__env={"MODE": "unready"})
    deploying.write_files(broken, OPTIONS)
    with pytest.raises(DeployError) as caught:
        deploying.bring_up(broken, OPTIONS)

    assert "was taken back" in caught.value.what
    told = inspected(good)
    assert told["State"]["Health"]["Status"] == "healthy"
    assert "MODE=unready" not in told["Config"]["Env"]
