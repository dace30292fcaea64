"""`invoke deploy` as it is typed: what it prints, what it writes, how it ends."""

from __future__ import annotations

import pytest
from invoke.collection import Collection

from dockyard.deploy import compose_up, rollout
from dockyard.deploy.rollout import Deployed
from dockyard.deploy.swarm import up
from dockyard.tasks.deploy import deploy as task
from support import SECRET

IMAGE = f"--image registry.example/tiny-service@sha256:{'1' * 64}"


@pytest.fixture
def deploy(invoke):
    return lambda line: invoke(f"deploy {line}", Collection(task))


def test_written(deploy, project):
    """Each file is told with what was done to it, and the second time with nothing."""
    first, second = deploy(f"--to compose {IMAGE}"), deploy(f"--to compose {IMAGE}")

    assert (first.code, first.out, first.err) == (0, "written  deploy/compose.yaml\n", "")
    assert second.out == "unchanged  deploy/compose.yaml\n"
    assert (project / "deploy/compose.yaml").is_file()


def test_check(deploy, project):
    """Files that are as they should be end with 0; others with 7, the difference and the way to mend them."""
    deploy(f"--to kubernetes {IMAGE}")
    assert deploy("--to kubernetes --check").code == 0

    with (project / "pyproject.toml").open("a", encoding="utf-8") as settings:
        settings.write("[tool.dockyard.deploy]\nsettle = 3\n")
    done = deploy("--to kubernetes --check")
    assert done.code == 7
    assert "changed    deploy/kubernetes/base/manifests.yaml" in done.out
    assert "-  minReadySeconds: 10\n+  minReadySeconds: 3\n" in done.out
    assert "`invoke deploy --to kubernetes`" in done.err
    assert "minReadySeconds: 10" in (project / "deploy/kubernetes/base/manifests.yaml").read_text("utf-8")


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        ("", 2, "It can be kubernetes, compose, swarm."),
        ("--to nowhere", 2, "--to nowhere is unknown."),
        ("--to compose --check --force", 2, "--check writes nothing."),
        ("--to kubernetes --overlay staging", 2, "Say --apply too."),
        (f"--to kubernetes {IMAGE} --overlay nope --apply", 2, "There is no overlay nope."),
        ("--to compose --overlay staging --apply", 2, "There are no overlays for compose."),
        ("--to compose --apply --init", 2, "are for a swarm"),
        ("--to swarm --rotate-key", 2, "Say `--to swarm --apply` too"),
        ("--to kubernetes --env-file f", 2, "are for a swarm"),
        ("", 2, "--to is missing."),
        ("--to compose --apply --context c", 2, "--context is for kubectl."),
        ("--to kubernetes --context c", 2, "--context is for kubectl."),
        ("--to compose --image a@b", 2, "a@b is no image."),
        ("--to compose", 3, "engine"),
    ],
)
def test_wrong(deploy, project, line, code, says):
    """What cannot be done ends with the code of its kind, and writes nothing."""
    done = deploy(line)

    assert (done.code, done.out) == (code, "")
    assert says in done.err
    assert not (project / "deploy").exists()


@pytest.mark.parametrize("line", [f"--to compose {IMAGE} --apply", "--to compose --check --apply"])
def test_apply(deploy, monkeypatch, line):
    """--apply brings up what is written, after it was written or found to be what it should be."""
    deploy(f"--to compose {IMAGE}")
    brought = Deployed(name="tiny-service", image="an-image", where="this host", seconds=1.25)
    monkeypatch.setattr(compose_up, "up", lambda *_, **__: brought)
    done = deploy(line)

    assert done.code == 0
    assert done.out.splitlines()[-1] == "tiny-service serves after 1.2 s: this host, an-image"


def test_apply_not_what_is_stale(deploy, project, monkeypatch):
    """--check --apply applies nothing where the files are not what the settings say."""
    deploy(f"--to kubernetes {IMAGE}")
    monkeypatch.setattr(rollout, "apply", lambda *_, **__: pytest.fail("was applied"))
    (project / "deploy/kubernetes/base/manifests.yaml").unlink()

    assert deploy(f"--to kubernetes {IMAGE} --check --apply").code == 7


def test_nothing_to_do(deploy, monkeypatch):
    """A release that serves already is said to do so."""
    there = Deployed(name="tiny-service", image="an-image", where="2 tasks", seconds=0.1, changed=False)
    monkeypatch.setattr(up, "up", lambda *_, **__: there)
    done = deploy(f"--to swarm {IMAGE} --apply")

    assert done.out.splitlines()[-1] == ("tiny-service serves already, and nothing was changed: 2 tasks, an-image")


def test_swarm_flags(deploy, monkeypatch, tmp_path):
    """What is said of the key and the swarm arrives there; the key is looked for only when it is wanted."""
    orders = []
    monkeypatch.setattr(up, "up", lambda *_, **named: orders.append(named["orders"]) or there)
    there = Deployed(name="a", image="b", where="c", seconds=1.0)
    file = tmp_path / "keys"
    assert deploy(f"--to swarm {IMAGE} --apply --init --rotate-key --env-file {file}").code == 0

    (given,) = orders
    assert (given.init, given.rotate_key) == (True, True)
    file.write_text(f"API_KEY={SECRET}\n", "utf-8")
    assert given.find_key().value.get_secret_value() == SECRET
