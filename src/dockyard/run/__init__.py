"""image -> container: made, started, put in another's place, watched, put back; and the releases that are kept."""

from __future__ import annotations

from dockyard.run.own import key_of, keys_of, ours, own_container, remove, stop, url_of
from dockyard.run.prober import Outage
from dockyard.run.recover import recover, unsettled
from dockyard.run.releases import Release, Releases, Row, row
from dockyard.run.replace import replace
from dockyard.run.rollout import Order
from dockyard.run.rotate import Asked, Turn, both_accepted, introduce, retire
from dockyard.run.rotation import Rotation
from dockyard.run.start import start
from dockyard.run.swap import (
    STOP,
    Direct,
    Started,
    Step,
    Swap,
    Traffic,
    answers,
    free,
    start_incoming,
    stop_outgoing,
)

__all__ = [
    "STOP",
    "Asked",
    "Direct",
    "Order",
    "Outage",
    "Release",
    "Releases",
    "Rotation",
    "Row",
    "Started",
    "Step",
    "Swap",
    "Traffic",
    "Turn",
    "answers",
    "both_accepted",
    "free",
    "introduce",
    "key_of",
    "keys_of",
    "ours",
    "own_container",
    "recover",
    "remove",
    "replace",
    "retire",
    "row",
    "start",
    "start_incoming",
    "stop",
    "stop_outgoing",
    "unsettled",
    "url_of",
]
