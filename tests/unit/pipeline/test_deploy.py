"""Which image is deployed, which files are looked at, and where they go."""

from __future__ import annotations

import pytest

from dockyard.deploy import TARGETS, compose_up, rollout
from dockyard.deploy.files import image_of
from dockyard.deploy.rollout import Deployed
from dockyard.errors import DeployError, SettingsError
from dockyard.pipeline import deploy as deploying
from dockyard.pipeline.deploy import UP, DeployOptions, bring_up, check_files, require_overlay, write_files
from support import sentences

ONE, TWO = (f"registry.example/tiny-service@sha256:{digit * 64}" for digit in "12")


def kubernetes(**options):
    return DeployOptions(to="kubernetes", **options)


@pytest.fixture
def called(monkeypatch):
    """Let nothing be brought up; return what would have been."""
    calls = []

    def noted(*given, **named):
        calls.append(given)
        return Deployed(name="a", image="b", where="c", seconds=1.0)

    monkeypatch.setattr(rollout, "apply", noted)
    monkeypatch.setattr(compose_up, "up", noted)
    monkeypatch.setattr(deploying, "current_context", lambda: "current")
    return calls


def test_every_target_has_its_way_up():
    """Whatever can be written can be brought up."""
    assert set(UP) == set(TARGETS)


def test_written(opened, project):
    """The files name the image that was said, in the folder that the settings name."""
    compared = write_files(opened(deploy__folder="there"), kubernetes(image=ONE))

    assert {each.state for each in compared} == {"missing"}
    assert image_of(project / "there", TARGETS["kubernetes"]) == ONE


@pytest.mark.parametrize(
    ("to", "image", "changed", "remarks"),
    [
        ("kubernetes", ONE, {"deploy__ingress": ["*"]}, []),
        ("kubernetes", ONE, {}, ["Nobody in the cluster may call the service"]),
        ("compose", ONE, {}, []),
        ("compose", ONE.partition("/")[2], {}, ["The image names no registry"]),
    ],
)
def test_remarks(opened, capsys, to, image, changed, remarks):
    """What is allowed and seldom meant is remarked upon: an image of nobody's registry, a service for nobody."""
    write_files(opened(**changed), DeployOptions(to=to, image=image))
    said = capsys.readouterr().err.splitlines()

    assert [line.partition(":")[0] for line in said] == remarks


def test_check_takes_the_image_of_the_files(opened):
    """A look at the files needs no engine: they are held against the settings for the image that they name."""
    write_files(opened(), kubernetes(image=ONE))

    assert {each.state for each in check_files(opened(images=()), kubernetes())} == {"unchanged"}
    states = {each.path: each.state for each in check_files(opened(), kubernetes(image=TWO))}
    assert states.pop(TARGETS["kubernetes"].main) == "changed"
    assert set(states.values()) == {"unchanged"}


def test_check_finds_changed_settings(opened):
    """A setting that was changed since makes the files stale."""
    write_files(opened(), kubernetes(image=ONE))
    (found,) = [each for each in check_files(opened(deploy__port=81), kubernetes()) if each.state == "changed"]

    assert [line.split() for line in found.diff if line[0] in "+-"][2:] == [["-", "port:", "80"], ["+", "port:", "81"]]


@pytest.mark.parametrize(
    ("overlay", "folder", "namespace"),
    [
        ("", "kubernetes/base", "tiny-service"),
        ("staging", "kubernetes/overlays/staging", "tiny-service-staging"),
    ],
)
def test_bring_up(opened, project, called, overlay, folder, namespace):
    """What was written is applied: the base, or an environment in its own namespace."""
    write_files(opened(), kubernetes(image=ONE))
    bring_up(opened(), kubernetes(overlay=overlay))
    ((release, applied, kubectl),) = called

    assert release.image == ONE
    assert applied == project / "deploy" / folder
    assert (kubectl.context, kubectl.namespace) == ("current", namespace)


def test_context(opened, called):
    """A context that is said is the one that is used."""
    write_files(opened(), kubernetes(image=ONE))
    bring_up(opened(deploy__context="bank"), kubernetes())

    assert called[0][2].context == "bank"


def test_compose(opened, project, called):
    """For this host the one file is brought up."""
    options = DeployOptions(to="compose", image=ONE)
    write_files(opened(), options)
    bring_up(opened(), options)

    assert called[0][1] == project / "deploy/compose.yaml"


@pytest.mark.parametrize(
    ("to", "why"), [("kubernetes", "There are production, staging."), ("compose", "They are Kubernetes'.")]
)
def test_no_such_overlay(opened, to, why):
    """An environment that there is not is refused; those that there are, and none, are not."""
    with pytest.raises(SettingsError) as caught:
        require_overlay(opened(), DeployOptions(to=to, overlay="test"))

    assert sentences(caught.value)[1] == why
    require_overlay(opened(), DeployOptions(to=to))
    require_overlay(opened(), kubernetes(overlay="staging"))


def test_edited(opened, project):
    """A file that a person edited is left as it is, unless that is overruled."""
    write_files(opened(), kubernetes(image=ONE))
    path = project / "deploy" / TARGETS["kubernetes"].main
    path.write_text(path.read_text("utf-8") + "# mine\n", "utf-8")

    with pytest.raises(DeployError):
        write_files(opened(), kubernetes(image=TWO))
    assert "# mine" in path.read_text("utf-8")
    write_files(opened(), kubernetes(image=TWO, force=True))
    assert "# mine" not in path.read_text("utf-8")
