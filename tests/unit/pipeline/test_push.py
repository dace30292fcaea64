"""A push from end to end, on an engine and a registry that are played."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from dockyard.errors import DeployError, EngineError
from dockyard.pipeline import push as pushing
from dockyard.pipeline.deploy import DeployOptions, write_files
from dockyard.pipeline.push import PushOptions, push_image, require_signed
from dockyard.state import LockedError
from support import IMAGE, FakeDaemon

OTHER = f"sha256:{'2' * 64}"


class Registered(FakeDaemon):
    """An engine whose registry has what was pushed by its recorder, and what a test lays there."""

    def __init__(self, recorder, **options):
        super().__init__(recorder, **options)
        self.there: dict[str, str] = {}
        self.id = ""

    def server(self):
        return SimpleNamespace(containerd_store=True)

    def published(self, reference, *, seconds=15, login=None):
        pushed = {call[-1] for call in self._recorder.calls if call[:2] == ["image", "push"]}
        if "@" in reference:
            return reference.partition("@")[2]
        return self.id if reference in pushed else self.there.get(reference)


@pytest.fixture
def daemon(recorder):
    made = Registered(recorder)
    made.id = made.image(f"{IMAGE}:prod").id
    recorder.answer("image push", output=f"1: digest: {made.id} size: 8\n")
    return made


@pytest.fixture
def here(opened, daemon, recorder, monkeypatch):
    """Open the project with that registry, and an id that looks like one."""
    digest = f"sha256:{'1' * 64}"
    daemon.id = digest
    real = daemon.image
    monkeypatch.setattr(daemon, "image", lambda name: real(name) and SimpleNamespace(id=digest))
    recorder.answer("image push", output=f"1: digest: {digest} size: 8\n")
    given = {"push__repository": "registry.example/api", "push__pause": 0, "sign__tool": "off"}
    return lambda **changed: opened(daemon=daemon, **given | changed)


def test_pushed(here, daemon, recorder):
    """Each tag is given to the image here, pushed and recorded; the digest is the same for all."""
    project = here(push__tags=["{version}", "latest"])
    record = push_image(project, PushOptions())

    assert [call[1:] for call in recorder.calls] == [
        ["tag", daemon.id, "registry.example/api:1.2.3"],
        ["push", "registry.example/api:1.2.3"],
        ["tag", daemon.id, "registry.example/api:latest"],
        ["push", "registry.example/api:latest"],
    ]
    assert (record.digest, record.image, record.signature) == (daemon.id, f"{IMAGE}:prod", "")
    (kept,) = project.state.records("pushes")
    assert json.loads((project.settings.state / kept).read_text())["tags"][1]["tag"] == "latest"


def test_taken(here, daemon, recorder):
    """A version that is another image's is left alone, and so is everything else, here and there."""
    daemon.there["registry.example/api:1.2.3"] = OTHER
    with pytest.raises(DeployError, match="names another image already, so nothing was pushed"):
        push_image(here(), PushOptions(tags=("latest", "1.2.3")))
    assert recorder.calls == []
    assert here().state.records("pushes") == []

    assert push_image(here(), PushOptions(overwrite=True)).tags[0].before == OTHER


def test_no_image(here):
    """An image that is not there is not pushed."""
    with pytest.raises(EngineError, match="There is no image none:1"):
        push_image(here(), PushOptions(image="none:1"))


def test_alone(here):
    """One push at a time."""
    project = here()
    with project.state.lock("push"), pytest.raises(LockedError):
        push_image(here(), PushOptions())


def test_verified(here, monkeypatch):
    """A deployment asks for a signature only if that is set; then nothing is written without one."""
    image = f"registry.example/api@{OTHER}"
    require_signed(here(), image)

    def refuse(*_: object) -> None:
        raise DeployError("It is not signed.", "why", "todo")

    monkeypatch.setattr(pushing.push, "verifier", lambda _: SimpleNamespace(tool="cosign"))
    monkeypatch.setattr(pushing.push, "verify", refuse)
    project = here(deploy__verify=True)
    with pytest.raises(DeployError, match="It is not signed"):
        write_files(project, DeployOptions(to="compose", image=image))
    assert not (project.settings.root / "deploy").exists()
    write_files(here(), DeployOptions(to="compose", image=image))
