from __future__ import annotations

import pytest

from dockyard.deploy import workload_of
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
    workload = workload_of(settings_of(**changed), IMAGE)

    assert (workload.name, workload.namespace, workload.secret) == (name, name, f"{name}-key")
    assert workload.secret_file == f"/etc/{name}/api_key"


@pytest.mark.parametrize("image", ["7up", "a" * 51])
def test_no_name(settings_of, image):
    """What cannot be a name in a cluster is refused, with the setting that gives another."""
    with pytest.raises(SettingsError) as caught:
        workload_of(settings_of(image=image), IMAGE)

    assert "Set `name` in [tool.dockyard.deploy]" in sentences(caught.value)[2]


def test_said_names(settings_of):
    """What is said stays."""
    changed = {"deploy__secret": "s", "deploy__secret_file": "./key", "deploy__namespace": "n"}
    workload = workload_of(settings_of(**changed), IMAGE)

    assert (workload.secret, workload.secret_file, workload.namespace) == ("s", "./key", "n")


def test_container(settings_of):
    """It is the hardened container with this image; limits of the deployment win over those of `run`."""
    workload = workload_of(settings_of(run__memory="256m", deploy__cpus=2, run__user="7:8"), IMAGE)

    assert (workload.container.image, workload.container.memory, workload.container.cpus) == (IMAGE, "256m", 2.0)
    assert workload.container.env["API_ENV"] == "production"
    assert (workload.uid, workload.container.group) == (7, 8)


@pytest.mark.parametrize(("stop", "before", "grace"), [(10, 5, 20), (30, 0, 35)])
def test_grace(settings_of, stop, before, grace):
    """A pod has time for what precedes SIGTERM, for the whole stop, and a little more."""
    assert workload_of(settings_of(run__stop_timeout=stop, deploy__pre_stop=before), IMAGE).grace == grace
