from __future__ import annotations

from dockyard import machine
from dockyard.pipeline import BuildOptions
from dockyard.pipeline.planned import build_secrets, planned
from support import BASE, SECRET

INDEX = f"https://user:{SECRET}@index.example.org/simple"


def test_planned(opened, recorder, monkeypatch):
    """The build that would be made can be had without making it; its secret files last as long as the block."""
    monkeypatch.setenv("PIP_INDEX_URL", INDEX)
    with planned(opened(quiet=True), BuildOptions(cache=False)) as asked:
        assert (asked.base, asked.tags[0], asked.cache) == (BASE, "tiny-service:prod", False)
        assert asked.secrets["index_url"].read_text() == INDEX

    assert not asked.secrets["index_url"].exists()
    assert recorder.builds == []


def test_planned_marks(opened, bundle):
    """Only where the setting asks for it does a build have marks; one that is reproducible has none."""
    for setting, options, ids in (
        (False, BuildOptions(), []),
        (True, BuildOptions(), ["ca"]),
        (True, BuildOptions(reproducible=True), []),
    ):
        with planned(opened(build__secrets_rebuild=setting, quiet=True), options) as asked:
            assert sorted(asked.marks) == ids


def test_no_secrets(opened, monkeypatch):
    """On an open network a build gets no secret."""
    monkeypatch.setattr(machine.corporate, "pip_configuration", lambda *_: {})
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)

    with build_secrets(opened()) as mounts:
        assert mounts == {}
