"""Looks at a container for a while after it took over: it may be healthy at first, and die of real requests."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from dockyard.errors import UnhealthyError
from dockyard.run.prober import answers
from dockyard.run.wait import until_healthy

if TYPE_CHECKING:
    from collections.abc import Callable

    from dockyard.engines.daemon import Daemon

PAUSE = 0.5
ONE_LOOK = 2.0  # seconds in which a container that is asked again for its health may tell it
IN_A_ROW = 3


def watch(
    name: str,
    *,
    daemon: Daemon,
    url: str,
    route: str,
    seconds: float,
    asked: Callable[[str, str], bool] = answers,
) -> None:
    """Return after `seconds` in which the container stayed healthy and its route answered.

    Raises:
        UnhealthyError: It exited, became unhealthy, was restarted, or did not answer three times in a row.
    """
    deadline = time.monotonic() + seconds
    silent = 0
    while True:
        until_healthy(name, daemon=daemon, seconds=ONE_LOOK)
        silent = 0 if asked(url, route) else silent + 1
        if silent == IN_A_ROW:
            # A container that has just ended says more about it than its silence does.
            until_healthy(name, daemon=daemon, seconds=ONE_LOOK)
            raise UnhealthyError(
                f"{name} stopped answering.",
                f"{route} at {url} gave no 200, {IN_A_ROW} times in a row.",
                "Mend the cause above, then run it again.",
            )
        left = deadline - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(PAUSE, left))
