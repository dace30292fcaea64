from __future__ import annotations

import pytest

from dockyard.deploy.health import Health, health_of

CHECKED = "FROM a\nHEALTHCHECK "
DOCKER = Health(alive="/health", ready="/ready", wait=60)


@pytest.mark.parametrize(
    ("dockerfile", "health"),
    [
        (None, DOCKER),
        ("FROM a\n", DOCKER),
        ("FROM a\nHEALTHCHECK CMD true\n", DOCKER),
        (CHECKED + "--interval=10s --timeout=5s --retries=4 CMD true\n", {"interval": 10, "timeout": 5, "retries": 4}),
        ("ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\nHEALTHCHECK --interval=7s CMD true\n", {"interval": 7}),
        (CHECKED + "--start-period=1m30s CMD true\n", {"start_period": 90}),
        (CHECKED + "--start-interval=500ms CMD true\n", {"start_interval": 0.5}),
        ("FROM a AS b\nHEALTHCHECK --interval=7s CMD true\nFROM c\nRUN x\n", DOCKER),
        ("FROM a AS b\nHEALTHCHECK --interval=7s CMD true\nFROM b\nRUN x\n", {"interval": 7}),
        ("FROM a\nHEALTHCHECK --interval=7s CMD true\nHEALTHCHECK --timeout=2s CMD true\n", {"timeout": 2}),
        ("FROM a\nHEALTHCHECK --interval=0s --retries=0 CMD true\n", DOCKER),
    ],
)  # fmt: skip
def test_times(settings_of, project, dockerfile, health):
    """The times are those of the last HEALTHCHECK of the stage that is built, and Docker's own where it has none."""
    if dockerfile is not None:
        (project / "Dockerfile").write_text(dockerfile, "utf-8")
    expected = health if isinstance(health, Health) else Health(alive="/health", ready="/ready", wait=60, **health)
    assert health_of(settings_of()) == expected


def test_target(settings_of, project):
    """The stage that the settings build is looked at, not the last one."""
    (project / "Dockerfile").write_text("FROM a AS one\nHEALTHCHECK --interval=7s CMD true\nFROM b AS two\n", "utf-8")
    assert health_of(settings_of(build__target="one")).interval == 7


def test_routes(settings_of):
    """Routes and patience are those of the settings."""
    changed = health_of(settings_of(smoke__health="/live", smoke__ready="/up", run__wait=7))
    assert (changed.alive, changed.ready, changed.wait) == ("/live", "/up", 7)
