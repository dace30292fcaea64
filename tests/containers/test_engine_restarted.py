"""An engine that ends in the middle of a swap, and comes back."""

from __future__ import annotations

import signal
import subprocess
from typing import TYPE_CHECKING

import pytest
from second import Operator, SecondEngine, require_engines
from serving import folder_of
from swarms import until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.operations


@pytest.fixture(scope="module")
def operator(images: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    """Somebody whose second engine serves release one."""
    require_engines()
    engine = SecondEngine()
    try:
        engine.start()
        engine.load(*(f"{images}:{tag}" for tag in ("one", "two")))
        operator = Operator(engine, folder_of(tmp_path_factory.mktemp("restarted") / "service", images))
        started = operator.types("run", "--prod")
        assert started.returncode == 0, started.stderr
        yield operator
        stopped = operator.types("stop")
        assert stopped.returncode == 0, stopped.stderr
    finally:
        engine.remove()


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
@pytest.mark.parametrize("phase", ["… starting", "the old one makes way", "watching it"])
def test_engine_ends_in_a_swap(operator: Operator, phase: str, sent: signal.Signals) -> None:
    """The command says that the engine went away, with exit code 3; once it is back, the next one settles the swap."""
    before, _ = operator.status()
    code, said = operator.loses_the_engine(phase, sent, "run", "--prod", "--tag", "two")
    assert code == 3, said
    assert "error: The engine went away while" in said
    operator.engine.wait_until_gone()
    operator.engine.start()
    _, told = operator.status()
    assert "was cut off at the step" in told
    after = until(lambda: (now := operator.status()[0])["health"] == "healthy" and now, "a healthy service")
    assert after["digest"] == before["digest"], (told, said)
    proved = operator.types("smoke")
    assert proved.returncode == 0, proved.stdout + proved.stderr
    containers = subprocess.run(
        ["docker", "-H", operator.engine.address, "ps", "--all", "--format", "{{.Names}}"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert containers == [before["container"]]
