from __future__ import annotations

import pytest

from dockyard.pipeline import clean, confirmed, keep_key, kept_volumes
from dockyard.settings.key import STORED
from dockyard.state import State
from support import IMAGE, KEY_VOLUME, PROJECT_LABEL, FakeDaemon, container

NAMELESS = "a" * 64


def test_clean(opened, recorder):
    """What this project made goes, and is named; logs, volumes, key and images stay, and so does all else."""
    theirs = container(id="their-1", name="db", labels={"com.example": "theirs"})
    neighbour = container(
        id="their-2", name="other", labels={PROJECT_LABEL: "other-service", "dev.dockyard.role": "prod"}, mounts={}
    )
    of_our_image = container(id="their-3", name="debug", labels={PROJECT_LABEL: IMAGE}, mounts={})
    daemon = FakeDaemon(recorder, container(), theirs, neighbour, of_our_image)
    daemon.kept |= {"api-prod-key-1111", "api-prod-gateway", "data"}
    project = opened(daemon=daemon)
    keep_key(project)

    assert list(clean(project, images=False)) == ["container api-prod"]
    assert daemon.names() == {"db": "running", "other": "running", "debug": "running"}
    assert recorder.calls == [
        ["container", "rm", "--force", "old-1"],
        *(["volume", "remove", each] for each in sorted(["api-prod-gateway", KEY_VOLUME, "api-prod-key-1111"])),
    ]
    assert daemon.kept == {"data"}
    assert State(project.settings.state).read_text(STORED)


def test_volumes(opened, recorder):
    """Volumes that may hold data are those of our label that are not for a container, and the nameless ones of ours."""
    ours = container(mounts={"/run/secrets": KEY_VOLUME, "/app/logs": "/srv/logs", "/data": NAMELESS})
    daemon = FakeDaemon(recorder, ours)
    daemon.kept |= {"data", NAMELESS}
    daemon.volumes = lambda label: tuple(sorted(daemon.kept - ({"data"} if label == "dev.dockyard.role" else set())))
    project = opened(daemon=daemon)
    doomed = kept_volumes(project)

    assert doomed == {NAMELESS: " (api-prod has it at /data)", "data": ""}
    assert list(clean(project, images=False, volumes=doomed))[1:] == [f"volume {NAMELESS}", "volume data"]
    daemon.names()
    assert daemon.kept == set()


@pytest.mark.parametrize(
    ("answer", "goes"), [("yes", True), (" Y ", True), ("", False), ("no", False), ("yess", False)]
)
def test_confirmed(opened, monkeypatch, capsys, answer, goes):
    """A person is shown each volume, and only a yes is one."""
    monkeypatch.setattr("builtins.input", lambda: answer)

    assert confirmed(opened(), {"data": "", NAMELESS: " (api-prod has it at /data)"}) is goes
    told = capsys.readouterr().err
    assert "  data\n" in told
    assert f"  {NAMELESS} (api-prod has it at /data)\n" in told


def test_no_answer(opened, monkeypatch):
    """A terminal that is closed is no yes."""

    def closed():
        raise EOFError

    monkeypatch.setattr("builtins.input", closed)
    assert not confirmed(opened(), {"data": ""})


def test_clean_images(opened, recorder):
    """The images of our label go where that was asked for, and no others."""
    project = opened(images=["other:1", "tiny-service:1", "tiny-service:prod"])

    assert list(clean(project, images=True)) == ["image tiny-service:1", "image tiny-service:prod"]
    assert recorder.calls == [["image", "rm", "--force", f"tiny-service:{tag}"] for tag in ("1", "prod")]


def test_clean_nothing(opened, recorder):
    """A project that made nothing has nothing to remove."""
    assert list(clean(opened(images=()), images=True)) == []
    assert recorder.calls == []
