from __future__ import annotations

import pytest

from dockyard.errors import SettingsError
from dockyard.settings import load


@pytest.fixture
def read(project):
    """Load the settings with a [tool.dockyard.deploy.swarm] table."""

    def read(table):
        (project / "pyproject.toml").write_text(f"[tool.dockyard.deploy.swarm]\n{table}\n", "utf-8")
        return load(start=project, environment={}).settings.deploy.swarm

    return read


def test_nothing_is_published(read):
    """Without a word of it nobody outside reaches the service."""
    nothing = read("")
    assert (nothing.publish, nothing.networks) == (0, ())


@pytest.mark.parametrize(
    "table",
    [
        'endpoint_mode = "dnsrr"',
        'endpoint_mode = "dnsrr"\npublish = 80\npublish_mode = "host"',
        "publish = 80",
    ],
)
def test_published(read, table):
    """What Swarm can do is taken."""
    assert read(table)


def test_no_balancer(read):
    """Swarm's load balancer leads to virtual IPs: what Swarm would refuse later is refused at once."""
    with pytest.raises(SettingsError) as caught:
        read('publish = 80\nendpoint_mode = "dnsrr"')
    assert "[tool.dockyard.deploy.swarm] endpoint_mode" in caught.value.why
    assert '"vip"' in caught.value.why
