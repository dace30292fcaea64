from __future__ import annotations

import pytest

from dockyard.errors import UnhealthyError
from dockyard.run import wait
from dockyard.run.watch import IN_A_ROW, watch
from support import FakeDaemon, container, sentences


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    """Look again at once."""
    monkeypatch.setattr("dockyard.run.watch.PAUSE", 0)
    monkeypatch.setattr(wait, "PAUSE", 0)


def look(daemon: FakeDaemon, answered: list[bool], seconds: float = 0.05) -> None:
    """Watch a container whose route is answered so, and then as the last time."""
    watch(
        "api-prod",
        daemon=daemon,
        url="http://127.0.0.1:8000",
        route="/ready",
        seconds=seconds,
        asked=lambda *_: answered.pop(0) if len(answered) > 1 else answered[0],
    )


def test_content(recorder):
    """A container that stays healthy and answers is let go after the time; one missed answer or two are no news."""
    look(FakeDaemon(recorder, container()), [True, False, False, True, False, True])


@pytest.mark.parametrize("changed", [{"status": "exited", "exit_code": 3}, {"health": "unhealthy"}, {"restarts": 1}])
def test_ended(recorder, changed):
    """One that ends, becomes unhealthy or was restarted is told at once, with its cause."""
    with pytest.raises(UnhealthyError, match="did not become healthy"):
        look(FakeDaemon(recorder, container(**changed)), [True], seconds=60)


def test_silent(recorder):
    """One that does not answer three times in a row is told, however healthy it says it is."""
    with pytest.raises(UnhealthyError) as caught:
        look(FakeDaemon(recorder, container()), [True, False], seconds=60)

    what, why, _ = sentences(caught.value)
    assert what == "api-prod stopped answering."
    assert why == f"/ready at http://127.0.0.1:8000 gave no 200, {IN_A_ROW} times in a row."
