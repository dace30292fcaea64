from __future__ import annotations

import pytest

from dockyard.deploy import release_of
from dockyard.errors import SettingsError
from support import sentences

from .conftest import IMAGE


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({}, "tiny-service"),
        ({"image": "team/house_pricing.api"}, "house-pricing-api"),
        ({"deploy__name": "prices"}, "prices"),
    ],
)
def test_name(settings_of, changed, name):
    """All is named after the image's last part, as far as a cluster takes it, and what is named after it follows."""
    release = release_of(settings_of(**changed), IMAGE)

    assert (release.name, release.namespace, release.secret) == (name, name, f"{name}-key")
    assert release.secret_file == f"/etc/{name}/api_key"


@pytest.mark.parametrize("image", ["7up", "a" * 51])
def test_no_name(settings_of, image):
    """What cannot be a name in a cluster is refused, with the setting that gives another."""
    with pytest.raises(SettingsError) as caught:
        release_of(settings_of(image=image), IMAGE)

    assert "Set `name` in [tool.dockyard.deploy]" in sentences(caught.value)[2]


def test_said_names(settings_of):
    """What is said stays."""
    changed = {"deploy__secret": "s", "deploy__secret_file": "./key", "deploy__namespace": "n"}
    release = release_of(settings_of(**changed), IMAGE)

    assert (release.secret, release.secret_file, release.namespace) == ("s", "./key", "n")


def test_container(settings_of):
    """It is the hardened container with this image; limits of the deployment win over those of `run`."""
    release = release_of(settings_of(run__memory="256m", deploy__cpus=2, run__user="7:8"), IMAGE)

    assert (release.container.image, release.container.memory, release.container.cpus) == (IMAGE, "256m", 2.0)
    assert release.container.env["API_ENV"] == "production"
    assert (release.uid, release.container.group) == (7, 8)


@pytest.mark.parametrize(("stop", "before", "grace"), [(10, 5, 20), (30, 0, 35)])
def test_grace(settings_of, stop, before, grace):
    """A pod has time for what precedes SIGTERM, for the whole stop, and a little more."""
    assert release_of(settings_of(run__stop_timeout=stop, deploy__pre_stop=before), IMAGE).grace == grace
