from __future__ import annotations

import pytest

from dockyard.errors import SettingsError
from dockyard.settings import load
from dockyard.settings.deploys import Overlay


@pytest.fixture
def read(project):
    """Load the settings with a [tool.dockyard.deploy] table."""

    def read(table):
        with (project / "pyproject.toml").open("a", encoding="utf-8") as stream:
            stream.write(f"[tool.dockyard.deploy]\n{table}\n")
        return load(start=project, environment={}).settings.deploy

    return read


def test_environments(read):
    """Without overlays there are a small staging and production, in the order of their names."""
    assert list(read("").environments.items()) == [
        ("production", Overlay()),
        ("staging", Overlay(replicas=1, max_replicas=2)),
    ]


def test_own_environments(read):
    """Overlays of one's own take the place of the standard ones."""
    assert read('[tool.dockyard.deploy.overlays.b]\ncpus = 2\n[tool.dockyard.deploy.overlays.a]').environments == {
        "a": Overlay(),
        "b": Overlay(cpus=2.0),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ("replicas = 7", "max_replicas: must not be below `replicas`"),
        ("replicas = 3\nmax_replicas = 2", "max_replicas: must not be below `replicas`"),
        ("settle = 300", "wait: must be above `settle`"),
        ("overlays = { a = { replicas = 9 } }", "overlays: a: `replicas` is above `max_replicas`"),
        ("overlays = { a = { max_replicas = 1 } }", "overlays: a: `replicas` is above `max_replicas`"),
        ("overlays = { a = { image = 'b' } }", "image: no such key"),
        ("overlays = { 'A b' = {} }", "small letters, digits and dashes"),
        ("ingress = ['namespace/a:80']", "ingress: 'namespace/a:80' has a port, which is known here"),
        ("dns = ['*:53']", "dns: '*:53' has a port"),
        ("egress = ['mlflow']", "egress: 'mlflow' is no peer"),
    ],
)
def test_contradictions(read, table, line):
    """What contradicts another key or names nobody is refused where it is written."""
    with pytest.raises(SettingsError) as caught:
        read(table)

    assert line in caught.value.why
