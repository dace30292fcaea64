"""Stacks that pass and that fail HLT-03."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from dockyard.audit.read import TextFile
from dockyard.image import Image
from dockyard.settings import Settings

SETTINGS = Settings(root=Path("/project"), image="shop", version="1.0")
STACK = """\
services:
  shop:
    image: registry.example/shop:1
    deploy:
      update_config:
        order: start-first
        failure_action: rollback
        monitor: 1m
  cache:
    image: redis
"""


def image(period: object = 30_000_000_000) -> Image:
    """An image whose health check has this start period, in nanoseconds."""
    config = {"config": {"Healthcheck": {"Test": ["CMD", "true"], "StartPeriod": period}}}
    return Image(
        reference="shop", id="", digest="", config=config, history=(), layers=(), files={}, contents={}, kept={}
    )


def evidence(old: str = "", new: str = "", **changed: object) -> dict[str, object]:
    """The good stack with one change."""
    assert old in STACK
    text = STACK.replace(old, new, 1) if old else STACK
    return {"stack": TextFile(path="stack.yaml", text=text), "settings": SETTINGS, "image": image(), **changed}


PASSING = {"HLT-03": evidence}
FAILING = {
    "HLT-03": [
        ("failure_action is pause, wanted rollback", partial(evidence, "rollback", "pause")),
        ("failure_action is not set", partial(evidence, "failure_action", "other")),
        ("order is stop-first, wanted start-first", partial(evidence, "start-first", "stop-first")),
        ("monitor is 10 s, the start period is 30 s", partial(evidence, "monitor: 1m", "monitor: 10s")),
        ("monitor is 5 s, the start period is 30 s", partial(evidence, "monitor: 1m", "other: 1m")),
        (
            "monitor is 60 s, the start period is 90 s",
            partial(evidence, "    deploy:", "    healthcheck: {start_period: 1m30s}\n    deploy:"),
        ),
        (
            "the health check is switched off",
            partial(evidence, "    deploy:", "    healthcheck: {disable: true}\n    deploy:"),
        ),
        (
            "the health check is switched off",
            partial(evidence, "    deploy:", "    healthcheck: {test: [NONE]}\n    deploy:"),
        ),
        ("is no YAML", partial(evidence, "services:", "services: [")),
    ]
}
