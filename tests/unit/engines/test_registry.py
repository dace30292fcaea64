from __future__ import annotations

from types import SimpleNamespace

import pytest

from dockyard.engines import registry

ARM = {"architecture": "arm64", "os": "linux", "variant": "v8"}
AMD = {"architecture": "amd64", "os": "linux"}
ATTACHED = {"architecture": "unknown", "os": "unknown"}


@pytest.mark.parametrize(
    ("told", "platforms"),
    [([ARM, AMD, ATTACHED, ATTACHED], ("linux/amd64", "linux/arm64/v8")), (None, ()), ([], ()), ([{}], ())],
)
def test_platforms(told, platforms):
    """An image's platforms are told with their variants; what is attached to it is none, and one image has none."""
    api = SimpleNamespace(inspect_distribution=lambda reference: {"Platforms": told, "Descriptor": {}})
    assert registry.platforms(SimpleNamespace(api=api), "python:3.12") == platforms
