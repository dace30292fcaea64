from __future__ import annotations

import re

import pytest

from dockyard.gateway.config import alias, render

ID = "74f9fe665b0112aa9c3d"


def servers(config: str) -> list[str]:
    """The lines of the two servers, without their indent."""
    return re.findall(r"^    (server .*)$", config, re.MULTILINE)


def test_one_serves():
    """The container that serves has the first place under its short id; the second place is off."""
    config = render(ID, spare="api-prod-gateway", route="/ready", port=8000)
    assert servers(config) == ["server one 74f9fe665b01:8000", "server two 74f9fe665b01:8000 disabled"]


def test_none_serves():
    """With nobody to serve both places are off, under a name that can be resolved."""
    config = render("", spare="api-prod-gateway", route="/ready", port=8000)
    assert servers(config) == [f"server {slot} api-prod-gateway:8000 disabled" for slot in ("one", "two")]


@pytest.mark.parametrize("route", ["/ready", "/health/live"])
def test_checks_ask_the_route(route):
    """HAProxy asks the route that the settings name, and nothing is left to be filled in."""
    config = render(ID, spare="spare", route=route, port=8000)
    assert f"http-check send meth GET uri {route} " in config
    assert re.findall(r"(?<!\$)\{\w+\}", config) == []
    assert """string '{"detail": """ in config


def test_alias():
    """Docker's name server knows the first twelve digits of an id."""
    assert alias(ID) == "74f9fe665b01"
