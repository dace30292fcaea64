from __future__ import annotations

import pytest

from dockyard.audit.read import TextFile
from dockyard.audit.rules.health_stack import StackUpdates
from dockyard.audit.verdict import State

from .cases_health_stack import evidence, image


@pytest.mark.parametrize("text", ["", "services: {}", "services: 7", "- a", "version: '3'"])
def test_no_services(text):
    """A stack without a service is not examined."""
    given = evidence() | {"stack": TextFile(path="s.yaml", text=text)}
    assert StackUpdates().check(given).state is State.NOT_RUN


@pytest.mark.parametrize("period", [None, 0, "odd"])
def test_no_start_period(period):
    """An image that asks for no time to start is watched long enough by anything."""
    assert StackUpdates().check(evidence(image=image(period))).state is State.PASS


@pytest.mark.parametrize("seconds", range(1, 61))
def test_monitor_of_the_start_period(seconds):
    """A task that is watched for exactly its start period is watched long enough, whatever fractions do."""
    given = evidence("monitor: 1m", f"monitor: {seconds}s", image=image(seconds * 10**9))
    assert StackUpdates().check(given).state is State.PASS


def test_no_name_of_ours():
    """Where no service names our image, since its name is filled in later, every service is held to it."""
    verdict = StackUpdates().check(evidence("registry.example/shop:1", "${IMAGE}"))
    assert verdict.state is State.FAIL
    assert "failure_action is not set" in verdict.evidence
